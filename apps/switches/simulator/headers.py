"""An event's headers as a real switch sends them (fixtures/event_socket), from the channel as it is now."""

from __future__ import annotations

import json
import time
import urllib.parse
from typing import TYPE_CHECKING

from apps.switches.simulator.channel import CALLSTATE_NUMBER, STATE_NUMBER, Channel

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

# These carry no variables.
BARE = frozenset({"CHANNEL_STATE", "CHANNEL_CALLSTATE", "CHANNEL_OUTGOING", "DTMF"})
FINISHED = frozenset({"CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"})
Q850 = {
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "UNALLOCATED_NUMBER": 1,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "INCOMPATIBLE_DESTINATION": 88,
    "SWITCH_CONGESTION": 42,
}


def event(switch: Switch, sequence: int, name: str, channel: Channel | None, extra: dict[str, str]) -> dict[str, str]:
    headers = _common(switch, sequence, name)
    body = extra.get("_body")
    first = {k: v for k, v in extra.items() if k.startswith(("Bridge-", "Original-"))}
    headers.update(first)
    if channel is not None:
        headers.update(channel_headers(channel, name))
    headers.update((k, v) for k, v in extra.items() if k not in first and k != "_body")
    if body is not None:
        headers["Content-Length"] = str(len(body.encode(errors="surrogateescape")))
        headers["_body"] = body
    return headers


def _common(switch: Switch, sequence: int, name: str) -> dict[str, str]:
    now_ms = switch.clock.now_ms
    moment = time.gmtime(now_ms / 1000)
    return {
        "Event-Name": name,
        "Core-UUID": switch.core_uuid,
        "FreeSWITCH-Hostname": switch.globals["hostname"],
        "FreeSWITCH-Switchname": switch.globals["hostname"],
        "FreeSWITCH-IPv4": "127.0.0.1",
        "FreeSWITCH-IPv6": "::1",
        "Event-Date-Local": time.strftime("%Y-%m-%d %H:%M:%S", moment),
        "Event-Date-GMT": time.strftime("%a, %d %b %Y %H:%M:%S GMT", moment),
        "Event-Date-Timestamp": str(now_ms * 1000),
        "Event-Calling-File": "simulator",
        "Event-Calling-Function": name.lower(),
        "Event-Calling-Line-Number": "1",
        "Event-Sequence": str(sequence),
    }


def channel_headers(channel: Channel, name: str) -> dict[str, str]:
    headers = {
        "Channel-State": channel.state,
        "Channel-Call-State": channel.callstate,
        "Channel-State-Number": str(STATE_NUMBER[channel.next_state]),
        "Channel-Name": channel.name,
        "Unique-ID": channel.uuid,
        "Call-Direction": channel.direction,
        "Presence-Call-Direction": channel.direction,
        "Channel-HIT-Dialplan": "true" if channel.hit_dialplan else "false",
        "Channel-Call-UUID": channel.uuid,
        "Answer-State": channel.answer_state,
    }
    if name == "CHANNEL_CALLSTATE":
        headers["Channel-Call-State-Number"] = str(CALLSTATE_NUMBER.get(channel.callstate, 0))
    if channel.hangup_cause:
        headers["Hangup-Cause"] = channel.hangup_cause
    if channel.answered or channel.direction == "inbound":
        headers.update(_codecs())
    headers.update(_profile("Caller", channel))
    if channel.peer is not None:
        headers["Other-Type"] = "originatee"
        headers.update(_profile("Other-Leg", channel.peer))
    if name not in BARE and name != "CUSTOM":
        headers.update((f"variable_{key}", value) for key, value in channel.variables.items())
    if name in FINISHED:
        headers.update((f"variable_{key}", value) for key, value in _times(channel).items())
    return headers


def _codecs() -> dict[str, str]:
    names = {"Name": "PCMU", "Rate": "8000", "Bit-Rate": "64000"}
    return {f"Channel-{way}-Codec-{key}": value for way in ("Read", "Write") for key, value in names.items()}


