"""Callers whom nobody of the configuration could ever serve do not wait: an alarm, and the queue's fallback."""

from __future__ import annotations

from dataclasses import replace

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.config import AgentConfig, Overflow, OverflowKind, QueueConfig, Ring
from tests.core.routing import able, caller, need, office, rung
from tests.core.scene import Scene, center_config

SORRY = Overflow(sounds=("sorry.wav",))


def cannot_match(scene: Scene) -> list[str]:
    return [alarm.subject for alarm in scene.state.alarms.values() if alarm.kind == "cannot_match"]


def changed(scene: Scene, *agents: AgentConfig) -> None:
    config = scene.state.config
    scene.feed(
        e.ConfigChanged(config=replace(config, version=config.version + 1, agents={one.id: one for one in agents}))
    )


def test_a_skill_that_nobody_has() -> None:
    scene = office(able("ann", net=2), needs=(need("net", 3),), overflow=SORRY)
    scene.ready("ann")
    call = caller(scene, "c1")
    assert (
        call.state == "closing" and call.outcome == "overflowed" and scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    )
    assert cannot_match(scene) == ["sales"] and "net at level 3" in scene.last(f.AlarmRaised).detail
    assert scene.last(f.CallOverflowed).reason == "cannot_match"
    caller(scene, "c2")
    assert len(scene.all(f.AlarmRaised)) == 1, "one alarm, however many call"


def test_who_can_be_served_after_a_ring_waits_for_it() -> None:
    scene = office(able("ann", net=2), needs=(need("net", 3),), rings=(Ring(after_ms=9_000, lower={"net": 2}),))  # type: ignore[dict-item]
    scene.ready("ann")
    call = caller(scene, "c1")
    assert call.state == "waiting" and not cannot_match(scene)
    scene.wait(9)
    assert rung(call) == ["ann"]


def test_nobody_at_work_is_another_matter() -> None:
    scene = office(able("ann"))
    assert caller(scene, "c1").state == "waiting" and not cannot_match(scene)


def test_it_comes_true_while_callers_wait_and_is_mended() -> None:
    scene = office(able("ann", net=3), needs=(need("net", 3),), overflow=SORRY)
    waiting = [caller(scene, f"c{n}") for n in range(3)]
    assert {call.state for call in waiting} == {"waiting"}
    changed(scene, able("ann", net=1))
    assert {call.state for call in waiting} == {"closing"} and cannot_match(scene) == ["sales"]
    changed(scene, able("ann", net=3))
    assert not cannot_match(scene) and caller(scene, "c9").state == "waiting"


def test_the_last_member_is_taken_out_of_a_queue() -> None:
    scene = office(able("ann"), overflow=SORRY)
    call = caller(scene, "c1")
    changed(scene, replace(able("ann"), queues={}))
    assert call.state == "closing" and cannot_match(scene) == ["sales"]


def test_a_talk_and_an_offer_go_on() -> None:
    scene = office(able("ann"), able("bob"), overflow=SORRY)
    scene.ready("ann", "bob")
    talks, rings = caller(scene, "c1"), caller(scene, "c2")
    scene.answer_offer(talks)
    nowhere = {one.id: replace(one, queues={}) for one in (able("ann"), able("bob"))}
    changed(scene, *nowhere.values())
    assert talks.state == "talking" and rung(rings) == ["bob"]


def circle() -> tuple[Scene, Call]:
    """Two queues, each without anybody, that overflow into each other: what saving would refuse."""
    other = QueueConfig(
        id="other", tenant="1", name="Other", overflow=Overflow(kind=OverflowKind.QUEUE, target="sales")
    )  # type: ignore[arg-type]
    scene = office(more={"other": other}, overflow=Overflow(kind=OverflowKind.QUEUE, target="other"))
    return scene, caller(scene, "c1")


def test_nobody_goes_round_in_circles() -> None:
    scene, call = circle()
    assert call.state == "closing" and sorted(cannot_match(scene)) == ["other", "sales"]
    assert scene.last(c.PlayPrompts).sounds == ("sorry.wav",), "the tenant's apology"


def test_a_flow_that_says_what_to_do_on_an_error_is_asked_once() -> None:
    """Its error way leads to the same queue: then the last resort."""
    scene = office(overflow=SORRY)
    config = scene.state.config
    flow = config.flows["hot"]  # type: ignore[index]
    nodes = {**flow.document["nodes"], "sales": {"type": "enqueue", "queue": "sales", "on": {"error": "sales"}}}
    flows = {"hot": replace(flow, version="v2", document={**flow.document, "nodes": nodes})}
    scene.feed(e.ConfigChanged(config=replace(config, version=2, flows=flows)))  # type: ignore[arg-type]
    assert caller(scene, "c1").state == "closing"


def test_a_transfer_to_an_agent_who_is_gone_goes_to_the_head_of_the_queue() -> None:
    agents = center_config().agents
    scene = Scene()
    scene.ready("ann", "bob")
    call, _leg = scene.talk()
    scene.ask(
        e.TransferRequested, "ann", call=call.id, version=call.version, kind=e.TransferKind.AGENT, target="cai", note=""
    )
    assert call.transfer is not None
    scene.hang_up(call.bridge.leg if call.bridge else "")
    scene.ask(e.AgentPaused, "bob", reason="")
    changed(scene, *(agent for name, agent in agents.items() if name != "cai"))
    scene.arrive(call.leg)
    assert call.wait and call.wait.queue == "sales" and call.wait.wanted_agent is None and call.wait.priority == 9
