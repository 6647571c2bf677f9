"""The wait to expect: its formula, what it learns, and that it is worth telling."""

from __future__ import annotations

import pytest

from apps.core import events as e
from apps.core import facts as f
from apps.core.ids import CallId
from apps.core.queues import estimates
from apps.core.queues.load import Decayed, QueueLoad
from apps.core.queues.places import Places
from tests.bench.expected_wait import Simulation, pooled
from tests.core.scene import Scene


def load_of(handling_ms: int) -> QueueLoad:
    return QueueLoad(handling=Decayed(total=float(handling_ms), weight=1.0))


@pytest.mark.parametrize(
    ("ahead", "free", "serving", "handling_ms", "expected_ms"),
    [
        (0, 2, 5, 180_000, 0),  # somebody is free
        (1, 1, 5, 180_000, 72_000),  # for the one who waits already
        (4, 0, 5, 180_000, 180_000),  # fifth in line, five agents: one whole call
        (0, 0, 3, 180_000, 60_000),
        (9, 0, 0, 180_000, None),  # nobody signed in
        (0, 1, 1, 180_000, 0),
    ],
)
def test_the_wait_to_expect(ahead: int, free: int, serving: int, handling_ms: int, expected_ms: int | None) -> None:
    assert estimates.expected_ms(ahead, free, serving, load_of(handling_ms)) == expected_ms


def test_nothing_is_foretold_before_anything_was_handled() -> None:
    assert estimates.expected_ms(3, 0, 2, None) is None and estimates.expected_ms(3, 0, 2, QueueLoad()) is None
    assert estimates.expected_ms(0, 1, 1, None) == 0, "but somebody is free"


def test_agents_who_also_serve_elsewhere_are_learned_from_the_waits() -> None:
    """Half of the agents' time goes to other queues: callers wait twice as long as their place says."""
    load = load_of(180_000)
    assert estimates.correction(load) == 1.0
    for _ in range(2_000):
        told_ms = estimates.expected_ms(4, 0, 5, load)
        estimates.answered(load, 360_000, told_ms, 360_000)
    learned_ms = estimates.expected_ms(4, 0, 5, load)
    assert learned_ms is not None and 320_000 < learned_ms <= 360_000


def test_a_few_strange_waits_mislead_nobody() -> None:
    load = load_of(180_000)
    for _ in range(5):
        estimates.answered(load, 3_600_000, 180_000, 180_000)
    assert estimates.correction(load) < 2
    for _ in range(10_000):
        estimates.answered(load, 100 * 3_600_000, 180_000, 180_000)
    assert estimates.correction(load) == estimates.MOST


def test_how_long_a_call_keeps_an_agent_is_learned_from_offer_to_wrap_up() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    scene.wait(10)  # rings
    leg = scene.answer_offer(call)
    scene.wait(80)
    scene.hang_up(leg)
    assert scene.state.queues["sales"].handling.weight == 0, "wrap-up belongs to it"
    scene.wait(5)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.state.queues["sales"].handling.mean == 95_000
    scene.answer_offer(scene.to_queue("cust2"))
    scene.to_queue("cust3")
    told = scene.last(f.CallQueued)
    assert (told.estimate_ms, told.last_wait_ms) == (95_000, 0)
    assert scene.state == scene.folded() == type(scene.state).from_data(scene.state.to_data())


def test_half_the_squared_error_of_the_last_to_enter_service() -> None:
    """M/M/s by the whole engine, with fixed seeds. Other loads and more calls: ``tests/bench/expected_wait.py``."""
    errors = pooled(range(1, 4), agents=10, load=0.9, calls=2_000)
    assert errors.waits > 2_000 and errors.ratio <= 0.5, errors


def test_the_error_is_kept_beside_that_of_the_last_to_enter_service() -> None:
    simulation = Simulation(seed=5, agents=10, load=0.9, handling_s=180)
    errors = simulation.run(calls=1_500, warm_up=1)
    load = simulation.engine.state.queues["q"]
    assert load.squared_error.weight > 300
    assert (load.squared_error.mean or 0) < (load.squared_error_of_last.mean or 0)
    assert errors.waits >= load.squared_error_of_last.weight
    off_ms, last_off_ms = estimates.errors_ms(load) or (0, 0)
    assert 0 < off_ms < last_off_ms and estimates.errors_ms(None) is None is estimates.errors_ms(QueueLoad())


# --- places in line --------------------------------------------------------------------------------------------------


def test_places_are_those_of_a_sorted_line_whoever_comes_and_goes() -> None:
    places, standing = Places(), {}
    for n in range(200):
        call = CallId(f"c{n * 7919 % 200}")
        place = n * 37 % 101 // 3  # some of them equal
        places.put(call, place, on_line=n % 2 == 0)
        standing[call] = place
        if n % 5 == 4:
            gone = CallId(f"c{(n - 3) * 7919 % 200}")
            places.leave(gone)
            standing.pop(gone, None)
    line = sorted(standing, key=lambda call: (standing[call], call))
    assert places.in_order() == line
    assert [places.ahead(call) for call in line] == list(range(len(line)))
    assert places.ahead(CallId("nobody")) is None
    assert places.ahead_of(20) == sum(place <= 20 for place in standing.values())
