"""One file of FreeSWITCH's mod_json_cdr: one leg, written when it ended.

Seen on FreeSWITCH 1.11.1 (fixtures/cdr): values of ``variables`` are percent-encoded, ``caller_profile`` is not, and
what a caller sent may not be UTF-8. ``*_uepoch`` are microseconds since the epoch, 0 for what never happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson

LARGEST = 2 << 20
LONGEST_TEXT = 255


class BadRecord(ValueError):
    """The file is none of mod_json_cdr, or not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRecord:
    """Times are milliseconds since the epoch, None for what never happened."""

    uuid: str
    inbound: bool
    call: str  # ours, if the engine has seen it
    tenant: str
    did: str
    caller_number: str
    caller_name: str
    trunk: str
    fell_back: bool  # no engine answered, and the switch helped itself
    started_ms: int
    answered_ms: int | None
    bridged_ms: int | None
    ended_ms: int
    bridged_to: str
    cause: str


def read(path: Path) -> LegRecord:
    """Raises ``BadRecord``, ``OSError``."""
    if path.stat().st_size > LARGEST:
        raise BadRecord("larger than any call's record")
    try:
        data = orjson.loads(path.read_bytes().decode(errors="replace"))
        return _parsed(data["variables"], _first_profile(data["callflow"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BadRecord(f"{type(error).__name__}: {error}") from error


def _first_profile(callflow: Any) -> Mapping[str, Any]:
    """As the leg was at its start: the newest piece of its way comes first."""
    profile: Mapping[str, Any] = (callflow if isinstance(callflow, list) else [callflow])[-1]["caller_profile"]
    return profile


def _parsed(variables: Mapping[str, Any], profile: Mapping[str, Any]) -> LegRecord:
    def text(name: str) -> str:
        return _clean(unquote(str(variables.get(name, "")), errors="replace"))

    started, ended = _ms(variables, "start_uepoch"), _ms(variables, "end_uepoch")
    if not text("uuid") or started is None or ended is None:
        raise BadRecord("no uuid, start or end")
    # role:call:tenant:agent, put there by the engine that took the call (apps/switches/freeswitch/encode.py).
    _, call, tenant, *_ = [*text("trunkline_leg").split(":"), "", "", ""]
    number = _clean(str(profile.get("caller_id_number", "")))
    name = _clean(str(profile.get("caller_id_name", "")))
    return LegRecord(
        uuid=text("uuid"),
        inbound=text("direction") == "inbound",
        call=call,
        tenant=tenant,
        did=text("trunkline_did"),
        caller_number=number,
        caller_name="" if name == number else name,
        trunk=text("sip_gateway_name") or text("sip_received_ip"),
        fell_back=text("trunkline_fallback") == "true",
        started_ms=started,
        answered_ms=_ms(variables, "answer_uepoch"),
        bridged_ms=_ms(variables, "bridge_uepoch"),
        ended_ms=max(started, ended),
        bridged_to=text("last_sent_callee_id_number"),
        cause=text("hangup_cause"),
    )


def _ms(variables: Mapping[str, Any], name: str) -> int | None:
    value = str(variables.get(name, "0"))
    if not (value.isascii() and value.isdecimal() and len(value) < 18):
        raise BadRecord(f"{name} is {value[:40]!r}")
    return int(value) // 1000 or None


def _clean(text: str) -> str:
    """What PostgreSQL and a page can hold; nothing of it is ever an argument of anything."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:LONGEST_TEXT]