def _profile(prefix: str, channel: Channel) -> dict[str, str]:
    inbound = channel.direction == "inbound"
    fields = {
        "Direction": channel.direction,
        "Logical-Direction": channel.direction,
        "Caller-ID-Name": channel.caller_name,
        "Caller-ID-Number": channel.caller_number,
        "Orig-Caller-ID-Name": channel.caller_name,
        "Orig-Caller-ID-Number": channel.caller_number,
        "Network-Addr": channel.network_addr,
        "ANI": channel.caller_number,
        "Destination-Number": channel.destination,
        "Unique-ID": channel.uuid,
        "Source": "mod_sofia" if inbound else "src/switch_ivr_originate.c",
        "Context": channel.context,
        "Channel-Name": channel.name,
        "Profile-Created-Time": _micros(channel.created_ms),
        "Channel-Created-Time": _micros(channel.created_ms),
        "Channel-Answered-Time": _micros(channel.answered_ms),
        "Channel-Progress-Time": _micros(channel.progress_ms),
        "Channel-Progress-Media-Time": "0",
        "Channel-Hangup-Time": _micros(channel.hangup_ms),
        "Channel-Transfer-Time": "0",
        "Channel-Resurrect-Time": "0",
        "Channel-Bridged-Time": _micros(channel.bridged_ms),
        "Channel-Last-Hold": _micros(channel.held_ms),
        "Channel-Hold-Accum": str(channel.hold_total_ms * 1000),
        "Screen-Bit": "true",
        "Privacy-Hide-Name": "false",
        "Privacy-Hide-Number": "false",
    }
    if inbound and prefix == "Caller":
        fields = {"Username": channel.caller_number, "Dialplan": "XML", **fields}
    return {f"{prefix}-{key}": value for key, value in fields.items() if value}


def _micros(ms: int) -> str:
    return str(ms * 1000)


def _times(channel: Channel) -> dict[str, str]:
    """The times that exist only when the call is over."""
    end_ms = channel.hangup_ms
    moments = {
        "start": channel.created_ms,
        "answer": channel.answered_ms,
        "bridge": channel.bridged_ms,
        "progress": channel.progress_ms,
        "end": end_ms,
    }
    found = {}
    for name, ms in moments.items():
        found[f"{name}_epoch"] = str(ms // 1000)
        found[f"{name}_uepoch"] = _micros(ms)
    length_ms = end_ms - channel.created_ms
    billed_ms = end_ms - channel.answered_ms if channel.answered else 0
    found.update(
        duration=str(length_ms // 1000),
        mduration=str(length_ms),
        billsec=str(billed_ms // 1000),
        billmsec=str(billed_ms),
        hold_accum_ms=str(channel.hold_total_ms),
        hangup_cause=channel.hangup_cause,
        hangup_cause_q850=str(Q850.get(channel.hangup_cause, 0)),
        last_app=channel.variables.get("current_application", ""),
        caller_id=f'"{channel.caller_name}" <{channel.caller_number}>',
    )
    return found


def as_json(headers: dict[str, str]) -> bytes:
    """Control characters escaped, everything else as it came: what came as invalid UTF-8 leaves as it came."""
    return json.dumps(headers, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogateescape")


def quote(value: str) -> str:
    """URL-encoding as in plain events and the connect reply."""
    return urllib.parse.quote(value, safe="!$'()*,-./_~", errors="surrogateescape")


def as_plain(headers: dict[str, str]) -> bytes:
    """As switch_event_serialize writes it: an empty value has a word of its own, a body is counted."""
    body = headers.get("_body", "")
    lines = [f"{key}: {quote(value) or '_undef_'}\n" for key, value in headers.items() if key != "_body"]
    counted = f"Content-Length: {len(body.encode(errors='surrogateescape'))}\n\n{body}" if body else "\n"
    return ("".join(lines) + counted).encode(errors="surrogateescape")
