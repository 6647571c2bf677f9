"""The FreeSWITCH driver on a real FreeSWITCH: what it relies on of the switch, seen again on each run."""

from __future__ import annotations

import array
import socket
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core import commands as c
from apps.core.events import (
    BridgeFailed,
    CallArrived,
    DigitPressed,
    HangupCause,
    LegAnswered,
    LegHeld,
    LegHungUp,
    LegParked,
    LegRinging,
    LegRole,
    LegsBridged,
    LegsUnbridged,
    LegUnheld,
    LinkDown,
    LinkUp,
    PlayEnded,
    PlayOutcome,
    RecordingFailed,
    RecordingStarted,
    RecordingStopped,
    SwitchSnapshot,
)
from apps.core.ids import AgentId, CallId, LegId, PlayId, RecordingId, SwitchId, TenantId
from apps.switches.freeswitch.driver import FreeSwitchDriver
from tests.switch_live.driver_rig import Heard, Rig, until, why_not

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]

S = SwitchId("1")
CALL = CallId("t-c1")
Pair = tuple[FreeSwitchDriver, Heard]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("freeswitch"))
    try:
        made.start()
        made.start_phones()
        yield made
    finally:
        made.stop()


@pytest.fixture
def pair(rig: Rig) -> Iterator[Pair]:
    with rig.driver() as made:
        yield made


_legs = iter(range(1, 1000))


def new_leg() -> LegId:
    return LegId(f"t{time.time_ns()}-l{next(_legs)}")


def originate(leg: LegId, address: str = "1001", **changes: Any) -> c.OriginateLeg:
    values: dict[str, Any] = {
        "switch": S, "leg": leg, "call": CALL, "tenant": TenantId("1"), "role": LegRole.AGENT, "agent": AgentId("7"),
        "destination": c.Destination(kind=c.DestinationKind.DEVICE, address=address), "ring_timeout_ms": 5000,
        "caller_number": "13800138000", "caller_name": "王芳, {O'Neil}",
    }  # fmt: skip
    return c.OriginateLeg(**(values | changes))


def arrive(rig: Rig, driver: FreeSwitchDriver, heard: Heard, **caller: Any) -> LegId:
    """A caller, answered and tagged."""
    rig.call("4001", **caller)
    leg = heard.wait(CallArrived).leg
    driver.execute(c.TagLeg(switch=S, leg=leg, call=CALL, tenant=TenantId("1")))
    driver.execute(c.AnswerLeg(switch=S, leg=leg))
    heard.wait(LegAnswered, leg=leg)
    return leg


def connect(driver: FreeSwitchDriver, heard: Heard, customer: LegId, **changes: Any) -> LegId:
    agent = new_leg()
    driver.execute(originate(agent, **changes))
    heard.wait(LegParked, leg=agent)
    driver.execute(c.BridgeLegs(switch=S, leg=agent, other=customer))
    until(lambda: {agent, customer} in [{e.leg, e.other} for e in heard.all(LegsBridged)], "the bridge")
    return agent


def hang_up(driver: FreeSwitchDriver, heard: Heard, leg: LegId) -> LegHungUp:
    driver.execute(c.HangUpLeg(switch=S, leg=leg))
    return heard.wait(LegHungUp, leg=leg)


