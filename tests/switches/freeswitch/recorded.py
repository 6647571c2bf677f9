"""Plays a recorded session to the driver's logic, as if the driver had sent what the recording's controller sent."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from apps.core.events import LegRole, SwitchEvent
from apps.core.ids import LegId, RecordingId
from apps.switches.freeswitch.control import Control
from apps.switches.freeswitch.decode import ARRIVAL_HEADERS
from apps.switches.freeswitch.framing import Framer, Message, PlainEvent, parse_json, unquoted
from apps.switches.freeswitch.legs import Leg
from tests.switches.freeswitch.fakes import FakePorts, control

SESSIONS = Path(__file__).parents[3] / "fixtures" / "event_socket"
NAMES = sorted(path.name.removesuffix(".jsonl.gz") for path in SESSIONS.glob("*.jsonl.gz"))

_ORIGINATE = re.compile(r"originate \{origination_uuid=([^,}]+)")
_BRIDGE = re.compile(r"uuid_bridge (\S+) (\S+)")
_RECORD = re.compile(r"uuid_record (\S+) start (\S+)")
_UNSAFE = '\r\n #%&+:;<=>?@[\\]^`{|}"'
_JOB = re.compile(r"Job-UUID: (\S+)")


def lines(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(SESSIONS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
        for row in rows:
            yield json.loads(row)


def plain(event: Mapping[str, Any]) -> bytes:
    """A recorded event in the form the driver asks for (EV switch_event_serialize, switch_url_encode)."""
    body = event.get("_body", "")
    rows = [f"{name}: {_encoded(value) or '_undef_'}\n" for name, value in event.items() if name != "_body"]
    return "".join([*rows, f"Content-Length: {len(body.encode())}\n\n{body}" if body else "\n"]).encode()


def _encoded(value: str | list[str]) -> str:
    if isinstance(value, list):  # a variable that was pushed to
        value = "ARRAY::" + "|:".join(value)
    return "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and chr(byte) not in _UNSAFE else f"%{byte:02X}"
        for byte in value.encode("utf-8", "surrogatepass")
    )


def raw(name: str, conn: str) -> bytes:
    """Every byte that the switch sent on a connection."""
    return b"".join(
        row["data"].encode("utf-8", "surrogateescape")
        for row in lines(name)
        if row["conn"] == conn and row["dir"] == "<"
    )


@dataclass
class Player:
    control: Control
    ports: FakePorts
    _framers: dict[str, Framer] = field(default_factory=dict)
    _greeted: bool = False

    def play(self, name: str) -> list[SwitchEvent]:
        for row in lines(name):
            if row["dir"] == ">" and row["conn"] == "inbound":
                self._sent(row["data"])
            elif row["dir"] == ">" and row["data"].startswith("connect"):
                self._greeted = False
            elif row["dir"] == "<":
                data = row["data"].encode("utf-8", "surrogateescape")
                for message in self._framers.setdefault(row["conn"], Framer()).feed(data):
                    self._received(row["conn"], message)
        return self.ports.take()

    def _sent(self, text: str) -> None:
        job = _JOB.search(text)
        now_ms = self.ports.now_ms()
        if found := _ORIGINATE.search(text):
            leg = Leg(leg=LegId(found[1]), role=LegRole.AGENT, since_ms=now_ms, job=job[1] if job else "")
            self.control.legs.add(leg)
            if job:
                self.control._jobs[job[1]] = lambda body: self.control._originated(leg, body)
        elif found := _RECORD.search(text):
            known = self.control.legs.get(found[1])
            if known is not None:
                known.recordings[found[2]] = RecordingId("rec")

    def _received(self, conn: str, message: Message) -> None:
        if conn == "outbound":
            if message.content_type == "command/reply" and not self._greeted:
                self._greeted = True
                self.control.arrived(unquoted(message.headers, ARRIVAL_HEADERS))
        elif conn == "inbound" and message.content_type == "text/event-json":
            headers = parse_json(message.body)
            if headers["Event-Name"] == "CHANNEL_CREATE" and headers["Call-Direction"] == "inbound":
                # These callers were parked by the dialplan; ours would have come by an arrival socket.
                uuid = LegId(headers["Unique-ID"])
                self.control.legs.add(Leg(leg=uuid, role=LegRole.CUSTOMER, since_ms=self.ports.now_ms()))
            self.control.event(PlainEvent(plain(headers)))


def play(name: str) -> list[SwitchEvent]:
    return Player(*control()).play(name)


def brief(events: list[SwitchEvent]) -> list[str]:
    """One line an event, legs numbered as they come up: ``LegHungUp A busy USER_BUSY``."""
    names: dict[str, str] = {}

    def word(key: str, value: object) -> str:
        if key in ("leg", "other"):
            return names.setdefault(str(value), chr(ord("A") + len(names)))
        return str(value.value) if isinstance(value, Enum) else json.dumps(value, ensure_ascii=False)

    return [
        " ".join(
            [type(event).__name__]
            + [
                word(key, getattr(event, key)).strip('"')
                for key in event.__dataclass_fields__
                if key != "switch" and getattr(event, key) not in ("", None)
            ]
        )
        for event in events
    ]
