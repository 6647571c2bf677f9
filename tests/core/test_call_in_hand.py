"""Mute, tones and the pause of the recording: what an agent does to the call at hand."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls import recording
from apps.core.calls.model import Call
from tests.core.scene import SWITCH, Scene

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
    assert scene.refused() == "wrong_state"
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
        assert scene.refused() == "malformed"
    scene.feed(e.LegHeld(switch=SWITCH, leg=leg))
    scene.ask(e.DigitsRequested, "bob", call=call.id, digits="1")
    assert scene.refused() == "wrong_state"


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
    assert scene.refused() == "wrong_state"
    scene.wait(recording.LONGEST_PAUSE_MS / 1000 - 1)
    assert not scene.all(c.UnmaskRecording)
    scene.wait(4)
    assert len(scene.all(c.UnmaskRecording)) == 2, "the first was not answered"
    scene.feed(e.RecordingUnmasked(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    assert scene.just(f.RecordingResumed)[0].masked_ms == recording.LONGEST_PAUSE_MS + 3_000
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
    assert scene.refused() == "not_recording"
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
    assert scene.refused() == "not_recording", "asked for, but the switch has not begun"