def test_a_call_from_arrival_to_the_end(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard, keys=((1500, "2"),))
    arrived = heard.all(CallArrived)[0]
    assert (arrived.did, arrived.caller_number, arrived.caller_name) == ("4001", "13800138000", "Wang Fang")
    assert arrived.call is None and not arrived.answered

    driver.execute(c.PlayPrompts(switch=S, leg=leg, play=PlayId("p1"), sounds=("short.wav", "long.wav")))
    assert heard.wait(PlayEnded, play="p1").outcome is PlayOutcome.STOPPED
    keys = [event for event in heard.events if isinstance(event, (DigitPressed, PlayEnded))]
    assert [type(event).__name__ for event in keys] == ["DigitPressed", "PlayEnded"], "the key comes first, and once"

    driver.execute(c.StartMusic(switch=S, leg=leg))
    agent = connect(driver, heard, leg)
    until(lambda: driver.arrival_sockets == 0, "the socket closing on the bridge")
    driver.execute(c.HoldLeg(switch=S, leg=agent))
    heard.wait(LegHeld, leg=agent)
    driver.execute(c.UnholdLeg(switch=S, leg=agent))
    heard.wait(LegUnheld, leg=agent)

    mark = len(heard.events)
    assert hang_up(driver, heard, agent).cause is HangupCause.NORMAL
    back = heard.wait(CallArrived, after=mark, leg=leg)
    assert back.call == CALL and back.answered and back.did == "4001"
    mark = len(heard.events)
    second = connect(driver, heard, leg)
    driver.execute(c.HangUpLeg(switch=S, leg=second))
    heard.wait(CallArrived, after=mark, leg=leg)  # the way back was set anew for the second talk
    hang_up(driver, heard, leg)
    assert len(heard.all(LegHungUp, leg=agent)) == len(heard.all(LegHungUp, leg=leg)) == 1
    assert len(heard.all(LegsUnbridged)) == 2, "one for each talk"
    until(lambda: driver.arrival_sockets == 0, "the last socket closing")


def test_prompts_end_once_whatever_happens(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard)

    def play(play_id: str, *sounds: str) -> None:
        driver.execute(c.PlayPrompts(switch=S, leg=leg, play=PlayId(play_id), sounds=sounds))

    play("done", "short.wav")
    assert heard.wait(PlayEnded, play="done").outcome is PlayOutcome.DONE
    play("none", "missing.wav")
    assert heard.wait(PlayEnded, play="none").outcome is PlayOutcome.FAILED
    play("skips", "missing.wav", "short.wav")
    assert heard.wait(PlayEnded, play="skips").outcome is PlayOutcome.DONE
    play("unsafe", "../../etc/passwd")
    assert heard.wait(PlayEnded, play="unsafe").outcome is PlayOutcome.FAILED
    play("replaced", "long.wav")
    play("after", "short.wav")
    assert heard.wait(PlayEnded, play="replaced").outcome is PlayOutcome.STOPPED
    assert heard.wait(PlayEnded, play="after").outcome is PlayOutcome.DONE
    play("stopped", "long.wav")
    driver.execute(c.StopPlay(switch=S, leg=leg))
    assert heard.wait(PlayEnded, play="stopped").outcome is PlayOutcome.STOPPED
    driver.execute(c.StartMusic(switch=S, leg=leg))
    play("over-music", "short.wav")
    assert heard.wait(PlayEnded, play="over-music").outcome is PlayOutcome.DONE
    play("hung-up", "long.wav")
    hang_up(driver, heard, leg)
    assert heard.wait(PlayEnded, play="hung-up").outcome is PlayOutcome.STOPPED
    ends = [event.play for event in heard.all(PlayEnded)]
    assert len(ends) == len(set(ends))


def test_keys_count_during_music_and_prompts_that_go_on(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard, keys=((800, "1"), (800, "#"), (300, "7")))
    driver.execute(c.PlayPrompts(switch=S, leg=leg, play=PlayId("p"), sounds=("long.wav",), barge=False))
    heard.wait(DigitPressed, digit="1")
    driver.execute(c.StartMusic(switch=S, leg=leg))
    heard.wait(DigitPressed, digit="7")
    assert [event.digit for event in heard.all(DigitPressed)] == ["1", "#", "7"]
    assert [event.outcome for event in heard.all(PlayEnded)] == [PlayOutcome.STOPPED]
    hang_up(driver, heard, leg)


