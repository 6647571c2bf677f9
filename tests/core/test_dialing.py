"""An agent calls a number: device first, then the number, then a talk like any other; and all that goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, TENANT, Scene, agent, center_config

NUMBER = "13912345678"


def dialed(scene: Scene, name: str = "bob", number: str = NUMBER, **more: Any) -> Call:
    scene.ask(e.DialRequested, name, number=number, **more)
    assert scene.just(f.RequestDone), scene.new
    return scene.state.calls[scene.last(f.DialStarted).call]


def device_answers(scene: Scene, call: Call) -> None:
    assert call.dial is not None
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.dial.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=call.dial.leg))


def number_answers(scene: Scene, call: Call) -> LegId:
    assert call.dial is not None
    agent_leg = call.dial.leg
    scene.feed(e.LegRinging(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=call.leg))
    assert scene.just(c.BridgeLegs)[0].leg == agent_leg and scene.just(c.BridgeLegs)[0].other == call.leg
    scene.feed(e.LegsBridged(switch=SWITCH, leg=call.leg, other=agent_leg))
    return agent_leg


def test_device_then_number_then_talk_then_wrap_up_and_back_to_the_pause() -> None:
    scene = Scene()
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.AgentPaused, "bob", reason="desk")
    call = dialed(scene, customer="77", attached={"order": "A1"})
    device = scene.just(c.OriginateLeg)[0]
    assert device.role is e.LegRole.AGENT and device.auto_answer and device.idle_timeout_ms > 45_000
    assert scene.agent_state("bob") == "DIALING" and call.state == "dialing"
    assert (call.customer, call.attached, call.direction, call.caller_number) == (
        "77", {"order": "A1"}, f.Direction.OUTBOUND, NUMBER,
    )  # fmt: skip
    device_answers(scene, call)
    number = scene.just(c.OriginateLeg)[0]
    assert number.leg == call.leg and number.role is e.LegRole.CUSTOMER and number.destination.gateway == "pstn"
    assert scene.just(c.StartMusic)[0].music == c.RINGING_TONE
    leg = number_answers(scene, call)
    assert scene.agent_state("bob") == "TALKING" and scene.last(f.RecordingAsked).leg == call.leg
    scene.ask(e.HoldRequested, "bob", call=call.id)
    assert scene.just(c.HoldLeg)[0].leg == leg, "a talk like any other"
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP" and scene.state.agents["bob"].next_state == "PAUSED"
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.agent_state("bob") == "PAUSED" and scene.state.agents["bob"].reason == "desk"
    scene.arrive(call.leg, call=call.id)  # the customer's leg comes back, and the call is over
    scene.feed(
        e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=scene.last(f.RecordingAsked).recording, duration_ms=9)
    )
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SERVED
    assert scene.folded() == scene.state


def test_a_ready_agent_is_not_offered_meanwhile_and_ready_afterwards() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    waiting = scene.to_queue("cust1")
    assert waiting.offer is None
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    assert waiting.offer is not None and waiting.offer.agent == "bob"
    assert scene.state.agents["bob"].last_dial is not None


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (e.HangupCause.BUSY, f.DialOutcome.BUSY),
        (e.HangupCause.NO_ANSWER, f.DialOutcome.NO_ANSWER),
        (e.HangupCause.REJECTED, f.DialOutcome.REJECTED),
        (e.HangupCause.UNALLOCATED, f.DialOutcome.UNALLOCATED),
        (e.HangupCause.ERROR, f.DialOutcome.FAILED),
    ],
)
def test_a_number_not_reached_tells_why_and_the_agent_is_where_they_were(
    cause: e.HangupCause, outcome: f.DialOutcome
) -> None:
    scene = Scene()
    scene.ready("bob")
    since_ms = scene.state.agents["bob"].idle_since_ms
    call = dialed(scene)
    device_answers(scene, call)
    agent_leg = scene.last(f.DialStarted).leg
    scene.hang_up(call.leg, cause)
    assert scene.agent_state("bob") == "READY" and scene.state.agents["bob"].idle_since_ms == since_ms
    last = scene.state.agents["bob"].last_dial
    assert last is not None and (last.outcome, last.cause, last.number) == (outcome, cause, NUMBER)
    assert scene.just(c.HangUpLeg)[0].leg == agent_leg
    scene.hang_up(agent_leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.NOT_REACHED


def test_the_device_does_not_answer() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    scene.hang_up(scene.last(f.DialStarted).leg, e.HangupCause.NO_ANSWER)
    assert scene.last(f.DialEnded).outcome is f.DialOutcome.DEVICE and scene.agent_state("bob") == "READY"
    assert call.id not in scene.state.calls and scene.last(f.CallEnded).outcome is f.CallOutcome.NOT_REACHED


@pytest.mark.parametrize("answered", [False, True])
def test_the_agent_thinks_better_of_it(answered: bool) -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    leg = scene.last(f.DialStarted).leg
    if answered:
        device_answers(scene, call)
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    cancelled = {command.leg for command in scene.just(c.HangUpLeg)}
    assert cancelled == ({leg, call.leg} if answered else {leg})
    assert scene.last(f.DialEnded).outcome is f.DialOutcome.CANCELLED
    for one in cancelled:
        scene.hang_up(one, e.HangupCause.CANCELLED)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.CANCELLED and not scene.state.legs


def test_the_agent_hangs_up_while_it_rings() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    leg = scene.last(f.DialStarted).leg
    device_answers(scene, call)
    scene.hang_up(leg)
    assert scene.last(f.DialEnded).outcome is f.DialOutcome.CANCELLED and scene.just(c.HangUpLeg)[0].leg == call.leg


def test_nobody_reports_anything() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    device_answers(scene, call)
    scene.wait(51)
    assert scene.last(f.DialEnded).outcome is f.DialOutcome.NO_ANSWER and scene.agent_state("bob") == "READY"


def test_the_agents_leg_dies_in_the_gap_and_the_customer_is_told() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    leg = scene.last(f.DialStarted).leg
    device_answers(scene, call)
    scene.feed(e.LegParked(switch=SWITCH, leg=call.leg))
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "READY" and scene.last(f.DialEnded).outcome is f.DialOutcome.FAILED
    assert scene.just(c.ReclaimLeg)
    scene.arrive(call.leg, call=call.id)
    assert scene.just(c.PlayPrompts)[0].sounds == ("sorry.wav",)


def test_a_lost_answer_is_found_in_the_snapshot() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    device_answers(scene, call)
    assert call.dial is not None
    legs = (
        e.SnapshotLeg(leg=call.dial.leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True),
        e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER),
    )
    scene.wait(6)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=legs))
    assert call.state == "dialing" and not scene.just(c.HangUpLeg) and not scene.just(c.ReclaimLeg)
    answered = e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER, answered=True)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(legs[0], answered)))
    assert call.state == "connecting"


def test_the_state_to_come_back_to_may_be_changed_meanwhile() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene)
    scene.ask(e.AgentPaused, "bob", reason="lunch")
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    assert scene.agent_state("bob") == "PAUSED" and scene.state.agents["bob"].reason == "lunch"


def refusal(scene: Scene, name: str = "bob", number: str = NUMBER, **more: Any) -> str:
    scene.ask(e.DialRequested, name, number=number, **more)
    refused = scene.just(f.RequestRefused)
    assert not scene.just(c.Command) and not scene.just(f.CallStarted)
    return refused[0].code


def test_refusals_have_codes() -> None:
    scene = Scene()
    assert refusal(scene) == "wrong_state"
    scene.ready("bob")
    assert refusal(scene, number="1380;hupall") == "bad_number"
    assert refusal(scene, number="+447911123456") == "barred"
    assert refusal(scene, number="00447911123456") == "barred"
    assert refusal(scene, caller_number="13800000000") == "bad_caller_id"
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))
    assert refusal(scene) == "not_registered"
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    call = scene.to_queue()
    scene.answer_offer(call)
    assert refusal(scene) == "wrong_state"


def test_a_number_of_ones_own_may_be_shown() -> None:
    scene = Scene()
    scene.ready("bob")
    call = dialed(scene, caller_number="4001")
    device_answers(scene, call)
    assert scene.just(c.OriginateLeg)[0].caller_number == "4001" == call.did


def test_a_trunk_has_only_so_many_lines() -> None:
    trunk = cfg.TrunkConfig(id="t1", tenant=TENANT, switch=SWITCH, name="PSTN", gateway="pstn", max_calls=1)
    scene = Scene(center_config(trunks={"t1": trunk}))
    scene.ready("bob", "ann")
    call = dialed(scene)
    device_answers(scene, call)
    assert refusal(scene, "ann") == "trunks_busy"
    scene.hang_up(call.leg, e.HangupCause.BUSY)
    assert dialed(scene, "ann")


def test_who_came_in_by_the_trunk_uses_a_line_too() -> None:
    trunk = cfg.TrunkConfig(id="t1", tenant=TENANT, switch=SWITCH, name="PSTN", gateway="pstn", max_calls=1)
    scene = Scene(center_config(trunks={"t1": trunk}))
    scene.ready("bob")
    scene.feed(e.CallArrived(switch=SWITCH, leg=LegId("in1"), did="4001", caller_number="1", trunk="pstn"))
    assert refusal(scene) == "trunks_busy"


def test_no_trunk_at_all() -> None:
    scene = Scene(center_config(trunks={}))
    scene.ready("bob")
    assert refusal(scene) == "no_trunk"


def test_a_phone_seat_is_rung_by_its_number_and_picks_up_by_hand() -> None:
    bob = agent("bob", "sales")
    seat = cfg.AgentConfig(
        id="bob", tenant=TENANT, name="Bob", queues=bob.queues,
        device=cfg.DeviceConfig(kind=cfg.DeviceKind.PSTN, switch=SWITCH, address="13700000000", trunk="t1"),
    )  # fmt: skip
    scene = Scene(center_config(agents={"bob": seat}))
    scene.ready("bob")
    dialed(scene)
    device = scene.just(c.OriginateLeg)[0]
    assert device.destination.gateway == "pstn" and device.destination.address == "13700000000"
    assert not device.auto_answer


def test_a_repeated_command_dials_once() -> None:
    scene = Scene()
    scene.ready("bob")
    dialed(scene, cmd_id="same")
    scene.ask(e.DialRequested, "bob", number=NUMBER, cmd_id="same")
    assert scene.just(f.RequestDone) and not scene.just(c.OriginateLeg) and len(scene.all(f.DialStarted)) == 1
