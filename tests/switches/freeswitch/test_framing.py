from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switches.freeswitch.framing import (
    MAX_MESSAGE_BYTES,
    Framer,
    Message,
    PlainEvent,
    ProtocolError,
    parse_json,
    unquoted,
)
from tests.switches.freeswitch.recorded import plain

BODIES = st.binary(max_size=200)


def wire(body: bytes, blank_lines: int = 0) -> bytes:
    return b"\n" * blank_lines + b"Content-Type: text/event-json\nContent-Length: %d\n\n" % len(body) + body


@given(st.lists(st.tuples(BODIES, st.integers(0, 3))), st.lists(st.integers(1, 90)))
def test_any_chunking_gives_the_same_messages(parts: list[tuple[bytes, int]], cuts: list[int]) -> None:
    data = b"".join(wire(body, blanks) for body, blanks in parts)
    framer, at, messages = Framer(), 0, []
    for cut in cuts:
        messages += framer.feed(data[at : at + cut])
        at += cut
    messages += framer.feed(data[at:])
    assert [message.body for message in messages] == [body for body, _ in parts]
    assert messages == Framer().feed(data)


@given(st.binary(max_size=400))
def test_noise_never_crashes(data: bytes) -> None:
    framer = Framer()
    try:
        for at in range(0, len(data), 13):
            framer.feed(data[at : at + 13])
    except ProtocolError:
        pass


def test_a_body_over_the_limit_is_refused_before_it_comes() -> None:
    head = b"Content-Type: text/event-json\nContent-Length: %d\n\n"
    assert Framer().feed(head % MAX_MESSAGE_BYTES) == []
    with pytest.raises(ProtocolError):
        Framer().feed(head % (MAX_MESSAGE_BYTES + 1))


def test_endless_headers_are_refused() -> None:
    framer = Framer(limit=10_000)
    with pytest.raises(ProtocolError):
        for _ in range(20):
            framer.feed(b"X: " + b"y" * 1000 + b"\n")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣", "9" * 13, "+5"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(ProtocolError):
        Framer().feed(f"Content-Length: {length}\n\n".encode())


def test_the_first_of_two_equal_headers_counts() -> None:
    (message,) = Framer().feed(b"Content-Type: command/reply\nReply-Text: +OK\nReply-Text: -ERR\n\n")
    assert message == Message({"Content-Type": "command/reply", "Reply-Text": "+OK"}, b"")


def test_a_connect_reply_is_unquoted_after_its_lines_were_split() -> None:
    data = (
        b"Content-Type: command/reply\nCaller-Caller-ID-Name: x%0AUnique-ID%3A%20mine\nUnique-ID: theirs\nBad: %FF\n\n"
    )
    (message,) = Framer().feed(data)
    headers = unquoted(message.headers, (*message.headers, "Missing"))
    assert headers["Unique-ID"] == "theirs"
    assert headers["Caller-Caller-ID-Name"] == "x\nUnique-ID: mine"
    assert headers["Bad"] == "\ufffd"


NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-", min_size=1).filter(lambda name: name != "_body")


@given(st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"))), st.text(st.characters(codec="utf-8")))
def test_a_plain_event_comes_back_whatever_its_values_hold(headers: dict[str, str], body: str) -> None:
    event = {"Event-Name": "CUSTOM", **headers}
    read = PlainEvent(plain({**event, "_body": body}))
    assert {name: read.get(name) for name in event} == event
    assert read.get("_body") == body
    assert read.get("_no_such_header") is None


def test_nothing_a_caller_chose_becomes_a_header_of_a_plain_event() -> None:
    name = "x\nUnique-ID: mine\n\nEvent-Name: HEARTBEAT"
    read = PlainEvent(plain({"Event-Name": "CHANNEL_PARK", "Caller-Caller-ID-Name": name, "Unique-ID": "theirs"}))
    assert (read.get("Event-Name"), read.get("Unique-ID")) == ("CHANNEL_PARK", "theirs")
    assert read.get("Caller-Caller-ID-Name") == name
    # What already looks encoded, the switch passes on as it is. **live**
    read = PlainEvent(b"Event-Name: CHANNEL_PARK\nn: x%0aUnique-ID%3A%20mine\nUnique-ID: theirs\nUnique-ID: mine\n\n")
    assert read.get("Unique-ID") == "theirs"
    assert PlainEvent(b"Event-Name: X\nn: %FF\xfe\n\n").get("n") == "\ufffd\ufffd"


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"Event-Name: X\n", b"{}", b"n: x\n\nEvent-Name: X\n"])
def test_what_is_no_event_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        PlainEvent(raw)


@given(st.dictionaries(st.text(), st.text()))
def test_json_comes_back(event: dict[str, str]) -> None:
    body = json.dumps(event).encode("utf-8", "surrogatepass")
    assert parse_json(body) == json.loads(json.dumps(event))


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"Event-Name":"X","n":"\xff\xfe"}', "\ufffd\ufffd"),
        (b'{"Event-Name":"X","n":"\\ud800"}', "\ud800"),
        (b'{"Event-Name":"X","n":"a\x01b"}', "a\x01b"),
    ],
)
def test_a_body_that_is_not_quite_json_is_read_all_the_same(body: bytes, name: str) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)
    assert parse_json(body) == {"Event-Name": "X", "n": name}


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"'])
def test_a_body_that_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(body)
