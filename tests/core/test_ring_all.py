"""Several telephones ring for one caller: who answers first has the call, and no two agents ever do."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.config import Membership, Strategy
from apps.core.ids import LegId
from apps.core.queues.strategies import MOST_AT_ONCE
from tests.core.routing import able, answered, caller, ends_of_offers, office, rung
from tests.core.scene import SWITCH, Scene


def all_ring(*names: str, **queue: object) -> Scene:
    scene = office(*(able(name) for name in names), strategy=Strategy.RING_ALL, **queue)
    scene.ready(*names)
    return scene


def pick_up(scene: Scene, leg: str) -> None:
    scene.feed(e.LegAnswered(switch=SWITCH, leg=LegId(leg)))  # type: ignore[arg-type]


def park(scene: Scene, leg: str) -> None:
    scene.feed(e.LegParked(switch=SWITCH, leg=LegId(leg)))  # type: ignore[arg-type]


def test_all_ring_and_who_answers_has_the_call() -> None:
    scene = all_ring("ann", "bob", "cai")
    idle = {name: agent.idle_since_ms for name, agent in scene.state.agents.items()}
    call = caller(scene, "c1")
    assert rung(call) == ["ann", "bob", "cai"]
    scene.wait(3)
    answered(scene, call, "bob")
    assert call.bridge and call.bridge.agent == "bob" and call.state == "talking"
    assert ends_of_offers(scene, call) == {
        "ann": "answered_elsewhere", "bob": "answered", "cai": "answered_elsewhere",
    }  # fmt: skip
    cancelled = [one for one in scene.all(c.HangUpLeg) if one.cause is e.HangupCause.ANSWERED_ELSEWHERE]
    assert len(cancelled) == 2
    for name in ("ann", "cai"):
        assert scene.agent_state(name) == "READY" and scene.state.agents[name].idle_since_ms == idle[name]  # type: ignore[index]
    assert scene.folded().to_data() == scene.state.to_data()


def test_two_answers_at_once() -> None:
    """Both telephones are picked up before either is let off: the second is hung up and its agent free again."""
    scene = all_ring("ann", "bob")
    call = caller(scene, "c1")
    ann, bob = (offer.leg for offer in call.offers.values())
    for leg in (ann, bob):
        scene.feed(e.LegRinging(switch=SWITCH, leg=leg))  # type: ignore[arg-type]
    pick_up(scene, ann)
    assert rung(call) == ["ann"] and scene.agent_state("bob") == "READY"
    pick_up(scene, bob)
    park(scene, bob)
    assert scene.just(c.BridgeLegs) == [] and [one.leg for one in scene.just(c.HangUpLeg)] == [bob]
    park(scene, ann)
    assert scene.last(c.BridgeLegs).leg == ann
    scene.feed(e.LegsBridged(switch=SWITCH, leg=ann, other=call.leg))  # type: ignore[arg-type]
    scene.hang_up(bob)
    assert call.bridge and call.bridge.agent == "ann" and scene.agent_state("bob") == "READY"
    assert len(scene.all(f.CallBridged)) == 1 and not scene.all(f.Anomaly)


def test_who_is_let_off_serves_the_next_caller() -> None:
    scene = all_ring("ann", "bob")
    first = caller(scene, "c1")
    scene.now_ms += 1
    second = caller(scene, "c2")
    assert rung(second) == []
    answered(scene, first, "bob")
    assert rung(second) == ["ann"]


def test_a_newly_ready_agent_rings_as_well_and_only_for_the_first_caller() -> None:
    scene = office(able("ann"), able("bob"), strategy=Strategy.RING_ALL)
    scene.ready("ann")
    first = caller(scene, "c1")
    scene.now_ms += 1
    second = caller(scene, "c2")
    scene.ready("bob")
    assert rung(first) == ["ann", "bob"] and rung(second) == []


def test_one_who_declines_leaves_the_others_ringing() -> None:
    scene = all_ring("ann", "bob")
    call = caller(scene, "c1")
    scene.ask(e.DeclineRequested, "ann", call=call.id)
    assert rung(call) == ["bob"] and scene.agent_state("ann") == "PAUSED"
    scene.hang_up(next(iter(call.offers)), e.HangupCause.NO_ANSWER)
    assert rung(call) == [] and scene.agent_state("bob") == "NOT_RESPONDING" and call.state == "waiting"


def test_offers_to_others_do_not_make_an_answer_stale() -> None:
    scene = all_ring("ann", "bob", "cai")
    call = caller(scene, "c1")
    seen = call.version
    scene.ask(e.DeclineRequested, "cai", call=call.id)
    assert call.version > seen
    scene.ask(e.AnswerRequested, "ann", call=call.id, version=seen)
    assert not scene.just(f.RequestRefused) and len(scene.just(c.AnswerDevice)) == 1
    scene.ask(e.AnswerRequested, "cai", call=call.id, version=seen)
    assert scene.last(f.RequestRefused).code == "not_found"


def test_a_late_answer_is_told_why_not() -> None:
    scene = all_ring("ann", "bob")
    call = caller(scene, "c1")
    seen = call.version
    answered(scene, call, "bob")
    scene.ask(e.AnswerRequested, "ann", call=call.id, version=seen)
    assert scene.last(f.RequestRefused).code == "not_found" and scene.agent_state("ann") == "READY"


def test_a_caller_who_hangs_up_lets_all_off() -> None:
    scene = all_ring("ann", "bob", "cai")
    call = caller(scene, "c1")
    scene.hang_up(call.leg)
    assert {scene.agent_state(name) for name in ("ann", "bob", "cai")} == {"READY"}
    assert set(ends_of_offers(scene, call).values()) == {"caller_left"}


def test_each_telephone_has_its_own_time() -> None:
    scene = office(able("ann"), able("bob"), strategy=Strategy.RING_ALL, ring_timeout_ms=10_000)
    scene.ready("ann")
    call = caller(scene, "c1")
    scene.feed(e.LegRinging(switch=SWITCH, leg=next(iter(call.offers))))  # type: ignore[arg-type]
    scene.wait(8)
    scene.ready("bob")
    scene.wait(4)
    assert rung(call) == ["bob"] and scene.agent_state("ann") == "NOT_RESPONDING"


def test_a_bridge_that_fails_rings_all_again() -> None:
    scene = all_ring("ann", "bob")
    call = caller(scene, "c1")
    leg = next(iter(call.offers))
    pick_up(scene, leg)
    park(scene, leg)
    scene.feed(e.BridgeFailed(switch=SWITCH, leg=leg, other=call.leg, reason="no"))  # type: ignore[arg-type]
    scene.arrive(call.leg)
    assert sorted(rung(call)) == ["ann", "bob"]


def test_no_more_ring_than_make_sense() -> None:
    names = [f"a{n}" for n in range(MOST_AT_ONCE + 5)]
    scene = all_ring(*names)
    assert len(rung(caller(scene, "c1"))) == MOST_AT_ONCE


def test_progressively_one_more_after_each_step() -> None:
    seats = [able(name, Membership(position=n)) for n, name in enumerate(("ann", "bob", "cai"))]
    scene = office(*seats, strategy=Strategy.RING_PROGRESSIVELY, ring_step_ms=4_000)
    scene.ready("cai", "bob", "ann")
    call = caller(scene, "c1")
    assert rung(call) == ["ann"]
    scene.wait(3.9)
    assert rung(call) == ["ann"]
    scene.wait(0.1)
    assert rung(call) == ["ann", "bob"]
    scene.wait(4)
    assert rung(call) == ["ann", "bob", "cai"]
    answered(scene, call, "cai")
    assert scene.agent_state("ann") == scene.agent_state("bob") == "READY"


def test_progressively_the_next_rings_at_once_when_nobody_does() -> None:
    scene = office(able("ann"), able("bob"), strategy=Strategy.RING_PROGRESSIVELY, ring_step_ms=60_000)
    scene.ready("ann", "bob")
    call = caller(scene, "c1")
    scene.ask(e.DeclineRequested, "ann", call=call.id)
    assert rung(call) == ["bob"]
