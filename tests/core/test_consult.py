"""Attended transfer: ask, swap, complete, cancel."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.state import State
from tests.core.consults import Asked, asked, heard, refused
from tests.core.scene import SWITCH, Scene

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
        ("agent", "bob", "yourself"),  # oneself
        ("agent", "ann", "not_available"),  # signed out
        ("agent", "nobody", "bad_target"),
        ("queue", "nowhere", "bad_target"),
        ("number", "&park()", "bad_target"),
        ("extension", "9999", "bad_target"),
        ("extension", "10bob", "yourself"),
    ],
)
def test_targets_that_cannot_answer_are_refused_before_anybody_is_set_aside(kind: str, target: str, code: str) -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind(kind), target=target)
    assert scene.just(f.RequestRefused)[0].code == code and call.state == "talking" and not scene.just(c.Command)
