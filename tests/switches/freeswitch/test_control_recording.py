"""Recordings in the driver's logic: begun, ended, failed, and told of over links of their own."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core import commands as c
from apps.core.events import (
    HangupCause,
    LegHungUp,
    RecordingFailed,
    RecordingStarted,
    RecordingStopped,
)
from apps.core.ids import RecordingId
from apps.switches.freeswitch.ports import Lane
from tests.switches.freeswitch.control_scene import (
    CUSTOMER,
    Pair,
    S,
    arrive,
    event,
    originate,
    start_recording,
)


def stop_recording() -> c.StopRecording:
    return c.StopRecording(switch=S, leg=CUSTOMER, recording=RecordingId("r1"), path="2026/r1.wav")


def record_event(name: str, **headers: str) -> dict[str, Any]:
    return event(name, CUSTOMER, Record__File__Path="/srv/rec/2026/r1.wav", **headers)


def test_a_recording_and_its_end_before_the_leg_s(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    assert ports.commands() == ["api uuid_record cust-1 start /srv/rec/2026/r1.wav"]
    ports.reply_all("+OK Success\n")
    control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING"))
    control.event(record_event("RECORD_STOP", variable_record_ms="5980"))
    assert ports.take() == [
        RecordingStarted(switch=S, leg=CUSTOMER, recording=RecordingId("r1")),
        RecordingStopped(switch=S, leg=CUSTOMER, recording=RecordingId("r1"), duration_ms=5980),
        LegHungUp(switch=S, leg=CUSTOMER, cause=HangupCause.NORMAL, raw="NORMAL_CLEARING"),
    ]


def test_no_offer_waits_behind_anything_and_nothing_behind_a_recording(pair: Pair) -> None:
    """The switch runs a link's commands one after another, and opening or closing a file takes it 13 ms."""
    control, ports = pair
    arrive(control, ports)
    ports.lanes.clear()
    control.execute(start_recording())
    control.execute(stop_recording())
    originate(control)
    control.execute(c.HangUpLeg(switch=S, leg=CUSTOMER))
    assert ports.lanes == [Lane.RECORDINGS] * 2 + [Lane.OFFERS, Lane.CALLS]


TAGS = {"variable_trunkline_leg": "customer:k-c1:7"}


def test_a_recording_begun_by_an_earlier_engine_is_known_by_its_file(pair: Pair) -> None:
    control, ports = pair
    control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING") | TAGS)
    assert ports.take() == []
    control.event(record_event("RECORD_STOP", variable_record_ms="10") | TAGS)
    stopped, hung_up = ports.take()
    assert stopped == RecordingStopped(switch=S, leg=CUSTOMER, recording=RecordingId("r1"), duration_ms=10)
    assert isinstance(hung_up, LegHungUp)


def test_an_earlier_engines_leg_that_was_not_recorded_ends_a_second_later(pair: Pair) -> None:
    control, ports = pair
    control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING") | TAGS)
    control.tick()
    ports.pass_ms(900)
    control.tick()
    assert ports.take() == []
    ports.pass_ms(100)
    control.tick()
    assert [type(e) for e in ports.take()] == [LegHungUp]


def test_a_recording_that_ended_before_its_beginning_was_confirmed_does_not_begin_again(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    control.event(record_event("RECORD_STOP", variable_record_ms="10"))
    ports.reply_all("+OK Success\n")
    assert [type(e) for e in ports.take()] == [RecordingStopped]


def test_a_recording_whose_end_never_comes_does_not_keep_the_leg(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    ports.reply_all("+OK Success\n")
    control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING"))
    assert [type(e) for e in ports.take()] == [RecordingStarted]
    control.tick()
    ports.pass_ms(10_000)
    control.tick()
    assert ports.take() == []
    ports.pass_ms(5_000)
    control.tick()
    assert [type(e) for e in ports.take()] == [LegHungUp]
    assert len(control.legs) == 0


@pytest.mark.parametrize("hung_up_first", [True, False])
def test_the_end_of_a_recording_outlives_a_kill_that_came_too_late(pair: Pair, hung_up_first: bool) -> None:
    """Its reply travels on another link than the events, and the recording's end is told last of all."""
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    ports.reply_all("+OK Success\n")
    ports.take()
    if hung_up_first:
        control.event(event("CHANNEL_HANGUP", CUSTOMER, Hangup__Cause="NORMAL_CLEARING"))
    control.execute(c.HangUpLeg(switch=S, leg=CUSTOMER))
    ports.reply_all("-ERR No such channel!\n")
    assert ports.take() == []
    control.event(record_event("RECORD_STOP", variable_record_ms="5980"))
    assert [type(e) for e in ports.take()] == [RecordingStopped, LegHungUp]


def test_a_leg_that_the_switch_does_not_know_ends_though_its_recording_s_end_is_never_told(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    ports.reply_all("+OK Success\n")
    control.execute(c.HangUpLeg(switch=S, leg=CUSTOMER))
    ports.take()
    ports.reply_all("-ERR No such channel!\n")
    ports.pass_ms(3_000)
    control.tick()
    assert [type(e) for e in ports.take()] == [LegHungUp]
    assert len(control.legs) == 0


def test_recordings_that_fail(pair: Pair) -> None:
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    ports.reply_all("-ERR Cannot record session!\n")
    (told,) = ports.take()
    assert isinstance(told, RecordingFailed) and "Cannot record" in told.reason
    control.execute(start_recording())
    control.event(record_event("RECORD_STOP", Record__Completion__Cause="empty-file"))
    (told,) = ports.take()
    assert isinstance(told, RecordingFailed) and told.reason == "empty-file"


def test_a_stop_that_comes_after_the_legs_end_is_no_failure(pair: Pair) -> None:
    """The reply travels on another link than the events, and is read before the end that came earlier."""
    control, ports = pair
    arrive(control, ports)
    control.execute(start_recording())
    ports.reply_all("+OK Success\n")
    control.execute(stop_recording())
    ports.reply_all("-ERR Cannot locate session!\n")
    control.event(record_event("RECORD_STOP", variable_record_ms="1234"))
    ports.pass_ms(10_000)
    assert [type(e) for e in ports.take()] == [RecordingStarted, RecordingStopped]
    control.execute(start_recording())
    ports.reply_all("+OK Success\n")
    control.execute(stop_recording())
    ports.reply_all("-ERR Cannot locate session!\n")
    ports.pass_ms(10_000)
    assert [type(e) for e in ports.take()] == [RecordingStarted, RecordingFailed], "whose end never came"
