"""What an agent does in a talk, on a real switch and heard in its recording: mute, hold, pause, tones, dialling out."""

from __future__ import annotations

import time
from array import array
from itertools import groupby
from pathlib import Path

from apps.core import events as e
from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, CallState
from apps.core.config import AgentConfig
from apps.core.events import AgentRequest
from tests.switch_live import sound
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_in_menu, call_into_sales, finish_wrap_up, in_state, talking, until
from tests.switch_live.waiting import eventually

WINDOW = sound.RATE // 5  # 200 ms
LASTS_S = 1.6  # long enough for whole windows, short enough for patience


def _ask(rig: Rig, agent: AgentConfig, request: type[AgentRequest], /, **fields: object) -> None:
    rig.center.ask(request(**rig.center.new_request(agent), **fields))


def _recording(rig: Rig, call: Call) -> Path:
    rows = eventually(lambda: rig.center.rows("SELECT path FROM recordings_recording WHERE call_id = %s", call.id))
    return Path(rig.switch.recordings / rows[0]["path"])


def _done(rig: Rig, call: Call) -> None:
    query = "SELECT status, reason FROM recordings_recording WHERE call_id = %s"
    done = [{"status": "done", "reason": ""}]
    eventually(lambda: rig.center.rows(query, call.id) == done, 20, f"done, not {rig.center.rows(query, call.id)}")


def _heard(samples: array[int], hertz: int) -> str:
    """``voice`` (that tone), ``silence`` or ``else`` (music, most likely)."""
    if sound.rms(samples) < 60:
        return "silence"
    return "voice" if sound.strength(samples, hertz) > 0.5 else "else"


def _story(path: Path, channel: int, hertz: int) -> list[str]:
    """What one side heard one after another; what lasts less than three windows is a seam."""
    samples = sound.channels(path)[channel]
    windows = [samples[start : start + WINDOW] for start in range(0, len(samples) - WINDOW, WINDOW)]
    runs = [(kind, len(list(run))) for kind, run in groupby(_heard(window, hertz) for window in windows)]
    long_runs = [kind for kind, length in runs if length >= 3]
    return [kind for kind, _ in groupby(long_runs)]


def test_mute_hold_and_the_pause_of_the_recording_are_heard(rig: Rig) -> None:
    sales = rig.center.agent("李娜")
    rig.seat(sales)
    rig.center.make_ready(sales)
    caller = call_into_sales(rig, "13700000011")
    call = talking(rig, "13700000011", sales)
    path = _recording(rig, call)
    eventually(lambda: path.exists() and path.stat().st_size > 2 * 8000 * 2 * 2, 30, "two seconds recorded")

    _ask(rig, sales, e.MuteRequested, call=call.id)
    until(rig, "13700000011", lambda now: now.bridge is not None and now.bridge.muted, "muted")
    time.sleep(LASTS_S)
    _ask(rig, sales, e.UnmuteRequested, call=call.id)
    until(rig, "13700000011", lambda now: now.bridge is not None and not now.bridge.muted, "heard again")
    time.sleep(LASTS_S)
    _ask(rig, sales, e.HoldRequested, call=call.id)
    rig.center.wait_for(sales, AgentState.HOLDING)
    time.sleep(LASTS_S)
    _ask(rig, sales, e.ResumeRequested, call=call.id)
    rig.center.wait_for(sales, AgentState.TALKING)
    time.sleep(LASTS_S)
    _ask(rig, sales, e.RecordingPauseRequested, call=call.id)
    until(rig, "13700000011", lambda now: now.recording is not None and now.recording.masked_ms, "paused")
    time.sleep(LASTS_S)
    _ask(rig, sales, e.RecordingResumeRequested, call=call.id)
    until(rig, "13700000011", lambda now: now.recording is not None and not now.recording.masked_ms, "resumed")
    time.sleep(LASTS_S)
    caller.hang_up()
    finish_wrap_up(rig, sales, call.id)
    _done(rig, call)
    assert _story(path, 1, sound.AGENT_HZ) == ["voice", "silence", "voice", "else", "voice", "silence", "voice"]
    assert _story(path, 0, sound.CALLER_HZ) == ["voice", "silence", "voice"], "only the pause silences the caller"
    history = rig.center.history("13700000011")
    assert history["hold_ms"] >= 1000 * LASTS_S and history["outcome"] == "served"


