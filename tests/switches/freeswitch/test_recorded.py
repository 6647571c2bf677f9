"""Sessions recorded with a real FreeSWITCH decode to what a person reads in them.

``expected.json`` was checked by hand against the recordings, event by event: legs are A, B, … in the order in which
they come up. (``supervise_record_transfer`` ends with the first event of another call.)
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.core.events import CallArrived
from apps.switches.freeswitch import decode
from apps.switches.freeswitch.framing import Framer, PlainEvent, parse_json
from tests.switches.freeswitch.fakes import SETTINGS
from tests.switches.freeswitch.recorded import NAMES, brief, plain, play, raw

EXPECTED: dict[str, list[str]] = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
HOSTILE = [name for name in NAMES if name.startswith("hostile_")]


def test_every_recording_has_its_expectation() -> None:
    assert len(NAMES) == 27 and sorted(EXPECTED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_session_decodes_as_read(name: str) -> None:
    assert brief(play(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("originate_")])
def test_a_failed_originate_ends_its_leg_exactly_once(name: str) -> None:
    assert sum(line.startswith("LegHungUp A") for line in brief(play(name))) == 1


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_recorded_bytes_may_come_in_any_chunks(size: int) -> None:
    data = raw("originate_fail_busy", "inbound")
    whole = Framer().feed(data)
    framer = Framer()
    parts = [message for at in range(0, len(data), size) for message in framer.feed(data[at : at + size])]
    assert parts == whole and len(whole) > 15


def _parked(name: str) -> list[decode.Headers]:
    messages = [m for m in Framer().feed(raw(name, "inbound")) if m.content_type == "text/event-json"]
    events = [PlainEvent(plain(parse_json(message.body))) for message in messages]
    return [event for event in events if event.get("Event-Name") == "CHANNEL_PARK"]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_hostile_caller_sends_is_data_and_alters_no_header(name: str) -> None:
    for message in Framer().feed(raw(name, "inbound")):
        if message.content_type == "text/event-json":
            event = PlainEvent(plain(parse_json(message.body)))
            assert str(event.get("Event-Name")).startswith("CHANNEL_")
            assert len(str(event.get("Unique-ID"))) == 36
    parked = _parked(name)
    assert parked
    for headers in parked:
        arrived = decode.arrival(headers, SETTINGS)
        assert isinstance(arrived, CallArrived)
        assert "\n" not in arrived.caller_name + arrived.caller_number


def test_the_recorded_attack_by_name() -> None:
    names = {decode.arrival(headers, SETTINGS).caller_name for name in HOSTILE for headers in _parked(name)}
    assert names >= {"x Event-Name: HEARTBEAT", "王芳 %{hangup} {a=b}"}
