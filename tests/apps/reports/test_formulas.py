"""Each formula against its published example and at its edges."""

from __future__ import annotations

import pytest

from apps.reports.formulas.abandon_rate import abandon_rate
from apps.reports.formulas.answer_speed import average_speed_of_answer_ms
from apps.reports.formulas.handling_time import average_handling_time_ms
from apps.reports.formulas.longest_wait import longest_wait_ms
from apps.reports.formulas.occupancy import occupancy_of_available_time, occupancy_of_login_time
from apps.reports.formulas.service_level import FORMULAS, WaitCounts

# Call Centre Helper's example; 30 of the flow-outs are ours.
EXAMPLE = WaitCounts(
    answered=1000, abandoned=60, answered_in_time=860, abandoned_in_time=20, abandoned_short=10, flowed_out=30
)


@pytest.mark.parametrize(
    ("name", "per_cent", "met", "of"),
    [
        ("F1", 83.0, 880, 1060),
        ("F2", 86.0, 860, 1000),
        ("F3", 81.1, 860, 1060),
        ("F4", 82.7, 860, 1040),
        ("F5", 82.1, 870, 1060),
        ("F6", 81.9, 860, 1050),
        ("F6F", 79.6, 860, 1080),
    ],
)
def test_service_level_has_the_published_values(name: str, per_cent: float, met: int, of: int) -> None:
    share = FORMULAS[name](EXAMPLE)
    assert (share.met, share.of) == (met, of)
    assert share.value is not None and round(share.value * 100, 1) == per_cent


@pytest.mark.parametrize("name", FORMULAS)
def test_without_calls_there_is_no_service_level(name: str) -> None:
    assert FORMULAS[name](WaitCounts()).value is None


@pytest.mark.parametrize("name", FORMULAS)
def test_counts_of_two_queues_add_up_before_they_divide(name: str) -> None:
    formula = FORMULAS[name]
    once, twice = formula(EXAMPLE), formula(EXAMPLE + EXAMPLE)
    assert (twice.met, twice.of) == (2 * once.met, 2 * once.of)


def test_averages() -> None:
    assert abandon_rate(60, 1060) == pytest.approx(0.0566, abs=1e-4)
    assert average_speed_of_answer_ms(30_000, 4) == 7500
    assert average_handling_time_ms(600_000, 60_000, 90_000, 5) == 150_000
    assert longest_wait_ms(40_000, [1000, 70_000], 100_000) == 99_000
    assert longest_wait_ms(40_000, [], 100_000) == 40_000


def test_nothing_counted_is_no_value_rather_than_a_division_by_zero() -> None:
    assert abandon_rate(0, 0) is None
    assert average_speed_of_answer_ms(0, 0) is None
    assert average_handling_time_ms(0, 0, 0, 0) is None
    assert longest_wait_ms(0, [], 5) == 0


def test_the_two_occupancies_differ_by_the_pauses() -> None:
    """6 of 8 hours handled, 1 ready, 1 paused."""
    hour = 3_600_000
    assert occupancy_of_login_time(6 * hour, 1 * hour, 8 * hour) == 0.75
    assert occupancy_of_available_time(6 * hour, 1 * hour, 8 * hour) == pytest.approx(0.857, abs=1e-3)
    assert occupancy_of_login_time(0, 0, 0) is None and occupancy_of_available_time(0, 0, 0) is None
