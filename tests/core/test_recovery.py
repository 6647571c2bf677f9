"""The engine dies and comes back with its journal; the switch went on meanwhile."""

from __future__ import annotations

import json

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.codec import decode, encode
from apps.core.engine import Engine
from apps.core.ids import LegId
from apps.core.state import State
from tests.core.scene import SWITCH, Scene


def restarted(scene: Scene, *legs: e.SnapshotLeg, away_s: float = 1.5) -> Scene:
    """The journal is read back as bytes, as the host does, and the switch tells what it has."""
    lines = [json.dumps(encode(fact)) for fact in scene.facts]
    state = State()
    state.fold(decode(json.loads(line)) for line in lines)
    scene.engine = Engine(state)
    scene.now_ms += int(away_s * 1000)
    scene.feed(e.EngineRestarted(run="r2"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    assert scene.just(c.RequestSnapshot)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=legs))
    return scene


def customer(call: str, leg: str = "cust1", **more: object) -> e.SnapshotLeg:
    return e.SnapshotLeg(leg=LegId(leg), call=call, role=e.LegRole.CUSTOMER, answered=True, **more)  # type: ignore[arg-type]


def test_in_the_menu_the_prompt_starts_again() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.press(call, "2")
    restarted(scene, customer(call.id))
    assert scene.just(c.ReclaimLeg)[0].leg == "cust1"
    back = scene.arrive(call=call.id)
    assert back.id == call.id and scene.last(c.PlayPrompts).sounds == ("main.en.wav",)
    assert back.ivr and back.ivr.position and back.ivr.position.attempts == 0
    assert len(scene.all(f.CallStarted)) == 1


def test_waiting_keeps_the_place() -> None:
    scene = Scene()
    call = scene.to_queue()
    queued_ms = call.wait.queued_ms if call.wait else 0
    restarted(scene, customer(call.id))
    back = scene.arrive(call=call.id)
    assert back.wait and back.wait.queued_ms == queued_ms and scene.just(c.StartMusic)
    scene.ready("bob")
    assert back.offer is not None


def test_ringing_goes_on_ringing() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else LegId("")
    ring = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob")
    restarted(scene, customer(call.id), ring)
    back = scene.arrive(call=call.id)
    assert back.offer and back.offer.leg == leg and len(scene.all(f.AgentOffered)) == 1
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=back.leg))
    assert scene.agent_state("bob") == "TALKING"


def test_answered_while_we_were_away_is_bridged() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else LegId("")
    up = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True)
    restarted(scene, customer(call.id), up)
    assert scene.just(c.BridgeLegs)[0].leg == leg and not scene.just(c.ReclaimLeg)


def test_in_the_bridge_gap_the_bridge_is_asked_for_again() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else LegId("")
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    up = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True)
    restarted(scene, customer(call.id), up)
    assert scene.just(c.BridgeLegs) and not scene.just(c.ReclaimLeg)


def test_bridged_while_we_were_away_is_a_talk() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else LegId("")
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    up = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=call.leg)
    restarted(scene, customer(call.id, bridged_to=leg), up)
    assert scene.agent_state("bob") == "TALKING" and not scene.just(c.ReclaimLeg)


def test_talkers_are_left_alone() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    up = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=call.leg)
    restarted(scene, customer(call.id, bridged_to=leg), up)
    assert not [item for item in scene.new if isinstance(item, c.Command)]
    assert scene.agent_state("bob") == "TALKING"


def test_talk_that_ended_while_we_were_away() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    restarted(scene, customer(call.id))
    assert scene.agent_state("bob") == "WRAP_UP"
    assert {item.leg for item in scene.just(c.HangUpLeg)} == {call.leg}


def test_everybody_gone_while_we_were_away() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    restarted(scene)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.wait(6)
    assert scene.last(f.CallEnded).call == call.id and not scene.state.calls


def test_switch_restarted_frees_the_agents() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    scene.talk("cust1")
    scene.to_queue("cust2")
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b2"))
    assert scene.agent_state("bob") == "WRAP_UP" and scene.agent_state("ann") == "READY"
    scene.wait(10)
    assert not scene.state.calls and len(scene.all(f.CallEnded)) == 2


def test_leftover_legs_of_ours_are_hung_up() -> None:
    scene = Scene()
    stray = e.SnapshotLeg(leg=LegId("r0-l9"), call="r0-c1", role=e.LegRole.AGENT, agent="bob", answered=True)
    lost = customer("r0-c1", "cust9")
    restarted(scene, stray, lost)
    assert [item.leg for item in scene.just(c.HangUpLeg)] == ["r0-l9"]
    assert [item.leg for item in scene.just(c.ReclaimLeg)] == ["cust9"]


def test_nothing_is_offered_while_the_link_is_down() -> None:
    scene = Scene()
    call = scene.to_queue()
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.ready("bob")
    assert call.offer is None
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    assert call.offer is not None


def test_state_survives_being_written_down() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    scene.talk("cust1")
    scene.to_queue("cust2", "22")
    data = json.loads(json.dumps(scene.state.to_data()))
    assert State.from_data(data) == scene.state == scene.folded()
