"""What every switch driver does, whatever switch is behind it."""

from __future__ import annotations

import wave

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import HangupCause, PlayOutcome
from apps.core.ids import CallId, LegId, PlayId, RecordingId
from tests.switches.contract.rigs import (
    ANSWERS,
    BUSY,
    GATEWAY,
    LONG,
    MISSING,
    REJECTS,
    SHORT,
    SWITCH,
    TENANT,
    TOLD,
    TRUNK,
    UNAVAILABLE,
    UNREGISTERED,
    Scene,
)

CALL = CallId("run1-c1")
CALLER = "13800138000"


def arrive(scene: Scene, number: str = CALLER, name: str = "Wang Fang") -> LegId:
    """A caller, answered and tagged."""
    scene.rig.place_call(number, name)
    leg = scene.wait(e.CallArrived, caller_number=number).leg
    scene.do(c.TagLeg(switch=SWITCH, leg=leg, call=CALL, tenant=TENANT))
    scene.do(c.AnswerLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegAnswered, leg=leg)
    return leg


def play(scene: Scene, leg: LegId, play_id: str, *sounds: str, barge: bool = True) -> PlayId:
    play = PlayId(play_id)
    scene.do(c.PlayPrompts(switch=SWITCH, leg=leg, play=play, sounds=sounds, barge=barge))
    return play


def talk(scene: Scene, customer: LegId) -> LegId:
    """Connect the customer to an agent."""
    agent = scene.originate(ANSWERS)
    scene.wait(e.LegParked, leg=agent)
    scene.do(c.BridgeLegs(switch=SWITCH, leg=agent, other=customer))
    bridged = scene.wait(e.LegsBridged)
    assert {bridged.leg, bridged.other} == {agent, customer}
    return agent


def needs_told(scene: Scene) -> None:
    if not scene.rig.told:
        pytest.skip("this rig's phones cannot be told to answer")


def test_the_link_comes_up(scene: Scene) -> None:
    up = scene.wait(e.LinkUp)
    assert up.switch == SWITCH
    assert up.boot


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


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        (BUSY, HangupCause.BUSY),
        (REJECTS, HangupCause.REJECTED),
        (UNREGISTERED, HangupCause.NOT_REGISTERED),
    ],
)
def test_an_originate_fails_with_its_cause(scene: Scene, address: str, cause: HangupCause) -> None:
    leg = scene.originate(address)
    assert scene.wait(e.LegHungUp, leg=leg).cause is cause
    assert not scene.all(e.LegParked, leg=leg)


def test_an_unavailable_phone_is_a_failure(scene: Scene) -> None:
    leg = scene.originate(UNAVAILABLE)
    assert scene.wait(e.LegHungUp, leg=leg).raw == "NO_USER_RESPONSE"


def test_nobody_answers(scene: Scene) -> None:
    leg = scene.originate(TOLD, ring_timeout_ms=1000)
    scene.wait(e.LegRinging, leg=leg)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.NO_ANSWER


def test_an_unknown_trunk_is_a_mistake_in_the_configuration(scene: Scene) -> None:
    leg = scene.originate("13912345678", gateway="nope")
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.INVALID


def test_a_number_behind_a_trunk(scene: Scene) -> None:
    leg = scene.originate("13912345678", gateway=GATEWAY)
    scene.wait(e.LegRinging, leg=leg)
    scene.wait(e.LegParked, leg=leg)
    scene.hang_up(leg)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.NORMAL


def test_an_originate_is_cancelled_while_it_rings(scene: Scene) -> None:
    leg = scene.originate(TOLD)
    scene.wait(e.LegRinging, leg=leg)
    scene.hang_up(leg, HangupCause.CANCELLED)
    assert scene.wait(e.LegHungUp, leg=leg).cause is HangupCause.CANCELLED


def test_an_originate_is_cancelled_before_there_is_a_channel(scene: Scene) -> None:
    leg = scene.originate(TOLD)
    scene.hang_up(leg, HangupCause.CANCELLED)
    scene.wait(e.LegHungUp, leg=leg)
    scene.rig.let_pass(200)
    assert not scene.rig.exists(leg)
    assert not scene.all(e.LegParked, leg=leg)


def test_the_device_is_made_to_answer(scene: Scene) -> None:
    needs_told(scene)
    leg = scene.originate(TOLD)
    scene.wait(e.LegRinging, leg=leg)
    scene.do(c.AnswerDevice(switch=SWITCH, leg=leg))
    scene.wait(e.LegParked, leg=leg)


def test_the_device_answers_by_itself_when_asked_to(scene: Scene) -> None:
    needs_told(scene)
    leg = scene.originate(TOLD, auto_answer=True)
    scene.wait(e.LegParked, leg=leg)


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


