"""A caller, an agent and the bridge between them on every switch driver."""

from __future__ import annotations

import wave

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import HangupCause, PlayOutcome
from apps.core.ids import LegId, RecordingId
from tests.switches.contract.callers import CALL, CALLER, arrive, play, talk
from tests.switches.contract.rigs import ANSWERS, LONG, SHORT, SWITCH, TENANT, TOLD, Scene


def test_a_whole_call(scene: Scene) -> None:
    scene.rig.place_call(CALLER, "Wang Fang")
    arrived = scene.wait(e.CallArrived)
    assert (arrived.did, arrived.caller_number, arrived.caller_name) == ("4001", CALLER, "Wang Fang")
    assert (arrived.call, arrived.answered) == (None, False)
    leg = arrived.leg
    scene.do(c.TagLeg(switch=SWITCH, leg=leg, call=CALL, tenant=TENANT))
    scene.do(c.AnswerLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegAnswered, leg=leg)

    menu = play(scene, leg, "p1", LONG)
    scene.rig.let_pass(300)
    scene.rig.caller_presses(CALLER, "2")
    assert scene.wait(e.DigitPressed, leg=leg).digit == "2"
    assert scene.wait(e.PlayEnded, leg=leg, play=menu).outcome is PlayOutcome.STOPPED

    scene.do(c.StartMusic(switch=SWITCH, leg=leg))
    agent = scene.originate(TOLD)
    scene.wait(e.LegRinging, leg=agent)
    scene.rig.pick_up(TOLD)
    scene.wait(e.LegAnswered, leg=agent)
    scene.wait(e.LegParked, leg=agent)

    recording = RecordingId("run1-r1")
    scene.do(c.StartRecording(switch=SWITCH, leg=leg, recording=recording, path="2026/run1-r1.wav"))
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=leg))
    scene.wait(e.RecordingStarted, leg=leg, recording=recording)
    bridged = scene.wait(e.LegsBridged)
    assert {bridged.leg, bridged.other} == {agent, leg}

    scene.do(c.HoldLeg(switch=SWITCH, leg=agent))
    scene.wait(e.LegHeld, leg=agent)
    scene.do(c.UnholdLeg(switch=SWITCH, leg=agent))
    scene.wait(e.LegUnheld, leg=agent)

    mark = scene.mark()
    scene.rig.put_down(TOLD)
    gone = scene.wait(e.LegHungUp, leg=agent)
    assert (gone.cause, gone.raw) == (HangupCause.NORMAL, "NORMAL_CLEARING")
    back = scene.wait(e.CallArrived, after=mark, leg=leg)
    assert (back.call, back.answered, back.did) == (CALL, True, "4001")

    scene.do(c.StopRecording(switch=SWITCH, leg=leg, recording=recording, path="2026/run1-r1.wav"))
    stopped = scene.wait(e.RecordingStopped, leg=leg, recording=recording)
    assert stopped.duration_ms > 0
    with wave.open(str(scene.rig.recording("2026/run1-r1.wav"))) as sound:
        assert any(sound.readframes(sound.getnframes()))

    scene.hang_up(leg)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.NORMAL
    scene.rig.wait_until(lambda: not scene.rig.exists(leg), "the leg to be gone from the switch")


@pytest.mark.parametrize("gap_ms", [0, 10, 24])
def test_an_agent_dies_between_the_command_and_the_bridge(scene: Scene, gap_ms: int) -> None:
    """The customer may hear nothing from now on, and no event tells of him: he must be brought back."""
    customer = arrive(scene)
    agent = scene.originate(ANSWERS)
    scene.wait(e.LegParked, leg=agent)
    mark = scene.mark()
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
    if gap_ms:
        scene.rig.let_pass(gap_ms)
    scene.hang_up(agent)
    scene.wait(e.LegHungUp, leg=agent)
    if scene.all(e.LegsBridged):
        pytest.skip("the bridge stood before the agent died: a busy machine")
    scene.do(c.ReclaimLeg(switch=SWITCH, leg=customer))
    back = scene.wait(e.CallArrived, after=mark, leg=customer)
    assert back.call == CALL
    scene.rig.let_pass(200)  # a leg that was nearly bridged comes back by itself as well
    done = play(scene, customer, "p1", SHORT)
    assert scene.wait(e.PlayEnded, play=done).outcome is PlayOutcome.DONE


def test_a_caller_dies_between_the_command_and_the_bridge(scene: Scene) -> None:
    customer = arrive(scene)
    agent = scene.originate(ANSWERS)
    scene.wait(e.LegParked, leg=agent)
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
    scene.rig.let_pass(10)
    scene.rig.caller_hangs_up(CALLER)
    scene.wait(e.LegHungUp, leg=customer)
    scene.wait(e.LegHungUp, leg=agent)


def test_a_bridge_of_what_is_not_there_is_refused(scene: Scene) -> None:
    customer = arrive(scene)
    scene.do(c.BridgeLegs(switch=SWITCH, leg=LegId("run1-l404"), other=customer))
    failed = scene.wait(e.BridgeFailed)
    assert (failed.leg, failed.other) == ("run1-l404", customer)


def test_the_caller_hangs_up_during_the_talk(scene: Scene) -> None:
    customer = arrive(scene)
    agent = talk(scene, customer)
    scene.rig.caller_hangs_up(CALLER)
    assert scene.wait(e.LegHungUp, leg=customer).cause is HangupCause.NORMAL
    unbridged = scene.wait(e.LegsUnbridged)
    assert {unbridged.leg, unbridged.other} == {agent, customer}
    scene.wait(e.LegHungUp, leg=agent)


def test_the_caller_abandons_in_the_music(scene: Scene) -> None:
    customer = arrive(scene)
    scene.do(c.StartMusic(switch=SWITCH, leg=customer))
    scene.rig.let_pass(200)
    scene.rig.caller_hangs_up(CALLER)
    assert scene.wait(e.LegHungUp, leg=customer).cause is HangupCause.NORMAL


@pytest.mark.parametrize("doing", ["idle", "music", "talk"])
def test_a_leg_is_reclaimed(scene: Scene, doing: str) -> None:
    customer = arrive(scene)
    if doing == "music":
        scene.do(c.StartMusic(switch=SWITCH, leg=customer))
        scene.rig.let_pass(200)
    agent = talk(scene, customer) if doing == "talk" else None
    mark = scene.mark()
    scene.do(c.ReclaimLeg(switch=SWITCH, leg=customer))
    back = scene.wait(e.CallArrived, after=mark, leg=customer)
    assert (back.call, back.did, back.answered) == (CALL, "4001", True)
    if agent is not None:
        scene.wait(e.LegHungUp, leg=agent)
    done = play(scene, customer, "p1", SHORT)
    assert scene.wait(e.PlayEnded, play=done).outcome is PlayOutcome.DONE