def test_tones_reach_the_caller(rig: Rig) -> None:
    sales, ears = rig.center.agent("李娜"), sound.Ears()
    rig.seat(sales)
    rig.center.make_ready(sales)
    try:
        caller = call_in_menu(rig, "13700000012", ears=ears.port)
        for key in "11":
            caller.press(key)
            time.sleep(0.5)
        call = talking(rig, "13700000012", sales)
        _ask(rig, sales, e.DigitsRequested, call=call.id, digits="13#*")
        assert ears.keys(4) == "13#*"
        until(rig, "13700000012", lambda now: now.digits_sent == 4, "counted")
    finally:
        ears.close()
    facts = rig.center.rows("SELECT data::text AS text FROM calls_factrecord WHERE call = %s", call.id)
    assert facts and not any("13#*" in row["text"] for row in facts)
    caller.hang_up()
    finish_wrap_up(rig, sales, call.id)


def test_an_agent_dials_out_and_the_customer_can_be_handed_on(rig: Rig) -> None:
    sales, expert = rig.center.agent("李娜"), rig.center.agent("陈静")
    rig.seat(sales, expert)
    rig.center.make_ready(sales)
    number = "13900000021"
    _ask(rig, sales, e.DialRequested, number=number, customer="c7", attached={"order": "A1"})
    call = talking(rig, number, sales, 30)
    assert call.customer == "c7" and call.attached == {"order": "A1"}
    path = _recording(rig, call)
    eventually(lambda: path.exists() and path.stat().st_size > 2 * 8000 * 2 * 2, 30, "two seconds recorded")
    rig.center.make_ready(expert)
    queue = next(queue.id for queue in rig.center.state().config.queues.values() if queue.name == "客服")
    _ask(rig, sales, e.TransferRequested, call=call.id, kind=e.TransferKind.QUEUE, target=queue, note="wants B2")
    talking(rig, number, expert)
    assert _story(path, 0, sound.AGENT_HZ) == ["voice"], "the trunk's people speak the same tone as the seats"
    assert _story(path, 1, sound.AGENT_HZ) == ["voice"]
    assert rig.center.agent_state(sales.id) is AgentState.WRAP_UP
    finish_wrap_up(rig, sales, call.id)
    assert rig.center.agent_state(sales.id) is AgentState.READY
    _ask(rig, expert, e.HangUpRequested, call=call.id)
    finish_wrap_up(rig, expert, call.id)
    eventually(lambda: not rig.switch.api.channels(), 15, "every leg gone")
    history = rig.center.history(number)
    assert (history["direction"], history["outcome"]) == ("outbound", "served")
    legs = rig.center.rows("SELECT role, answered_at FROM calls_leg WHERE call_id = %s ORDER BY started_at", call.id)
    assert [leg["role"] for leg in legs] == ["agent", "customer", "agent"] and all(leg["answered_at"] for leg in legs)


def test_an_agent_stops_dialling(rig: Rig) -> None:
    sales = rig.center.agent("李娜")
    rig.seat(sales, ring_ms=4000)
    rig.center.make_ready(sales)
    _ask(rig, sales, e.DialRequested, number="13900000022")
    call = in_state(rig, "13900000022", CallState.DIALING)
    eventually(lambda: rig.switch.api.channels(), 5, "the device rings")
    _ask(rig, sales, e.HangUpRequested, call=call.id)
    rig.center.wait_for(sales, AgentState.READY)
    eventually(lambda: not rig.switch.api.channels(), 10, "nothing rings any more")
    assert rig.center.history("13900000022")["outcome"] == "cancelled"


def test_a_declined_caller_keeps_the_place(rig: Rig) -> None:
    first, second = rig.center.agent("李娜"), rig.center.agent("王芳")
    rig.seat(first, second, ring_ms=4000)
    rig.center.make_ready(first, second)
    caller = call_into_sales(rig, "13700000013")
    call = until(rig, "13700000013", lambda now: now.offer is not None, "offered")
    assert call.wait is not None and call.offer is not None
    if call.offer.agent == second.id:  # everybody has their turn in this queue: it depends on the tests before
        first, second = second, first
    queued_ms = call.wait.queued_ms
    _ask(rig, first, e.DeclineRequested, call=call.id)
    call = until(rig, "13700000013", lambda now: now.offer is not None and now.offer.agent == second.id, "offered on")
    assert call.wait is not None and call.wait.queued_ms == queued_ms
    assert rig.center.agent_state(first.id) is AgentState.PAUSED
    talking(rig, "13700000013", second)
    caller.hang_up()
    finish_wrap_up(rig, second, call.id)
