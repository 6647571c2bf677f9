"""What agents do in a talk, and calling a customer, on every switch driver."""

from __future__ import annotations

import wave
from array import array

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import HangupCause, LegRole
from apps.core.ids import CallId, LegId, RecordingId
from tests.switches.contract.callers import CALL, arrive, talk
from tests.switches.contract.rigs import ANSWERS, BUSY, GATEWAY, SWITCH, Scene


def call_customer(scene: Scene, number: str = "13912345678") -> LegId:
    """As the core does for an agent who dials: the customer's leg, by a trunk."""
    return scene.originate(number, gateway=GATEWAY, role=LegRole.CUSTOMER)


def test_mute_and_unmute(scene: Scene) -> None:
    agent = talk(scene, arrive(scene))
    scene.do(c.MuteLeg(switch=SWITCH, leg=agent))
    scene.wait(e.LegMuted, leg=agent)
    scene.do(c.UnmuteLeg(switch=SWITCH, leg=agent))
    scene.wait(e.LegUnmuted, leg=agent)


def test_muting_nobody_says_nothing(scene: Scene) -> None:
    scene.do(c.MuteLeg(switch=SWITCH, leg=scene.leg()))
    scene.do(c.SendDigits(switch=SWITCH, leg=scene.leg(), digits="1"))
    scene.rig.let_pass(300)
    assert not scene.all(e.LegMuted)


def test_a_recording_is_masked_and_unmasked(scene: Scene) -> None:
    customer = arrive(scene)
    scene.do(c.StartMusic(switch=SWITCH, leg=customer))  # something to record
    scene.rig.let_pass(500)
    recording, path = RecordingId("run1-r7"), "mask/run1-r7.wav"
    scene.do(c.StartRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    scene.wait(e.RecordingStarted, recording=recording)
    scene.rig.let_pass(500)
    scene.do(c.MaskRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    scene.wait(e.RecordingMasked, leg=customer, recording=recording)
    scene.rig.let_pass(500)
    scene.do(c.UnmaskRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    scene.wait(e.RecordingUnmasked, leg=customer, recording=recording)
    scene.do(c.StopRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    stopped = scene.wait(e.RecordingStopped, recording=recording)
    with wave.open(str(scene.rig.recording(path))) as sound:
        samples = array("h", sound.readframes(sound.getnframes()))
        length_ms = sound.getnframes() * 1000 / sound.getframerate()
    assert abs(length_ms - stopped.duration_ms) < 100, "at its full length"
    half_a_second = 400 * 8 * 2  # a little less, in samples of both channels
    assert any(samples[: 8 * 2 * 300]), "sound before it was masked"
    quiet = next((n for n in range(0, len(samples), 160) if not any(samples[n : n + half_a_second])), len(samples))
    assert quiet < len(samples) - half_a_second, "silence where it was masked"


def test_what_is_not_recorded_is_never_masked_and_always_unmasked(scene: Scene) -> None:
    customer = arrive(scene)
    recording, path = RecordingId("run1-r8"), "mask/run1-r8.wav"
    scene.do(c.MaskRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    scene.do(c.UnmaskRecording(switch=SWITCH, leg=customer, recording=recording, path=path))
    scene.wait(e.RecordingUnmasked, recording=recording)
    assert not scene.all(e.RecordingMasked)


def test_a_called_customer_parks_once_is_bridged_and_comes_back(scene: Scene) -> None:
    agent = scene.originate(ANSWERS, idle_timeout_ms=60_000)
    scene.wait(e.LegParked, leg=agent)
    scene.do(c.StartMusic(switch=SWITCH, leg=agent, music=c.RINGING_TONE))
    customer = call_customer(scene)
    scene.wait(e.LegAnswered, leg=customer)
    scene.wait(e.LegParked, leg=customer)
    for second in (False, True):
        mark = scene.mark()
        if second:
            agent = scene.originate(ANSWERS)
            scene.wait(e.LegParked, leg=agent)
        scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
        bridged = scene.wait(e.LegsBridged, after=mark)
        assert {bridged.leg, bridged.other} == {agent, customer}
        scene.hang_up(agent)
        scene.wait(e.LegHungUp, leg=agent)
        back = scene.wait(e.CallArrived, after=mark, leg=customer)
        assert back.call == CallId(CALL) and back.answered
    assert len(scene.all(e.LegParked, leg=customer)) == 1, "from then on it is a customer like any other"
    scene.hang_up(customer)
    scene.wait(e.LegHungUp, leg=customer)


def test_a_called_customer_outlives_the_time_for_the_bridge(scene: Scene) -> None:
    """``idle_timeout_ms`` is for the wait before the talk: afterwards it must not cut anybody off."""
    agent = scene.originate(ANSWERS)
    scene.wait(e.LegParked, leg=agent)
    customer = scene.originate("13912345678", gateway=GATEWAY, role=LegRole.CUSTOMER, idle_timeout_ms=1_000)
    scene.wait(e.LegParked, leg=customer)
    mark = scene.mark()
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
    scene.wait(e.LegsBridged, after=mark)
    scene.hang_up(agent)
    scene.wait(e.CallArrived, after=mark, leg=customer)
    scene.rig.let_pass(2_500)
    assert scene.rig.exists(customer)


def test_a_called_customer_whom_nobody_takes_ends(scene: Scene) -> None:
    customer = scene.originate("13912345678", gateway=GATEWAY, role=LegRole.CUSTOMER, idle_timeout_ms=1_000)
    scene.wait(e.LegParked, leg=customer)
    scene.wait(e.LegHungUp, leg=customer)


@pytest.mark.parametrize("cause", [HangupCause.CANCELLED])
def test_a_called_customer_can_be_cancelled(scene: Scene, cause: HangupCause) -> None:
    customer = call_customer(scene)
    scene.hang_up(customer, cause)
    scene.wait(e.LegHungUp, leg=customer)


def test_a_busy_device_has_no_talk(scene: Scene) -> None:
    assert scene.wait(e.LegHungUp, leg=scene.originate(BUSY, idle_timeout_ms=60_000)).cause is HangupCause.BUSY
