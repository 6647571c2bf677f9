"""The main job on a real switch: menu, music, the right agent, talk, wrap-up, and all of it in PostgreSQL."""

from __future__ import annotations

from typing import Any

from apps.core.calls.model import CallState
from tests.switch_live import sound
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import at_node, call_in_menu, finish_wrap_up, in_state, talking
from tests.switch_live.waiting import eventually

NUMBER = "13800138000"


def test_one_call_from_the_menu_to_the_disposition(rig: Rig) -> None:
    center = rig.center
    wrong_queue, longest_idle, other = (center.agent(name) for name in ("杨帆", "李娜", "王芳"))
    seat = rig.seat(wrong_queue, longest_idle, other, ring_ms=1500)
    center.make_ready(wrong_queue, longest_idle, other)
    caller = call_in_menu(rig, NUMBER, "Wang Fang")
    caller.press("1")
    at_node(rig, NUMBER, "main")
    caller.press("1")
    call = in_state(rig, NUMBER, CallState.WAITING)
    eventually(lambda: "local_stream://default" in _playing(rig, call.leg), 5, "music while the telephone rings")
    call = talking(rig, NUMBER, longest_idle)
    recording = eventually(lambda: center.rows("SELECT * FROM recordings_recording WHERE call_id = %s", call.id))[0]
    path = rig.switch.recordings / recording["path"]
    eventually(lambda: path.exists() and path.stat().st_size > 3 * 8000 * 2 * 2, 30, "three seconds recorded")
    assert call.bridge is not None
    seat.hang_up(rig.switch.api.variable(call.bridge.leg, "sip_call_id"))
    finish_wrap_up(rig, longest_idle, call.id, "order")
    caller.hang_up()
    _check_history(rig, call.id, longest_idle.id)
    _check_recording(path)


def _playing(rig: Rig, leg: str) -> str:
    rows = [row for row in rig.switch.api.channels() if row["uuid"] == leg]
    return str(rows[0].get("application_data", "")) if rows else ""


def _check_history(rig: Rig, call: str, agent: str) -> None:
    history = rig.center.history(NUMBER)
    assert history["id"] == call and history["outcome"] == "served" and history["did"] == "4008005566"
    assert history["caller_name"] == "Wang Fang"
    assert history["answered_at"] <= history["connected_at"] < history["ended_at"]
    assert history["talk_ms"] >= 3000 and history["wait_ms"] > 0 and history["wrap_up_ms"] > 0
    legs = rig.center.rows("SELECT * FROM calls_leg WHERE call_id = %s ORDER BY started_at", call)
    assert [leg["role"] for leg in legs] == ["customer", "agent"]
    assert all(leg["answered_at"] and leg["ended_at"] for leg in legs)
    segments = rig.center.rows("SELECT * FROM calls_segment WHERE call_id = %s ORDER BY sequence", call)
    assert [segment["kind"] for segment in segments] == ["ivr", "queue", "talk"]
    assert all(segment["duration_ms"] is not None for segment in segments)
    decision = _only(rig.center.rows("SELECT * FROM calls_decision WHERE call_id = %s", call))
    assert str(decision["agent_id"]) == agent and decision["rule"] == "round_robin"
    assert decision["outcome"] == "answered" and decision["waiting_calls"] == 1
    note = _only(rig.center.rows("SELECT * FROM calls_calldisposition WHERE call_id = %s", call))
    assert (note["disposition"], note["note"], str(note["agent_id"])) == ("order", "live test", agent)
    recording = _only(rig.center.rows("SELECT * FROM recordings_recording WHERE call_id = %s", call))
    assert recording["status"] == "done" and recording["duration_ms"] >= 3000


def _only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


def _check_recording(path: Any) -> None:
    """Left the caller's tone, right the agent's; neither silent."""
    caller, agent = (channel[8000:24000] for channel in sound.channels(path))
    assert sound.rms(caller) > 500 and sound.rms(agent) > 500
    assert sound.strength(caller, sound.CALLER_HZ) > 0.5 > 0.1 > sound.strength(caller, sound.AGENT_HZ)
    assert sound.strength(agent, sound.AGENT_HZ) > 0.5 > 0.1 > sound.strength(agent, sound.CALLER_HZ)
