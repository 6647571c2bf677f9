"""The simulator against recorded sessions: same commands, same replies, same order of events, same key headers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from apps.switches.simulator.phones import Answering
from tests.switches.simulator.replay import RECORDED_PORT, Replay
from tests.switches.simulator.sessions import SESSIONS as RECORDED
from tests.switches.simulator.sessions import Item, load

NOT_MODELLED = {
    "CALL_UPDATE": "the display update of a phone: how many come depends on timing, and nobody needs one",
    "CHANNEL_STATE": "the state machine's inner steps: the states ride on every other event, and are compared there",
    "API": "every command says what it is; its reply is compared",
    "CODEC": "of the media, which nobody hears here",
    "HEARTBEAT": "by the clock",
    "PRESENCE_IN": "of SIP presence, which nobody asks the simulator for",
    "RE_SCHEDULE": "by the clock",
    "MEDIA_BUG_START": "RECORD_START says it; eavesdrop's bugs are not modelled",
    "MEDIA_BUG_STOP": "RECORD_STOP says it",
}
NOT_MODELLED_IN_A_ROOM = frozenset({"conference-create", "conference-destroy", "floor-change"})
"""Who speaks loudest, and the room itself: the product asks who is in it."""

# On the call's own socket it comes or not: the switch parks while the controller still says what it wants to hear.
A_MATTER_OF_LUCK = ("outbound", "CHANNEL_PARK")
IGNORED = frozenset(NOT_MODELLED) | {" ".join(A_MATTER_OF_LUCK)}
# Compared on its own: with divert_events its place among the others is the session's private queue's.
UNORDERED = frozenset({"DTMF"})

COMPARED = (
    "Channel-State",
    "Channel-State-Number",
    "Channel-Call-State",
    "Answer-State",
    "Call-Direction",
    "Hangup-Cause",
    "Application",
    "Application-Data",
    "Application-Response",
    "Other-Leg-Unique-ID",
    "Bridge-A-Unique-ID",
    "Bridge-B-Unique-ID",
    "Playback-File-Path",
    "Playback-Status",
    "Record-File-Path",
    "DTMF-Digit",
    "DTMF-Source",
    "Job-Command",
    "_body",
)
KEY_HEADERS = (
    *COMPARED,
    "Event-Name",
    "Core-UUID",
    "FreeSWITCH-Hostname",
    "Event-Date-Timestamp",
    "Event-Sequence",
    "Unique-ID",
    "Channel-Name",
    "Channel-Call-UUID",
    "Channel-HIT-Dialplan",
    "Presence-Call-Direction",
    "Caller-Direction",
    "Caller-Caller-ID-Number",
    "Caller-Destination-Number",
    "Caller-Unique-ID",
    "Caller-Channel-Name",
    "Caller-Context",
    "Caller-Channel-Created-Time",
    "Caller-Channel-Answered-Time",
    "Caller-Channel-Hangup-Time",
    "Other-Type",
    "Other-Leg-Direction",
    "Other-Leg-Destination-Number",
    "Other-Leg-Channel-Name",
    "Application-UUID",
    "Job-UUID",
    "variable_uuid",
    "variable_direction",
    "variable_session_id",
    "variable_current_application",
    "variable_hangup_cause",
    "variable_record_ms",
    "variable_bridge_uuid",
    "variable_duration",
    "variable_billsec",
    "variable_billmsec",
    "variable_start_uepoch",
    "variable_answer_uepoch",
    "variable_end_uepoch",
    "variable_hangup_cause_q850",
)

FAILURES = {
    "busy": Answering.BUSY,
    "congestion": Answering.CONGESTION,
    "declined": Answering.REJECT,
    "gone": Answering.GONE,
    "no_answer": Answering.NEVER,
    "not_acceptable": Answering.INCOMPATIBLE,
    "not_found": Answering.UNALLOCATED,
    "unavailable": Answering.UNAVAILABLE,
    "unreachable": Answering.AUTO,  # another port: nobody is there
    "bad_gateway": Answering.AUTO,
    "bad_profile": Answering.AUTO,
    "not_registered": Answering.AUTO,
}
SESSIONS: dict[str, dict[str, Any]] = {
    **{f"originate_fail_{name}": {"answering": answering} for name, answering in FAILURES.items()},
    "agent_hangs_up_hangup_after_bridge": {},
    "agent_hangs_up_park_after_bridge": {},
    "api_errors_and_status": {},
    "caller_abandons": {},
    "conference_three_way": {},
    "hostile_caller_display_pct0a": {},
    "hostile_caller_display_utf8": {},
    "hostile_caller_user_pct0a": {},
    "originate_cancelled_by_controller": {"answering": Answering.NEVER},
    "out_ivr_queue_bridge": {},
    "outbound_socket_dropped_resume_false": {},
    "outbound_socket_dropped_resume_true": {},
    "outbound_socket_refused": {"listens": False},
    "persistent_agent_leg": {},
    "supervise_record_transfer": {},
}


def described(item: Item, rename: dict[str, str], arrivals: str) -> tuple[str, ...]:
    headers = item.headers or {}
    found = [item.name]
    for name in COMPARED:
        value = headers.get(name)
        if isinstance(value, str):
            for simulated, recorded in rename.items():
                value = value.replace(simulated, recorded)
            found.append(
                f"{name}={value.replace(arrivals, RECORDED_PORT).replace('127.0.0.1:1 ', RECORDED_PORT + ' ')}"
            )
    return tuple(found)


def in_order(items: list[Item], rename: dict[str, str], arrivals: str) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """For each connection and channel its events; jobs and keys on their own."""
    found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for item in items:
        if item.kind == "event" and item.name not in NOT_MODELLED and (item.conn, item.name) != A_MATTER_OF_LUCK:
            uuid = rename.get(item.uuid, item.uuid)
            lane = item.name if item.name in UNORDERED or not uuid else uuid
            found.setdefault((item.conn, lane), []).append(described(item, rename, arrivals))
    return found


def shape(text: str) -> str:
    """A reply without what differs from one run, or one machine, to the next."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    if text.startswith('{"row_count":') and "rows" in text:
        return "<rows>"
    text = re.sub(r"^(\d+;sofia/[^;:]*)[^;]*(;[^;]*);.*$", r"\1\2", text, flags=re.MULTILINE)  # a room: who is in it
    text = re.sub(r"^UP .*", "<status>", text, flags=re.DOTALL)
    text = re.sub(r"^ +Name\t.*", "<sofia status>", text, flags=re.DOTALL)
    return re.sub(r"^\d{10}$", "<epoch>", text)