def test_music_is_a_lease_that_is_renewed(rig: Rig) -> None:
    with rig.driver(music_lease_ms=400) as (driver, heard):
        leg = arrive(rig, driver, heard)
        driver.execute(c.StartMusic(switch=S, leg=leg))
        before = driver.counters.commands
        until(lambda: driver.counters.commands >= before + 5, "five renewals")
        driver.execute(c.StopPlay(switch=S, leg=leg))
        driver.execute(c.PlayPrompts(switch=S, leg=leg, play=PlayId("p"), sounds=("short.wav",)))
        heard.wait(PlayEnded, play="p")
        hang_up(driver, heard, leg)


def test_missing_music_becomes_silence_not_a_storm(rig: Rig) -> None:
    with rig.driver(music_lease_ms=400) as (driver, heard):
        leg = arrive(rig, driver, heard)
        before = driver.counters.commands
        driver.execute(c.StartMusic(switch=S, leg=leg, music="nowhere"))
        time.sleep(2)
        assert 3 < driver.counters.commands - before < 25
        hang_up(driver, heard, leg)


def test_cancelled_while_ringing(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = new_leg()
    driver.execute(originate(leg, "1002"))
    heard.wait(LegRinging, leg=leg)
    driver.execute(c.HangUpLeg(switch=S, leg=leg, cause=HangupCause.CANCELLED))
    assert heard.wait(LegHungUp, leg=leg).cause is HangupCause.CANCELLED


def test_cancelled_before_there_is_a_channel(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    legs = [new_leg() for _ in range(20)]
    for leg in legs:
        driver.execute(originate(leg, "1002"))
        driver.execute(c.HangUpLeg(switch=S, leg=leg, cause=HangupCause.CANCELLED))
    for leg in legs:
        assert heard.wait(LegHungUp, leg=leg).cause is HangupCause.CANCELLED
    driver.request_snapshot()
    assert heard.wait(SwitchSnapshot).legs == ()
    assert [leg for leg in legs if len(heard.all(LegHungUp, leg=leg)) != 1] == [], heard.all(LegHungUp)


def test_ring_timeout_and_bad_destinations(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    gateway = c.Destination(kind=c.DestinationKind.TRUNK, address="10086", gateway="nope")
    hostile = c.Destination(kind=c.DestinationKind.DEVICE, address="1001 &bridge(x)\n\napi shutdown")
    wanted: dict[LegId, tuple[dict[str, Any], HangupCause]] = {
        new_leg(): ({"address": "1002", "ring_timeout_ms": 1000}, HangupCause.NO_ANSWER),
        new_leg(): ({"address": "9999"}, HangupCause.NOT_REGISTERED),
        new_leg(): ({"destination": gateway}, HangupCause.INVALID),
        new_leg(): ({"destination": hostile}, HangupCause.INVALID),
    }
    for leg, (changes, _) in wanted.items():
        driver.execute(originate(leg, **changes))
    for leg, (_, cause) in wanted.items():
        assert heard.wait(LegHungUp, leg=leg).cause is cause
    assert driver.linked


def test_a_number_behind_a_gateway(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = new_leg()
    trunk = c.Destination(kind=c.DestinationKind.TRUNK, address="+8613800138000", gateway="out")
    driver.execute(originate(leg, role=LegRole.EXTERNAL, agent=None, destination=trunk))
    heard.wait(LegParked, leg=leg)
    hang_up(driver, heard, leg)


def test_bridge_refused_keeps_the_caller_in_music(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard)
    driver.execute(c.StartMusic(switch=S, leg=leg))
    ghost = new_leg()
    driver.execute(c.BridgeLegs(switch=S, leg=ghost, other=leg))
    assert heard.wait(BridgeFailed, leg=ghost).other == leg
    agent = connect(driver, heard, leg)
    hang_up(driver, heard, agent)
    hang_up(driver, heard, leg)


def test_agent_dies_in_the_gap_and_the_caller_is_fetched(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard)
    for _ in range(5):
        driver.execute(c.StartMusic(switch=S, leg=leg))
        agent = new_leg()
        driver.execute(originate(agent))
        heard.wait(LegParked, leg=agent)
        mark = len(heard.events)
        driver.execute(c.BridgeLegs(switch=S, leg=agent, other=leg))
        driver.execute(c.HangUpLeg(switch=S, leg=agent))
        heard.wait(LegHungUp, leg=agent)
        driver.execute(c.ReclaimLeg(switch=S, leg=leg))
        heard.wait(CallArrived, after=mark, leg=leg, call=CALL)
    hang_up(driver, heard, leg)


def test_reclaim_comes_back_and_stays(rig: Rig, pair: Pair) -> None:
    """The old socket's end must not un-park the call from the new one."""
    driver, heard = pair
    leg = arrive(rig, driver, heard)
    for _ in range(10):
        driver.execute(c.StartMusic(switch=S, leg=leg))
        mark = len(heard.events)
        driver.execute(c.ReclaimLeg(switch=S, leg=leg))
        heard.wait(CallArrived, after=mark, leg=leg)
        assert driver.arrival_sockets == 1
    time.sleep(0.3)
    assert len(heard.all(CallArrived, leg=leg)) == 11
    hang_up(driver, heard, leg)


def seconds_recorded(driver: FreeSwitchDriver, path: str) -> float:
    file = Path(driver.settings.recordings_dir) / path
    return file.stat().st_size / 32_000 if file.exists() else 0.0  # 8 kHz, 16 bits, two channels


def test_recording(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard)
    driver.execute(c.StartMusic(switch=S, leg=leg))  # the caller's phone sends back what it hears
    recording, path = RecordingId("r1"), "2026/11/22/r1.wav"
    driver.execute(c.StartRecording(switch=S, leg=leg, recording=recording, path=path))
    heard.wait(RecordingStarted, recording=recording)
    until(lambda: seconds_recorded(driver, path) > 1, "a second of recording")
    driver.execute(c.StopRecording(switch=S, leg=leg, recording=recording, path=path))
    stopped = heard.wait(RecordingStopped, recording=recording)
    with wave.open(str(Path(driver.settings.recordings_dir) / path)) as wav:
        assert wav.getnchannels() == 2
        assert abs(wav.getnframes() / wav.getframerate() * 1000 - stopped.duration_ms) < 100
        samples = array.array("h", wav.readframes(wav.getnframes()))
        assert max(samples[0::2]) > 1000 and max(samples[1::2]) > 1000, "both directions, and no silence"
    driver.execute(c.StartRecording(switch=S, leg=leg, recording=RecordingId("r2"), path="r2.wav"))
    heard.wait(RecordingStarted, recording="r2")
    until(lambda: seconds_recorded(driver, "r2.wav") > 0.5, "some of the second recording")
    agent = connect(driver, heard, leg)  # a recording goes on through bridges
    hang_up(driver, heard, leg)
    stopped = heard.wait(RecordingStopped, recording="r2")
    assert heard.events.index(stopped) < heard.events.index(heard.all(LegHungUp, leg=leg)[0])
    heard.wait(LegHungUp, leg=agent)
    ghost = new_leg()
    driver.execute(c.StartRecording(switch=S, leg=ghost, recording=RecordingId("r3"), path="r3.wav"))
    heard.wait(RecordingFailed, recording="r3")


def test_caller_hangs_up(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard, leaves_ms=2500)
    agent = connect(driver, heard, leg)
    assert heard.wait(LegHungUp, leg=leg).cause is HangupCause.NORMAL
    heard.wait(LegHungUp, leg=agent)


@pytest.mark.parametrize("name", ["x%0aEvent-Name: HEARTBEAT", "x%0a%0aapi shutdown", "${api(status)}", "王芳\u2028二"])
def test_hostile_names_are_only_names(rig: Rig, pair: Pair, name: str) -> None:
    driver, heard = pair
    leg = arrive(rig, driver, heard, name=name)
    arrived = heard.all(CallArrived)[0]
    assert "\n" not in arrived.caller_name and "\u2028" not in arrived.caller_name and arrived.caller_name
    connect(driver, heard, leg, caller_name=arrived.caller_name)
    hang_up(driver, heard, leg)
    assert driver.linked


def test_another_engine_takes_over(rig: Rig) -> None:
    """The first driver goes as a killed process does; the second finds the legs, and they come to it."""
    with rig.driver() as (first, heard):
        waiting = arrive(rig, first, heard)
        first.execute(c.StartMusic(switch=S, leg=waiting))
        talking = heard.all(CallArrived)
        rig.call("4002")
        talker = heard.wait(CallArrived, did="4002").leg
        first.execute(c.TagLeg(switch=S, leg=talker, call=CallId("t-c2"), tenant=TenantId("1")))
        first.execute(c.AnswerLeg(switch=S, leg=talker))
        heard.wait(LegAnswered, leg=talker)
        agent = connect(first, heard, talker)
        assert talking
    with rig.driver() as (second, heard):
        second.request_snapshot()
        legs = {leg.leg: leg for leg in heard.wait(SwitchSnapshot).legs}
        assert legs[waiting].call == CALL and legs[waiting].role is LegRole.CUSTOMER
        assert legs[talker].bridged_to == agent and legs[agent].agent == "7"
        second.execute(c.ReclaimLeg(switch=S, leg=waiting))
        heard.wait(CallArrived, leg=waiting, call=CALL)
        second.execute(c.HangUpLeg(switch=S, leg=agent))
        heard.wait(LegHungUp, leg=agent)
        heard.wait(CallArrived, leg=talker, call="t-c2")
        hang_up(second, heard, talker)
        hang_up(second, heard, waiting)


def test_closed_door_sends_new_calls_on_and_keeps_ours(rig: Rig, pair: Pair) -> None:
    driver, heard = pair
    ours = arrive(rig, driver, heard)
    driver.accept_calls(False)
    for _ in range(5):
        rig.call("4002")
    mark = len(heard.events)
    driver.execute(c.ReclaimLeg(switch=S, leg=ours))
    heard.wait(CallArrived, after=mark, leg=ours)
    time.sleep(1)  # long enough for the new caller to have knocked
    assert not heard.all(CallArrived, did="4002")
    driver.accept_calls(True)
    until(lambda: len(heard.all(CallArrived, did="4002")) == 5, "the ladder's next step for each of them")
    for leg in [ours, *(event.leg for event in heard.all(CallArrived, did="4002"))]:
        hang_up(driver, heard, leg)


def test_calls_stranded_by_a_killed_engine_are_fetched(rig: Rig) -> None:
    """An engine that dies before a call has parked leaves it in the socket application for ever."""
    with socket.create_server(("127.0.0.1", rig.arrivals)) as dying:
        for _ in range(5):
            rig.call("4001")
            dying.accept()[0].close()
    with rig.driver() as (driver, heard):
        for _ in range(3):  # as the engine does: at once, and again, because the list lags
            driver.request_snapshot()
            time.sleep(1)
        until(lambda: len(heard.all(CallArrived)) == 5, "all five")
        for event in heard.all(CallArrived):
            hang_up(driver, heard, event.leg)


def test_a_stopped_driver_lets_every_call_go_on(rig: Rig) -> None:
    with rig.driver() as (driver, heard):
        leg = arrive(rig, driver, heard)
    with rig.driver() as (driver, heard):
        heard.wait(CallArrived, leg=leg, call=CALL, seconds=6)  # the ladder's next step, and nobody fetched it
        hang_up(driver, heard, leg)


def test_a_killed_switch_is_noticed_and_found_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        rig.start()
        with rig.driver() as (driver, heard):
            first = heard.wait(LinkUp).boot
            leg = arrive(rig, driver, heard)
            rig.kill_switch()
            heard.wait(LinkDown)
            lost = new_leg()
            driver.execute(originate(lost))
            assert heard.wait(LegHungUp, leg=lost).cause is HangupCause.UNREACHABLE
            mark = len(heard.events)
            rig.start()
            assert heard.wait(LinkUp, after=mark, seconds=30).boot != first
            assert heard.wait(LegHungUp, leg=leg).cause is HangupCause.LOST
    finally:
        rig.stop()
