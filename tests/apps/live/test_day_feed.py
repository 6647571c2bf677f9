"""The figures of the web process: in step with history wherever the recorder is when the stream begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from apps.accounts.models import Tenant
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.live.day_feed import DayFeed, read_base
from apps.queues.models import Queue
from apps.queues.scope import Scope
from apps.reports.day.today import Today
from apps.reports.models import ReportSettings
from apps.reports.recount import count_today, read_rules
from tests.apps.facts_of_calls import stored
from tests.apps.live.door import until
from tests.apps.reports.days import shown, simulated_day

pytestmark = pytest.mark.django_db(transaction=True)

EPOCH = "e1"


def populate() -> None:
    tenant = Tenant.objects.create(pk=1, code="t1", name="T", time_zone="Asia/Shanghai")
    for pk, seconds in ((1, 10), (2, 25)):
        Queue.objects.create(pk=pk, tenant=tenant, code=f"q{pk}", name=f"Q{pk}", service_level_s=seconds)


class Day:
    """A simulated day on its way to both: the web gets facts one by one, history as the test says."""

    def __init__(self, seed: int) -> None:
        self.facts = simulated_day(seed)
        self.now_ms = self.facts[-1].at_ms + 1
        self.feed: DayFeed

    async def recorded(self, up_to: int) -> None:
        await sync_to_async(record_facts)(stored(self.facts)[:up_to])

    def stream(self, first: int, last: int) -> None:
        """Facts numbered ``first`` to ``last``, in frames as they come."""
        for start in range(first, last + 1, 7):
            end = min(start + 6, last)
            self.feed.take(end, self.facts[start - 1 : end])

    async def recount(self) -> dict[str, Any]:
        return shown(await sync_to_async(lambda: count_today(self.now_ms, read_rules()))(), self.now_ms)

    def live(self) -> dict[str, Any]:
        view = self.feed.view("1")
        view["figures"]["total"].pop("in_step", None)
        return view


async def test_pages_confined_to_some_queues_see_each_change_as_the_others_do() -> None:
    """Two views of one tenant: each is counted anew when something happened, whoever looks first."""
    feed = DayFeed(lambda: 1_790_000_000_500, read=lambda *_asked: None)
    feed.today = Today()
    wall, team = (
        (lambda: feed.view("1")["figures"]),
        (lambda: feed.view("1", Scope(frozenset(), frozenset({"2"})))["figures"]),
    )
    assert wall()["total"]["offered"] == team()["total"]["offered"] == 0
    for call, queue in (("a", "1"), ("b", "2"), ("c", "2")):
        feed.today.fold(
            f.CallQueued(
                at_ms=1_790_000_000_000, tenant="1", call=call, queue=queue, needs=(), priority=5,
                queued_ms=1_790_000_000_000, deadline_ms=1_790_000_009_000,
            )
        )  # fmt: skip
    assert team()["total"]["offered"] == 2 and team().keys() == {"2", "total"}
    assert wall()["total"]["offered"] == 3 and wall().keys() == {"1", "2", "total"}
    assert team()["2"] == wall()["2"]
    feed.stop()


async def test_what_was_shown_stays_as_it_was_when_a_break_follows_within_the_second() -> None:
    """A topic compares the new view with the old: an old one that changes with it hides the break from the pages."""
    feed = DayFeed(lambda: 1_790_000_000_500, read=lambda *_asked: None)
    feed.today, feed.in_step = Today(), True
    before = feed.view("1")
    feed.begin(EPOCH, 1)
    assert feed.view("1")["figures"]["total"]["in_step"] is False
    assert before["figures"]["total"]["in_step"] is True
    feed.stop()


@pytest.mark.parametrize(("seed", "behind"), [(0, True), (1, False)])
async def test_it_joins_history_without_gap_or_double(seed: int, behind: bool) -> None:
    """The stream begins at 500. The recorder is at 300, or already at 700 before the first of them is seen."""
    await sync_to_async(populate)()
    day = Day(seed)
    await day.recorded(300 if behind else 700)
    day.feed = DayFeed(lambda: day.now_ms)
    day.feed.begin(EPOCH, 500)
    day.stream(501, 600)
    assert day.feed.view("1")["figures"] == {} or not behind
    if behind:
        await asyncio.sleep(0.7)
        assert not day.feed.in_step
    else:
        await until(lambda: day.feed.in_step, "in step")
    day.stream(601, 800)
    await day.recorded(750)
    await until(lambda: day.feed.in_step, "in step")
    day.stream(801, len(day.facts))
    await day.recorded(len(day.facts))
    assert day.live() == await day.recount()
    assert day.live()["figures"]["total"]["answered"] > 30
    day.feed.stop()


async def test_a_break_keeps_the_last_figures_marked_old_and_then_converges() -> None:
    await sync_to_async(populate)()
    day = Day(2)
    day.feed = DayFeed(lambda: day.now_ms)
    await day.recorded(400)
    day.feed.begin(EPOCH, 400)
    await until(lambda: day.feed.in_step, "in step")
    before = day.live()
    day.feed.begin(EPOCH, 900)  # a new snapshot: what came between was never seen
    assert day.feed.view("1")["figures"]["total"]["in_step"] is False
    assert day.live() == before
    await day.recorded(len(day.facts))
    await until(lambda: day.feed.in_step, "in step again")
    day.stream(901, len(day.facts))
    assert day.live() == await day.recount()
    day.feed.stop()


async def test_another_formula_recounts_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.live.day_feed.RULES_S", 0.1)
    await sync_to_async(populate)()
    day = Day(0)
    day.feed = DayFeed(lambda: day.now_ms)
    await day.recorded(len(day.facts))
    day.feed.begin(EPOCH, len(day.facts))
    await until(lambda: day.feed.in_step, "in step")
    before = day.live()["figures"]["total"]
    assert before["formula"] == "F3"
    await sync_to_async(ReportSettings.objects.create)(tenant_id=1, service_level_formula="F1")
    await sync_to_async(Queue.objects.filter(pk=1).update)(service_level_s=1)
    await until(lambda: day.live()["figures"]["total"]["formula"] == "F1", "the new formula")
    await until(lambda: day.live()["figures"].get("1", {}).get("threshold_ms") == 1000, "the new threshold")
    after = day.live()["figures"]["total"]
    assert after["sl"]["met"] != before["sl"]["met"] and after["answered"] == before["answered"]
    assert day.live() == await day.recount()
    day.feed.stop()


async def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.live.day_feed.AWAY_RETRY_S", 0.1)
    await sync_to_async(populate)()
    day = Day(0)
    away = iter([ConnectionError("away"), ConnectionError("away"), None])

    def read(epoch: str, seq: int, now_ms: int) -> Any:
        trouble = next(away, None)
        if trouble is not None:
            raise trouble
        return read_base(epoch, seq, now_ms)

    day.feed = DayFeed(lambda: day.now_ms, read)
    await day.recorded(100)
    day.feed.begin(EPOCH, 100)
    assert day.feed.view("1") == {"figures": {}, "quarters": {}, "works": {}}
    await until(lambda: day.feed.in_step, "in step")
    day.stream(101, len(day.facts))
    await day.recorded(len(day.facts))
    assert day.live() == await day.recount()
    day.feed.stop()


def test_the_day_of_the_simulation_is_long_enough() -> None:
    """The numbers above lie within it."""
    assert all(len(simulated_day(seed)) > 1500 for seed in range(3))
    assert not any(isinstance(fact, f.ConfigApplied) for fact in simulated_day(0))
