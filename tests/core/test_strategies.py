"""Each strategy's order, what it goes by, and that agents' counts come from the facts."""

from __future__ import annotations

import pytest

from apps.core import events as e
from apps.core.agents.fold import SHIFT_GAP_MS
from apps.core.config import Membership, Strategy
from apps.core.queues.strategies import ORDERS, Standing
from tests.core.routing import able, caller, need, office, rung, served

STANDINGS = {  # idle since, talked, served, offered; and the position
    "ann": (Standing(30, 500, 2, 10), 3),
    "bob": (Standing(20, 100, 9, 30), 2),
    "cai": (Standing(10, 900, 5, 20), 1),
}


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        (Strategy.LONGEST_IDLE, "cai bob ann"),
        (Strategy.LEAST_TALK_TIME, "bob ann cai"),
        (Strategy.FEWEST_CALLS, "ann cai bob"),
        (Strategy.ROUND_ROBIN, "ann cai bob"),
        (Strategy.TOP_DOWN, "cai bob ann"),
        (Strategy.RING_ALL, "cai bob ann"),
        (Strategy.RING_PROGRESSIVELY, "cai bob ann"),
        (Strategy.BEST_SKILL, "cai bob ann"),  # among equals
    ],
)
def test_whom_a_strategy_asks_first(strategy: Strategy, order: str) -> None:
    keys = {name: ORDERS[strategy](name, *known) for name, known in STANDINGS.items()}  # type: ignore[arg-type]
    assert sorted(keys, key=lambda name: keys[name]) == order.split()


def test_chance_is_drawn_anew_with_every_idleness_and_the_same_again_from_the_same() -> None:
    draw = ORDERS[Strategy.RANDOM]
    firsts = {
        min(("ann", "bob", "cai"), key=lambda name: draw(name, Standing(at_ms), 1))  # type: ignore[arg-type]
        for at_ms in range(40)
    }
    assert firsts == {"ann", "bob", "cai"}
    assert draw("ann", Standing(7, 1, 2, 3), 1) == draw("ann", Standing(7, 9, 9, 9), 5)  # type: ignore[arg-type]


def test_every_strategy_has_an_order() -> None:
    assert ORDERS.keys() == set(Strategy)


def test_the_least_talk_time_is_of_talks_that_the_queue_brought() -> None:
    scene = office(able("ann"), able("bob"), strategy=Strategy.LEAST_TALK_TIME)
    scene.ready("ann", "bob")
    served(scene, caller(scene, "c1"), "ann", seconds=60)
    served(scene, caller(scene, "c2"), "bob", seconds=10)
    assert (scene.state.agents["ann"].talked_ms, scene.state.agents["bob"].talked_ms) == (60_000, 10_000)
    served(scene, caller(scene, "c3"), "bob", seconds=10)
    assert rung(caller(scene, "c4")) == ["bob"]


def test_the_fewest_calls_and_not_the_longest_idle() -> None:
    scene = office(able("ann"), able("bob"), strategy=Strategy.FEWEST_CALLS)
    scene.ready("ann")
    for n in range(2):
        served(scene, caller(scene, f"c{n}"), "ann", seconds=5)
    scene.wait(60)
    scene.ready("bob")
    assert rung(caller(scene, "c9")) == ["bob"]


def test_a_round_goes_on_past_who_did_not_answer() -> None:
    scene = office(able("ann"), able("bob"), able("cai"), strategy=Strategy.ROUND_ROBIN)
    scene.ready("ann", "bob", "cai")
    call = caller(scene, "c1")
    assert rung(call) == ["ann"]
    scene.ask(e.DeclineRequested, "ann", call=call.id)
    scene.ask(e.AgentWentReady, "ann")
    served(scene, call, "bob")
    scene.now_ms += 1000
    assert rung(caller(scene, "c2")) == ["cai"] and rung(caller(scene, "c3")) == ["ann"]


def test_top_down_always_starts_at_the_first_position() -> None:
    first, second = Membership(position=1), Membership(position=2)
    scene = office(able("ann", second), able("bob", first), strategy=Strategy.TOP_DOWN)
    scene.ready("ann", "bob")
    for n in range(3):
        call = caller(scene, f"c{n}")
        assert rung(call) == ["bob"]
        served(scene, call, "bob", seconds=1)


def test_the_best_skill_counts_all_that_is_asked() -> None:
    scene = office(
        able("ann", zh=5, net=1), able("bob", zh=3, net=4), able("cai", zh=5, net=5),
        strategy=Strategy.BEST_SKILL, needs=(need("zh", 2), need("net", 2, required=False)),
    )  # fmt: skip
    scene.ready("ann", "bob")
    assert rung(caller(scene, "c1")) == ["bob"]
    scene.ready("cai")
    assert rung(caller(scene, "c2")) == ["cai"]


def test_a_preferred_skill_ranks_and_does_not_exclude() -> None:
    scene = office(able("ann"), able("bob", net=2), able("cai", net=4), needs=(need("net", 3, required=False),))
    scene.ready("ann", "bob", "cai")
    assert [rung(caller(scene, f"c{n}")) for n in range(3)] == [["cai"], ["bob"], ["ann"]]


def test_a_level_that_is_too_low_does_not_serve() -> None:
    scene = office(able("ann", net=2), able("bob", net=3), needs=(need("net", 3),))
    scene.ready("ann")
    call = caller(scene, "c1")
    assert rung(call) == []
    scene.ready("bob")
    assert rung(call) == ["bob"]


def test_a_shift_begins_with_a_sign_in_after_a_long_absence() -> None:
    scene = office(able("ann"))
    scene.ready("ann")
    served(scene, caller(scene, "c1"), "ann", seconds=30)
    agent = scene.state.agents["ann"]
    scene.ask(e.AgentSignedOut, "ann")
    scene.now_ms += SHIFT_GAP_MS - 1
    scene.ask(e.AgentSignedIn, "ann")
    assert (agent.served, agent.talked_ms) == (1, 30_000), "lunch is no new shift"
    scene.ask(e.AgentSignedOut, "ann")
    scene.now_ms += SHIFT_GAP_MS
    scene.ask(e.AgentSignedIn, "ann")
    assert (agent.served, agent.talked_ms) == (0, 0)
    assert scene.folded().to_data() == scene.state.to_data()