def replies(items: list[Item], conn: str) -> list[str]:
    return [shape(item.text) for item in items if item.conn == conn and item.kind in ("reply", "connect")]


def test_every_recorded_session_is_compared() -> None:
    assert set(SESSIONS) == {path.name.removesuffix(".jsonl.gz") for path in RECORDED.glob("*.jsonl.gz")}


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_recorded_session(name: str) -> None:
    items = [item for item in load(name) if (item.headers or {}).get("Action") not in NOT_MODELLED_IN_A_ROOM]
    replay = Replay(items, ignored=IGNORED, **SESSIONS[name])
    heard = await replay.run()
    rename = {simulated: recorded for recorded, simulated in replay.uuids.items()}

    for conn in {item.conn for item in items}:
        assert replies(heard, conn) == [
            text.replace("vm", "simulator") if text == "vm" else text for text in replies(items, conn)
        ]
    wanted = in_order(items, {}, replay.arrivals)
    found = in_order(heard, rename, replay.arrivals)
    for lane, events in wanted.items():
        assert found.get(lane, [])[: len(events)] == events, lane
    compare_headers(items, heard)


def compare_headers(items: list[Item], heard: list[Item]) -> None:
    """Of each kind of event, every key header that a real one carries is there."""
    found: dict[tuple[str, str], set[str]] = {}
    for item in heard:
        if item.kind in ("event", "connect"):
            direction = (item.headers or {}).get("Call-Direction", "")
            found.setdefault((item.name, direction), set()).update(item.headers or {})
    for item in items:
        headers = item.headers or {}
        lane = (item.name, headers.get("Call-Direction", ""))
        if item.kind in ("event", "connect") and lane in found:
            missing = {name for name in KEY_HEADERS if name in headers} - found[lane]
            assert not missing, (lane, missing)


@pytest.mark.parametrize("name", ["hostile_caller_display_pct0a", "hostile_caller_user_pct0a"])
async def test_hostile_text_stays_inside_its_header(name: str) -> None:
    """As on the real one: JSON escapes it, plain events URL-encode it."""
    items = load(name)
    replay = Replay(items, ignored=IGNORED)
    heard = await replay.run()
    events = [item for item in heard if item.kind == "event"]
    plain = [item.text for item in heard if item.kind == "plain"]
    assert {item.name for item in events} == {"CHANNEL_CREATE", "CHANNEL_PARK"}
    assert any("\n" in str((item.headers or {})["Caller-Caller-ID-Name"]) for item in events)
    for text in plain:
        assert [line for line in text.split("\n") if line.startswith("Event-Name:")] == ["Event-Name: CHANNEL_PARK"]
    assert any("%0A" in line for line in "\n".join(plain).split("\n") if line.startswith("Caller-Caller-ID-Name:"))
