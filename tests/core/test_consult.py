"""Attended transfer: ask, swap, complete, cancel; and that nobody is lost whatever fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.codec import to_plain
from apps.core.config import DeviceConfig, DeviceKind
from apps.core.state import State
from tests.core.consults import Asked, heard
from tests.core.scene import SWITCH, TENANT, Scene, agent, center_config


def asked(kind: str = "agent", target: str = "cai", **fields: object) -> Asked:
    return Asked(Scene(), kind, target, **fields)


# --- the four targets ----------------------------------------------------------------------------------------------


def test_an_agent_is_asked_while_the_customer_hears_music() -> None:
    at = asked()
    scene, call = at.scene, at.call
    assert scene.just(c.PartLegs)[0].leg == at.bobs and scene.agent_state("bob") == "CONSULTING"
    assert scene.agent_state("cai") == "OFFERED" and call.offer and call.handover and call.handover.note == "angry"
    at.both_parted()
    assert heard(scene, call.leg) == "default" and heard(scene, at.bobs) == c.RINGING_TONE
    at.answer()
    assert scene.just(c.BridgeLegs) == [
        c.BridgeLegs(switch=SWITCH, leg=at.bobs, other=at.far, keep=True, idle_timeout_ms=900_000)
    ]
    at.bridge()
    assert scene.agent_state("cai") == "TALKING" and call.state == "consulting" and call.last_queue == "sales"
    assert scene.folded() == scene.state and State.from_data(scene.state.to_data()) == scene.state


def test_completed_the_customer_talks_with_the_consulted_and_the_asker_wraps_up() -> None:
    at = asked().talk()
    scene, cai = at.scene, at.far
    at.ask(e.ConsultCompleteRequested)
    assert scene.just(c.BridgeLegs)[0].leg == cai and scene.just(c.BridgeLegs)[0].other == at.call.leg
    at.bridge()
    assert scene.last(c.HangUpLeg).leg == at.bobs
    assert (scene.agent_state("bob"), scene.agent_state("cai")) == ("WRAP_UP", "TALKING")
    assert at.call.bridge and at.call.bridge.agent == "cai" and at.call.state == "talking"
    assert len(scene.all(f.CallStarted)) == 1 and scene.last(f.ConsultEnded).end is f.ConsultEnd.COMPLETED
    assert len(scene.all(f.RecordingAsked)) == 1, "the recording goes on"
    scene.hang_up(at.bobs)
    scene.hang_up(cai)
    assert scene.agent_state("cai") == "WRAP_UP", "the customer was theirs now"


def test_cancelled_the_customer_is_back_and_the_consulted_is_free_without_wrap_up() -> None:
    at = asked().talk()
    scene, cai = at.scene, at.far
    at.ask(e.ConsultCancelRequested)
    at.bridge()
    assert scene.agent_state("bob") == "TALKING" and at.call.bridge and at.call.bridge.leg == at.bobs
    scene.hang_up(cai)
    assert scene.agent_state("cai") == "READY" and not scene.all(f.CallDisposed)


def test_a_queue_is_waited_for_with_its_music_and_its_own_priority() -> None:
    scene = Scene()
    at = Asked(scene, "queue", "tech")
    assert at.call.wait and at.call.wait.priority == scene.state.config.queues["tech"].priority
    assert at.call.offer and at.call.offer.agent == "cai" and at.call.last_queue == "sales"
    at.both_parted()
    assert heard(scene, at.bobs) == "default"
    scene.hang_up(at.far, e.HangupCause.NO_ANSWER)
    assert at.call.wait and at.call.offer is None, "goes on waiting"
    scene.wait(60)
    assert scene.last(f.CallDequeued).consult and at.call.wait is None, "as long as the queue allows"
    at.bridge()
    assert scene.last(f.ConsultEnded).end is f.ConsultEnd.NOT_REACHED and scene.agent_state("bob") == "TALKING"


def test_a_number_and_an_extension_are_rung() -> None:
    for kind, target, address in (("number", "13900139000", "13900139000"), ("extension", "10ann", "10ann")):
        at = asked(kind, target)
        rung = at.scene.last(c.OriginateLeg)
        assert rung.role is e.LegRole.EXTERNAL and rung.destination.address == address
        at.talk()
        assert at.consult.joined == (at.bobs, at.far)


def test_the_extension_of_somebody_ready_is_offered_the_call() -> None:
    scene = Scene()
    scene.ready("bob", "ann", "cai")
    call, _leg = scene.talk()
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind.EXTENSION, target="10cai")
    assert scene.agent_state("cai") == "OFFERED"


def test_a_blind_transfer_to_an_extension() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.EXTENSION, target="10ann")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    assert scene.last(c.OriginateLeg).destination.kind is c.DestinationKind.DEVICE and call.state == "dialing"


# --- swap ----------------------------------------------------------------------------------------------------------


def test_swapping_leaves_the_other_with_music() -> None:
    at = asked().talk()
    scene = at.scene
    at.swap()
    assert at.consult.joined == (at.bobs, at.call.leg) and heard(scene, at.far) == "default"
    at.ask(e.ConsultSwapRequested)
    at.bridge()
    at.customer_comes()
    assert at.consult.joined == (at.bobs, at.far) and heard(scene, at.call.leg) == "default"
    assert scene.agent_state("bob") == "CONSULTING" and scene.agent_state("cai") == "TALKING"


def test_pressed_again_while_the_swap_settles_each_is_done_in_its_turn() -> None:
    at = asked().talk()
    scene = at.scene
    at.ask(e.ConsultSwapRequested)
    at.ask(e.ConsultSwapRequested)
    at.bridge()
    scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    assert (scene.last(c.BridgeLegs).leg, scene.last(c.BridgeLegs).other) == (at.bobs, at.far)
    at.bridge()
    assert at.consult.joined == (at.bobs, at.far)
    at.customer_comes()
    at.ask(e.ConsultSwapRequested)
    at.ask(e.ConsultCompleteRequested)
    at.bridge()
    scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge and at.call.bridge.agent == "cai"


def test_completed_as_soon_as_the_consulted_answers() -> None:
    at = asked()
    at.both_parted()
    at.answer()
    at.ask(e.ConsultCompleteRequested)
    at.bridge()
    assert (at.scene.last(c.BridgeLegs).leg, at.scene.last(c.BridgeLegs).other) == (at.far, at.call.leg)
    at.bridge()
    assert at.scene.agent_state("cai") == "TALKING" and at.scene.agent_state("bob") == "WRAP_UP"


def test_completed_while_with_the_customer() -> None:
    at = asked().talk()
    at.swap()
    at.ask(e.ConsultCompleteRequested)
    at.bridge()
    assert at.call.bridge and at.call.bridge.agent == "cai" and at.scene.agent_state("bob") == "WRAP_UP"


def test_when_the_consulted_leaves_while_the_agent_is_with_the_customer_they_talk_on() -> None:
    at = asked().talk()
    at.swap()
    bridges = len(at.scene.all(c.BridgeLegs))
    at.scene.hang_up(at.far)
    assert at.call.state == "talking" and len(at.scene.all(c.BridgeLegs)) == bridges
    assert at.scene.last(f.ConsultEnded).end is f.ConsultEnd.OTHER_LEFT and at.scene.agent_state("cai") == "READY"


def test_tones_mute_and_hold_state_follow_the_one_who_is_heard() -> None:
    at = asked("number", "10086").talk()
    scene = at.scene
    at.ask(e.DigitsRequested, digits="1#")
    assert scene.just(c.SendDigits)[0].leg == at.far
    at.ask(e.MuteRequested)
    scene.feed(e.LegMuted(switch=SWITCH, leg=at.bobs))
    at.ask(e.ConsultSwapRequested)
    at.bridge()
    assert scene.just(c.MuteLeg), "bridged anew, the switch has forgotten it"
    at.ask(e.DigitsRequested, digits="2")
    assert scene.just(c.SendDigits)[0].leg == at.call.leg


def test_from_hold() -> None:
    scene = Scene()
    scene.ready("bob", "cai")
    call, leg = scene.talk()
    scene.feed(e.LegHeld(switch=SWITCH, leg=leg))
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind.AGENT, target="cai")
    assert [type(one) for one in scene.just(c.Command)][:2] == [c.UnholdLeg, c.PartLegs]
    assert scene.just(f.CallResumed) and scene.agent_state("bob") == "CONSULTING"


# --- refused, and nothing changed ----------------------------------------------------------------------------------


def refused(at: Asked, request: type[e.CallRequest], code: str, by: str = "bob", **fields: object) -> None:
    before = to_plain(at.scene.state.calls), to_plain(at.scene.state.agents)
    at.ask(request, by, **fields)
    assert at.scene.just(f.RequestRefused)[0].code == code and not at.scene.just(c.Command)
    assert (to_plain(at.scene.state.calls), to_plain(at.scene.state.agents)) == before


def test_what_does_not_fit_is_refused() -> None:
    at = asked()
    for request in (e.ConsultSwapRequested, e.ConsultCompleteRequested, e.ThreeWayRequested):
        refused(at, request, "wrong_state")  # nobody has answered
    refused(at, e.ConsultRequested, "wrong_state", kind=e.TransferKind.QUEUE, target="tech")
    refused(at, e.TransferRequested, "wrong_state", kind=e.TransferKind.QUEUE, target="tech")
    at.talk()
    refused(at, e.ConsultCompleteRequested, "wrong_state", by="cai")
    refused(at, e.HoldRequested, "wrong_state")
    at.ask(e.ConsultCompleteRequested)
    for request in (e.ConsultCompleteRequested, e.ConsultSwapRequested, e.ConsultCancelRequested, e.ThreeWayRequested):
        refused(at, request, "wrong_state")  # pressed twice, or thought better of too late
    at.bridge()
    refused(at, e.ConsultCancelRequested, "wrong_state")


def test_complete_pressed_twice_is_done_once() -> None:
    at = asked().talk()
    at.ask(e.ConsultCompleteRequested, cmd_id="twice")
    at.ask(e.ConsultCompleteRequested, cmd_id="twice")
    assert at.scene.just(f.RequestDone) and not at.scene.just(c.Command)
    at.ask(e.ConsultCompleteRequested, version=1)
    assert at.scene.just(f.RequestRefused)[0].code == "stale"


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("agent", "bob", "bad_target"),  # oneself
        ("agent", "ann", "not_available"),  # signed out
        ("agent", "nobody", "bad_target"),
        ("queue", "nowhere", "bad_target"),
        ("number", "&park()", "bad_target"),
        ("extension", "9999", "bad_target"),
        ("extension", "10bob", "bad_target"),
    ],
)
def test_targets_that_cannot_answer_are_refused_before_anybody_is_set_aside(kind: str, target: str, code: str) -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind(kind), target=target)
    assert scene.just(f.RequestRefused)[0].code == code and call.state == "talking" and not scene.just(c.Command)


# --- who is gone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [e.HangupCause.NO_ANSWER, e.HangupCause.REJECTED, e.HangupCause.UNREACHABLE])
def test_the_consulted_does_not_answer(cause: e.HangupCause) -> None:
    at = asked()
    at.both_parted()
    at.scene.hang_up(at.far, cause)
    assert at.scene.just(c.BridgeLegs)[0] == c.BridgeLegs(switch=SWITCH, leg=at.bobs, other=at.call.leg, keep=True)
    at.bridge()
    assert at.scene.agent_state("bob") == "TALKING" and at.scene.last(f.ConsultEnded).end is f.ConsultEnd.NOT_REACHED


def test_a_number_that_rings_for_ever_is_given_up() -> None:
    at = asked("number", "10086")
    at.both_parted()
    at.scene.feed(e.LegRinging(switch=SWITCH, leg=at.far))
    at.scene.wait(45.1)
    assert at.scene.last(c.BridgeLegs).other == at.call.leg
    at.bridge()
    assert at.call.state == "talking"


def test_the_consulted_hangs_up() -> None:
    at = asked().talk()
    at.scene.hang_up(at.far)
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))
    at.bridge()
    assert at.scene.agent_state("bob") == "TALKING" and at.scene.agent_state("cai") == "READY"


def test_the_customer_hangs_up_while_somebody_is_sought() -> None:
    at = asked()
    at.both_parted()
    at.scene.hang_up(at.call.leg)
    assert at.scene.agent_state("cai") == "READY" and at.scene.agent_state("bob") == "WRAP_UP"


def test_the_customer_hangs_up_and_the_two_go_on_talking() -> None:
    at = asked().talk()
    at.scene.hang_up(at.call.leg)
    assert not at.scene.just(c.HangUpLeg) and at.scene.agent_state("cai") == "TALKING"
    refused(at, e.ConsultCompleteRequested, "wrong_state")
    at.ask(e.ConsultCancelRequested)
    at.scene.hang_up(at.bobs)
    assert at.scene.agent_state("bob") == "WRAP_UP" and at.scene.last(c.HangUpLeg).leg == at.far
    at.scene.hang_up(at.far)
    assert at.scene.agent_state("cai") == "READY" and at.scene.last(f.CallClosing).outcome is f.CallOutcome.SERVED


def test_putting_the_telephone_down_completes() -> None:
    at = asked().talk()
    at.scene.hang_up(at.bobs)
    assert at.scene.agent_state("bob") == "WRAP_UP"
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    assert at.scene.just(c.BridgeLegs)[0].other == at.call.leg
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge and at.call.bridge.agent == "cai"


@pytest.mark.parametrize("talking", [False, True])
def test_a_telephone_that_dies_leaves_the_customer_at_the_head_of_the_queue(talking: bool) -> None:
    at = asked()
    if talking:
        at.talk()
    else:
        at.both_parted()
    cais = at.far
    at.scene.hang_up(at.bobs, e.HangupCause.MEDIA_TIMEOUT)
    assert at.call.wait and at.call.wait.queue == "sales" and at.call.wait.priority == 9
    assert at.scene.agent_state("bob") == "WRAP_UP" and cais in [one.leg for one in at.scene.all(c.HangUpLeg)]
    at.scene.hang_up(cais, e.HangupCause.CANCELLED)
    assert at.scene.agent_state("cai") == "READY"


def test_a_browser_that_is_loaded_anew_gets_the_customer_back() -> None:
    device = DeviceConfig(kind=DeviceKind.BROWSER, switch=SWITCH, address="10bob")
    scene = Scene(center_config(agents={"bob": replace(agent("bob", "sales"), device=device), "cai": agent("cai")}))
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.MediaReady, "bob", ready=True)
    at = Asked(scene, "extension", "10cai").talk()
    at.ask(e.RejoinRequested)
    assert at.call.state == "rejoining" and scene.agent_state("bob") == "TALKING"
    back = scene.last(c.OriginateLeg)
    assert back.agent == "bob" and at.call.rejoin and at.call.rejoin.customer_here
    scene.feed(e.LegParked(switch=SWITCH, leg=back.leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=back.leg, other=at.call.leg))
    assert at.call.state == "talking"


def test_a_bridge_that_does_not_come_about_gives_the_customer_back() -> None:
    at = asked()
    at.both_parted()
    at.answer()
    at.scene.wait(1.1)
    assert at.scene.last(f.ConsultAimed).end is f.ConsultEnd.FAILED
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))
    at.bridge()
    assert at.call.state == "talking" and at.scene.agent_state("bob") == "TALKING"


def test_who_cannot_be_brought_back_together_is_not_lost() -> None:
    at = asked().talk()
    at.ask(e.ConsultCancelRequested)
    at.scene.wait(1.1)
    assert at.call.state == "returning" and at.scene.last(c.ReclaimLeg).leg == at.call.leg
    at.customer_comes()
    assert at.call.wait and at.call.wait.priority == 9 and at.scene.agent_state("bob") == "WRAP_UP"


def test_a_supervisor_takes_the_agent_out() -> None:
    at = asked().talk()
    at.scene.feed(
        e.AgentForced(tenant=TENANT, cmd_id="f", actor="lead", agent="bob", state="PAUSED", reason="fire", now=True)
    )
    assert at.call.wait and at.call.wait.priority == 9 and at.scene.agent_state("bob") == "PAUSED"


def test_a_supervisor_cannot_hang_up_a_customer_who_is_set_aside() -> None:
    at = asked()
    at.scene.feed(e.CallRemovalRequested(tenant=TENANT, cmd_id="r", actor="lead", call=at.call.id))
    assert at.scene.just(f.RequestRefused)[0].code == "wrong_state"


# --- the engine was away -------------------------------------------------------------------------------------------


def test_after_a_restart_the_switch_tells_who_talks_and_it_goes_on() -> None:
    at = asked()
    at.both_parted()
    at.answer()
    scene = at.scene
    scene.feed(e.EngineRestarted(run="r2"))
    scene.now_ms += 2000
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    at.customer_comes()
    assert heard(scene, at.call.leg) == "default"
    seen = [
        e.SnapshotLeg(leg=at.bobs, call=at.call.id, role=e.LegRole.AGENT, answered=True, bridged_to=at.far),
        e.SnapshotLeg(leg=at.far, call=at.call.id, role=e.LegRole.AGENT, answered=True, bridged_to=at.bobs),
        e.SnapshotLeg(leg=at.call.leg, call=at.call.id, role=e.LegRole.CUSTOMER, answered=True, controlled=True),
    ]
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    assert at.consult.joined == (at.bobs, at.far) and scene.agent_state("cai") == "TALKING"
    at.ask(e.ConsultCompleteRequested)
    at.bridge()
    assert at.call.state == "talking"


def test_what_ended_meanwhile_is_seen_in_the_list() -> None:
    at = asked().talk()
    scene = at.scene
    scene.now_ms += 10_000
    scene.feed(e.LinkDown(switch=SWITCH, reason="x"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    seen = [
        e.SnapshotLeg(leg=at.bobs, call=at.call.id, role=e.LegRole.AGENT, answered=True),
        e.SnapshotLeg(leg=at.call.leg, call=at.call.id, role=e.LegRole.CUSTOMER, answered=True, controlled=True),
    ]
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    assert scene.last(c.BridgeLegs).other == at.call.leg
    at.bridge()
    assert at.call.state == "talking" and scene.agent_state("bob") == "TALKING"
