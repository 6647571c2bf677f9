"""Prompts, keys, music and recordings on every switch driver."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import PlayOutcome
from apps.core.ids import LegId, RecordingId
from tests.switches.contract.callers import CALLER, arrive, play
from tests.switches.contract.rigs import LONG, MISSING, SHORT, SWITCH, Scene


def test_keys_are_heard_in_the_music(scene: Scene) -> None:
    customer = arrive(scene)
    scene.do(c.StartMusic(switch=SWITCH, leg=customer))
    scene.rig.let_pass(200)
    scene.rig.caller_presses(CALLER, "#")
    assert scene.wait(e.DigitPressed, leg=customer).digit == "#"
    assert not scene.all(e.PlayEnded)


def test_prompts_play_to_their_end(scene: Scene) -> None:
    customer = arrive(scene)
    play_id = play(scene, customer, "p1", SHORT, SHORT)
    assert scene.wait(e.PlayEnded, leg=customer, play=play_id).outcome is PlayOutcome.DONE


def test_a_prompt_that_no_key_may_stop(scene: Scene) -> None:
    customer = arrive(scene)
    play_id = play(scene, customer, "p1", SHORT, SHORT, SHORT, barge=False)
    scene.rig.let_pass(200)
    scene.rig.caller_presses(CALLER, "1")
    scene.wait(e.DigitPressed, leg=customer)
    assert not scene.all(e.PlayEnded)
    assert scene.wait(e.PlayEnded, play=play_id).outcome is PlayOutcome.DONE


def test_a_missing_prompt_is_said_to_be(scene: Scene) -> None:
    customer = arrive(scene)
    play_id = play(scene, customer, "p1", MISSING)
    assert scene.wait(e.PlayEnded, play=play_id).outcome is PlayOutcome.FAILED


def test_every_prompt_ends_exactly_once(scene: Scene) -> None:
    """The next thing asked for ends the one before, begun or not."""
    customer = arrive(scene)
    first, second = play(scene, customer, "p1", LONG), play(scene, customer, "p2", LONG)
    scene.rig.let_pass(200)
    third = play(scene, customer, "p3", LONG)
    scene.rig.let_pass(200)
    scene.do(c.StopPlay(switch=SWITCH, leg=customer))
    for play_id in (first, second, third):
        assert scene.wait(e.PlayEnded, play=play_id).outcome is PlayOutcome.STOPPED
    scene.rig.let_pass(300)
    assert len(scene.all(e.PlayEnded)) == 3


def test_music_is_a_lease_that_is_renewed(scene: Scene) -> None:
    """Longer than one lease in virtual time; over TCP that the music goes on is seen at once."""
    customer = arrive(scene)
    scene.do(c.StartMusic(switch=SWITCH, leg=customer))
    scene.rig.let_pass(65_000 if scene.rig.driver.__class__.__name__ == "SimulatorDriver" else 500)
    assert scene.rig.exists(customer)
    last = play(scene, customer, "p1", SHORT)
    assert scene.wait(e.PlayEnded, play=last).outcome is PlayOutcome.DONE


def test_a_recording_of_what_is_not_there_fails(scene: Scene) -> None:
    recording = RecordingId("run1-r1")
    scene.do(c.StartRecording(switch=SWITCH, leg=LegId("run1-l404"), recording=recording, path="a.wav"))
    assert scene.wait(e.RecordingFailed, recording=recording).reason


def test_a_recording_ends_with_its_leg(scene: Scene) -> None:
    customer = arrive(scene)
    recording = RecordingId("run1-r1")
    scene.do(c.StartRecording(switch=SWITCH, leg=customer, recording=recording, path="a.wav"))
    scene.wait(e.RecordingStarted, recording=recording)
    scene.rig.let_pass(200)
    scene.rig.caller_hangs_up(CALLER)
    assert scene.wait(e.RecordingStopped, recording=recording).duration_ms > 0  # without media, next to nothing
