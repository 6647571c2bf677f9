"""Mute, tones, pauses of the recording, acknowledged offers, live microphones, drafts, and being forced."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls import recording
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, TENANT, Scene, center_config


def browser_centre(*names: str) -> cfg.CenterConfig:
    """These agents have browser phones; the others desk phones."""
    config = center_config()
    agents = dict(config.agents)
    for name in names:
        one = agents[name]
        device = cfg.DeviceConfig(kind=cfg.DeviceKind.BROWSER, switch=SWITCH, address=f"10{name}")
        agents[name] = cfg.AgentConfig(
            id=one.id, tenant=one.tenant, name=one.name, device=device, skills=one.skills, queues=one.queues
        )
    return center_config(agents=agents)


def with_sound(scene: Scene, *names: str) -> None:
    for name in names:
        scene.ask(e.AgentSignedIn, name)
        scene.ask(e.MediaReady, name, ready=True)
        scene.ask(e.AgentWentReady, name)
        scene.now_ms += 1000


def refused(scene: Scene) -> str:
    assert not scene.just(c.Command)
    return scene.just(f.RequestRefused)[0].code


# --- mute and tones ------------------------------------------------------------------------------------------------


def test_mute_is_what_the_switch_says() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.MuteRequested, "bob", call=call.id)
    assert scene.just(c.MuteLeg)[0].leg == leg and call.bridge is not None and not call.bridge.muted
    scene.feed(e.LegMuted(switch=SWITCH, leg=leg))
    assert scene.just(f.CallMuted) and call.bridge.muted
    scene.feed(e.LegMuted(switch=SWITCH, leg=leg))
    assert not scene.just(f.CallMuted), "told once"
    scene.ask(e.MuteRequested, "bob", call=call.id)
    assert refused(scene) == "wrong_state"
    scene.ask(e.UnmuteRequested, "bob", call=call.id)
    scene.feed(e.LegUnmuted(switch=SWITCH, leg=leg))
    assert scene.just(f.CallUnmuted) and not call.bridge.muted


def test_mute_outlives_a_lost_console_and_ends_with_the_talk() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call, leg = scene.talk()
    scene.feed(e.LegMuted(switch=SWITCH, leg=leg))
    scene.ask(e.AgentConnectionLost, "bob")
    scene.ask(e.AgentConnectionRestored, "bob")
    assert call.bridge is not None and call.bridge.muted
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.QUEUE, target="tech", note="angry")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    scene.answer_offer(call)
    assert call.bridge is not None and not call.bridge.muted
    assert call.handover is not None and (call.handover.agent, call.handover.note) == ("bob", "angry")


def test_a_caller_who_mutes_at_home_is_not_ours() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.feed(e.LegMuted(switch=SWITCH, leg=call.leg))
    assert not scene.just(f.CallMuted)


def test_tones_go_to_the_other_side_and_are_only_counted() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.DigitsRequested, "bob", call=call.id, digits="4111*#")
    sent = scene.just(c.SendDigits)[0]
    assert sent.leg == call.leg and sent.digits == "4111*#"
    assert scene.last(f.DigitsSent).count == 6 and call.digits_sent == 6
    assert not any("4111" in repr(fact) for fact in scene.facts)
    for bad in ("", "1 2", "a", "1" * 33, "1\n2", "1@200"):
        scene.ask(e.DigitsRequested, "bob", call=call.id, digits=bad)
        assert refused(scene) == "malformed"
    scene.feed(e.LegHeld(switch=SWITCH, leg=leg))
    scene.ask(e.DigitsRequested, "bob", call=call.id, digits="1")
    assert refused(scene) == "wrong_state"


# --- the recording's pause -----------------------------------------------------------------------------------------


def recorded(scene: Scene) -> Call:
    scene.ready("bob")
    call, _leg = scene.talk()
    assert call.recording is not None
    scene.feed(e.RecordingStarted(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    return call


def test_a_pause_ends_by_itself_and_is_asked_for_until_the_switch_says_so() -> None:
    scene = Scene()
    call = recorded(scene)
    assert call.recording is not None
    scene.ask(e.RecordingPauseRequested, "bob", call=call.id)
    assert scene.just(c.MaskRecording)[0].path == call.recording.path
    scene.feed(e.RecordingMasked(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    assert call.recording.masked_ms == scene.now_ms
    scene.ask(e.RecordingPauseRequested, "bob", call=call.id)
    assert refused(scene) == "wrong_state"
    scene.wait(recording.LONGEST_PAUSE_MS / 1000 - 1)
    assert not scene.all(c.UnmaskRecording)
    scene.wait(8)
    assert len(scene.all(c.UnmaskRecording)) == 2, "the first was not answered"
    scene.feed(e.RecordingUnmasked(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    assert scene.just(f.RecordingResumed)[0].masked_ms == recording.LONGEST_PAUSE_MS + 7_000
    scene.wait(60)
    assert len(scene.all(c.UnmaskRecording)) == 2 and scene.folded() == scene.state


def test_a_pause_whose_beginning_was_lost_is_ended_all_the_same() -> None:
    scene = Scene()
    call = recorded(scene)
    scene.ask(e.RecordingPauseRequested, "bob", call=call.id)
    scene.wait(recording.LONGEST_PAUSE_MS / 1000 + 1)
    assert scene.all(c.UnmaskRecording)


def test_the_agent_resumes_it() -> None:
    scene = Scene()
    call = recorded(scene)
    assert call.recording is not None
    scene.ask(e.RecordingResumeRequested, "bob", call=call.id)
    assert refused(scene) == "not_recording"
    scene.ask(e.RecordingPauseRequested, "bob", call=call.id)
    scene.feed(e.RecordingMasked(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    scene.ask(e.RecordingResumeRequested, "bob", call=call.id)
    assert scene.just(c.UnmaskRecording)
    scene.feed(e.RecordingUnmasked(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    assert call.recording.masked_ms is None and call.recording.mask_until_ms is None


def test_nothing_to_pause() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(e.RecordingPauseRequested, "bob", call=call.id)
    assert refused(scene) == "not_recording", "asked for, but the switch has not begun"


# --- offers that somebody hears ------------------------------------------------------------------------------------


def test_an_offer_that_no_page_acknowledges_goes_on_and_is_not_missed() -> None:
    scene = Scene(browser_centre("ann", "bob"))
    with_sound(scene, "bob", "ann")
    call = scene.to_queue()
    assert call.offer is not None and call.offer.agent == "bob"
    scene.wait(1.4)
    assert call.offer is not None and call.offer.agent == "bob"
    scene.wait(0.2)
    assert call.offer is not None and call.offer.agent == "ann"
    ended = scene.all(f.OfferEnded)[0]
    assert ended.outcome is f.OfferOutcome.UNACKNOWLEDGED
    bob = scene.state.agents["bob"]
    assert (bob.state, bob.reason, bob.media_ready) == ("DISCONNECTED", "no_ack", False)
    scene.ask(e.AgentConnectionRestored, "bob")
    assert bob.state == "READY" and bob.reason == ""
    second = scene.to_queue("cust2")
    assert second.offer is None, "no sound yet"
    scene.ask(e.MediaReady, "bob", ready=True)
    assert second.offer is not None and second.offer.agent == "bob"


def test_an_acknowledged_offer_rings_on() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=True)
    assert scene.just(f.OfferAcked)
    scene.wait(10)
    assert scene.agent_state("bob") == "OFFERED"
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=False)
    assert scene.agent_state("bob") == "OFFERED", "a second page without sound takes nothing back"


def test_a_page_without_sound_passes_it_on_at_once() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=False)
    assert scene.agent_state("bob") == "DISCONNECTED" and call.offer is None and call.wait is not None


def test_a_desk_phone_needs_no_page() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.to_queue()
    scene.wait(10)
    assert scene.agent_state("bob") == "OFFERED"


def test_an_answered_offer_needs_no_acknowledgement() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    assert call.offer is not None
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.offer.leg))
    scene.wait(1.6)
    assert call.offer is not None


# --- media and devices ---------------------------------------------------------------------------------------------


def test_ready_needs_a_live_microphone() -> None:
    scene = Scene(browser_centre("bob"))
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.AgentWentReady, "bob")
    assert refused(scene) == "media_not_ready" and scene.agent_state("bob") == "PAUSED"
    scene.ask(e.DialRequested, "bob", number="10086")
    assert refused(scene) == "media_not_ready"


def test_no_offers_while_the_microphone_is_gone() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    scene.ask(e.MediaReady, "bob", ready=False)
    call = scene.to_queue()
    assert call.offer is None and scene.agent_state("bob") == "READY"
    scene.ask(e.MediaReady, "bob", ready=True)
    assert call.offer is not None
    scene.ask(e.MediaReady, "bob", ready=False)
    assert call.offer is None and scene.all(f.OfferEnded)[-1].outcome is f.OfferOutcome.UNACKNOWLEDGED


def test_the_newest_page_has_the_sound() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    scene.ask(e.MediaClaimed, "bob", page="page-one")
    bob = scene.state.agents["bob"]
    assert (bob.media_epoch, bob.media_page, bob.media_ready) == (1, "page-one", False)
    scene.ask(e.MediaClaimed, "bob", page="page-one")
    assert bob.media_epoch == 1, "it has it already"
    scene.ask(e.MediaReady, "bob", ready=True, epoch=0)
    assert refused(scene) == "media_moved" and not bob.media_ready
    scene.ask(e.MediaReady, "bob", ready=True, epoch=1)
    assert bob.media_ready
    scene.ask(e.AgentConnectionLost, "bob")
    scene.ask(e.AgentConnectionRestored, "bob")
    assert not bob.media_ready, "whoever comes back has to say so"


def test_an_unregistered_phone_is_never_rung() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))
    call = scene.to_queue()
    assert call.offer is None and scene.agent_state("bob") == "READY"
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    assert call.offer is not None and call.offer.agent == "bob"


def test_a_list_of_registrations_counts_for_who_is_not_in_it_and_a_missing_list_for_nobody() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=()))
    first = scene.to_queue()
    assert first.offer is not None, "what the switch did not tell is not known"
    scene.hang_up(first.leg)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(), registered=()))
    assert scene.to_queue("cust2").offer is None


# --- decline -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["agent", "queue"])
def test_declining_needs_permission_of_both(who: str) -> None:
    config = center_config()
    bob, sales = config.agents["bob"], config.queues["sales"]
    if who == "agent":
        bob = cfg.AgentConfig(
            id="bob", tenant=TENANT, name="Bob", device=bob.device, queues=bob.queues, may_decline=False
        )
    else:
        sales = cfg.QueueConfig(id="sales", tenant=TENANT, name="Sales", may_decline=False)
    scene = Scene(center_config(agents={"bob": bob}, queues={"sales": sales}))
    scene.ready("bob")
    call = scene.to_queue()
    scene.ask(e.DeclineRequested, "bob", call=call.id)
    assert refused(scene) == "not_permitted" and call.offer is not None


# --- drafts --------------------------------------------------------------------------------------------------------


def wrapping_up(scene: Scene) -> Call:
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    return call


def draft(scene: Scene, call: Call, note: str, **more: Any) -> None:
    scene.ask(e.DraftSaved, "bob", call=call.id, note=note, **more)


def test_a_draft_is_kept_when_wrap_up_runs_out() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    draft(scene, call, "owes us a cal", disposition="sold")
    draft(scene, call, "owes us a call")
    scene.wait(31)
    disposed = scene.last(f.CallDisposed)
    assert (disposed.disposition, disposed.note) == ("UNSET", "owes us a call")
    assert scene.agent_state("bob") == "READY" and scene.state.agents["bob"].draft == ""


def test_typing_at_the_end_gives_a_little_more_time_but_not_for_ever() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    ends_ms = scene.state.agents["bob"].deadline_ms
    draft(scene, call, "a")
    assert scene.state.agents["bob"].deadline_ms == ends_ms, "there is time enough"
    for _ in range(10):
        scene.wait(((scene.state.agents["bob"].deadline_ms or 0) - scene.now_ms) / 1000 - 1)
        draft(scene, call, "b")
    assert scene.state.agents["bob"].deadline_ms == (ends_ms or 0) + 150_000
    scene.wait(((scene.state.agents["bob"].deadline_ms or 0) - scene.now_ms) / 1000 - 1)
    draft(scene, call, "c")
    scene.wait(2)
    assert scene.agent_state("bob") == "READY" and scene.last(f.CallDisposed).note == "c"


def test_a_draft_is_of_the_call_in_hand() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    draft(scene, call, "while talking")
    assert scene.state.agents["bob"].draft == "while talking"
    scene.ask(e.DraftSaved, "bob", call="other", note="x")
    assert refused(scene) == "wrong_state"


# --- forced --------------------------------------------------------------------------------------------------------


def forced(scene: Scene, state: str = "PAUSED", *, now: bool = True) -> f.AgentOverruled:
    scene.ask(e.AgentForced, "bob", state=state, reason="meeting", now=now)
    assert scene.just(f.RequestDone), scene.new
    return scene.just(f.AgentOverruled)[0]


def test_forcing_is_on_record() -> None:
    scene = Scene()
    scene.ready("bob")
    fact = forced(scene, now=False)
    assert (fact.actor, fact.before, fact.state, fact.reason, fact.now) == ("bob", "READY", "PAUSED", "meeting", False)
    assert scene.agent_state("bob") == "PAUSED"


def test_forced_now_out_of_an_offer() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.to_queue()
    forced(scene)
    assert scene.agent_state("bob") == "PAUSED" and call.offer is not None and call.offer.agent == "ann"


def test_forced_now_out_of_a_talk_the_caller_is_first_in_line() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    forced(scene, "LOGGED_OUT")
    assert scene.just(c.HangUpLeg)[0].leg == leg and scene.agent_state("bob") == "TALKING"
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "LOGGED_OUT", "no wrap-up"
    scene.arrive(LegId(call.leg), call=call.id)
    assert call.wait is not None and call.wait.priority == 9 and call.wait.queue == "sales"


def test_forced_after_the_call_by_default() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    forced(scene, now=False)
    assert scene.agent_state("bob") == "TALKING" and not scene.just(c.HangUpLeg)
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.agent_state("bob") == "PAUSED"


def test_forced_now_out_of_wrap_up_and_dialling() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    draft(scene, call, "half a note")
    forced(scene)
    assert scene.last(f.CallDisposed).note == "half a note" and scene.agent_state("bob") == "PAUSED"
    scene.ask(e.DialRequested, "bob", number="10086")
    forced(scene, "READY")
    assert scene.agent_state("bob") == "READY" and scene.last(f.DialEnded).outcome is f.DialOutcome.CANCELLED


def test_who_is_not_there_cannot_be_made_ready() -> None:
    scene = Scene()
    scene.ask(e.AgentForced, "bob", state="READY")
    assert refused(scene) == "wrong_state" and not scene.all(f.AgentOverruled)


# --- help and quality ----------------------------------------------------------------------------------------------


def test_help_is_an_alarm_until_it_came_or_the_call_is_done() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert [(alarm.kind, alarm.subject, alarm.detail) for alarm in scene.state.alarms.values()] == [
        ("agent_help", "bob", "Bob")
    ]
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=False)
    assert not scene.state.alarms
    scene.hang_up(leg)
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert scene.agent_state("bob") == "WRAP_UP" and scene.state.alarms
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert not scene.state.alarms
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert refused(scene) == "not_found"


def test_a_call_is_marked_while_talking_and_afterwards() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.CallMarkRequested, "bob", call=call.id)
    assert scene.just(f.CallMarked)[0].agent == "bob"
    scene.hang_up(leg)
    scene.hang_up(call.leg)
    scene.ask(e.CallMarkRequested, "bob", call=call.id)
    assert scene.just(f.CallMarked)[0].call == call.id
    scene.ask(e.CallMarkRequested, "ann", call=call.id)
    assert refused(scene) == "not_found"


def test_a_recording_that_breaks_off_is_known_for_the_talk() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    recording_id = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingFailed(switch=SWITCH, leg=call.leg, recording=recording_id, reason="disk"))
    assert call.recording_broken and call.recording is None
    scene.hang_up(leg)
    assert scene.folded() == scene.state