def test_a_snapshot_names_our_legs(scene: Scene) -> None:
    customer = arrive(scene)
    scene.rig.place_call("13900000001")
    waiting = scene.wait(e.CallArrived, caller_number="13900000001").leg
    scene.do(c.TagLeg(switch=SWITCH, leg=waiting, call=CallId("run1-c2"), tenant=TENANT))
    agent = talk(scene, customer)
    scene.rig.let_pass(50)
    mark = scene.mark()
    scene.rig.driver.request_snapshot()
    snapshot = scene.wait(e.SwitchSnapshot, after=mark)
    legs = {leg.leg: leg for leg in snapshot.legs}
    assert set(legs) == {customer, waiting, agent}
    assert (legs[customer].call, legs[customer].role) == (CALL, e.LegRole.CUSTOMER)
    assert {legs[customer].bridged_to, legs[agent].bridged_to} == {agent, customer}
    assert (legs[agent].role, legs[agent].agent, legs[agent].answered) == (e.LegRole.AGENT, "31", True)
    assert (legs[waiting].controlled, legs[waiting].answered, legs[waiting].bridged_to) == (True, False, None)
    assert not legs[customer].controlled
    assert ANSWERS in snapshot.registered
    assert UNREGISTERED not in snapshot.registered


def test_a_snapshot_tells_of_trunks(scene: Scene) -> None:
    mark = scene.mark()
    scene.rig.driver.request_snapshot()
    assert scene.wait(e.TrunkChanged, after=mark, trunk=TRUNK).up


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


def test_the_link_drops_and_the_talk_goes_on(scene: Scene) -> None:
    customer = arrive(scene)
    agent = talk(scene, customer)
    boot = scene.wait(e.LinkUp).boot
    mark = scene.mark()
    scene.rig.drop_link()
    scene.wait(e.LinkDown, after=mark)
    again = scene.wait(e.LinkUp, after=mark)
    assert again.boot == boot
    scene.rig.driver.request_snapshot()
    snapshot = scene.wait(e.SwitchSnapshot, after=mark)
    assert {leg.leg for leg in snapshot.legs} >= {customer, agent}
    scene.rig.caller_hangs_up(CALLER)
    scene.wait(e.LegHungUp, after=mark, leg=customer)


def test_a_closed_door_is_tried_again(scene: Scene) -> None:
    """The caller hears music and is handed over when the engine takes calls again."""
    scene.rig.driver.accept_calls(False)
    scene.rig.let_pass(100)
    scene.rig.place_call(CALLER)
    scene.rig.let_pass(700)
    assert not scene.all(e.CallArrived)
    scene.rig.driver.accept_calls(True)
    assert scene.wait(e.CallArrived).caller_number == CALLER


def test_a_closed_door_keeps_the_callers_inside(scene: Scene) -> None:
    """A full disk, for which the engine closes it, must not cost those who are with us, nor those who come back."""
    customer = arrive(scene)
    scene.rig.driver.accept_calls(False)
    play_id = play(scene, customer, "p1", SHORT)
    assert scene.wait(e.PlayEnded, play=play_id).outcome is PlayOutcome.DONE
    mark = scene.mark()
    scene.do(c.ReclaimLeg(switch=SWITCH, leg=customer))
    assert scene.wait(e.CallArrived, after=mark, leg=customer).call == CALL


@pytest.mark.parametrize(
    "name",
    [
        "x\nEvent-Name: HEARTBEAT",
        "x%0aUnique-ID: other",
        "王芳 ${hangup} {a=b}",
        "a\u2028b\x00c\x1bd",
        "\ud800\udcff",
        "n" * 70_000,
    ],
)
def test_a_hostile_name_is_cleaned_and_harms_nothing(scene: Scene, name: str) -> None:
    scene.rig.place_call("139", name)
    arrived = scene.wait(e.CallArrived)
    assert len(arrived.caller_name) <= 128
    assert arrived.caller_name.isprintable()
    assert arrived.caller_number == "139"
    scene.hang_up(arrived.leg)
    scene.wait(e.LegHungUp, leg=arrived.leg)


def test_what_is_not_a_number_dialled_still_arrives(scene: Scene) -> None:
    scene.rig.place_call(CALLER, did="no-such-number")
    assert scene.wait(e.CallArrived).did == "no-such-number"


def test_letting_go_touches_no_call(scene: Scene) -> None:
    customer = arrive(scene)
    agent = talk(scene, customer)
    scene.rig.driver.stop()
    scene.rig.let_pass(200)
    assert scene.rig.exists(customer)
    assert scene.rig.exists(agent)
