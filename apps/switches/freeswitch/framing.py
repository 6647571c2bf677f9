"""Event Socket's framing: header lines, an empty line, and a body of ``Content-Length`` bytes (mod_event_socket.c).

Our own, because greenswitch reads line by line, decodes strictly, and unquotes a body before splitting it, by which
a caller's display name can overwrite ``Event-Name``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

import orjson

MAX_MESSAGE_BYTES = 16 * 1024 * 1024  # the switch's own limit of a body

Headers = dict[str, str]


class Event(Protocol):
    """What is read of an event, in whichever form it came: a header by its name, None when it is missing."""

    def get(self, name: str, /) -> Any: ...


class ProtocolError(Exception):
    """The peer does not speak Event Socket, or sends more than we take. The connection must be closed."""


@dataclass(frozen=True, slots=True)
class Message:
    headers: Headers
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


class Framer:
    """Cuts a byte stream into messages, however it is chunked."""

    def __init__(self, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._scanned = 0  # no blank line ends before this offset
        self._head: Headers | None = None  # headers read, body not yet complete
        self._body_bytes = 0

    def feed(self, data: bytes) -> list[Message]:
        """Messages completed by ``data``. Raises ``ProtocolError``; the framer is then of no further use."""
        self._buffer += data
        messages: list[Message] = []
        at = 0
        while True:
            if self._head is None:
                at = self._skip_blank(at)
                end = self._buffer.find(b"\n\n", max(at, self._scanned))
                if end < 0:
                    self._scanned = max(at, len(self._buffer) - 1)
                    break
                self._head, self._body_bytes = self._parse_head(bytes(self._buffer[at:end]))
                at = end + 2
                self._scanned = at
            if len(self._buffer) - at < self._body_bytes:
                break
            messages.append(Message(self._head, bytes(self._buffer[at : at + self._body_bytes])))
            at += self._body_bytes
            self._scanned = at
            self._head = None
        del self._buffer[:at]
        self._scanned = max(0, self._scanned - at)
        if len(self._buffer) > self._limit:
            raise ProtocolError(f"a message of more than {self._limit} bytes")
        return messages

    def _skip_blank(self, at: int) -> int:
        while at < len(self._buffer) and self._buffer[at] == 0x0A:
            at += 1
        return at

    def _parse_head(self, raw: bytes) -> tuple[Headers, int]:
        headers: Headers = {}
        for row in raw.decode("utf-8", "replace").split("\n"):
            name, _, value = row.partition(":")
            headers.setdefault(name.strip(), value.strip())  # the first one counts: it is the switch's own
        length = headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or len(length) > 12:
            raise ProtocolError("Content-Length is not a number")
        if int(length) > self._limit:
            raise ProtocolError(f"a body of {length} bytes; the limit is {self._limit}")
        return headers, int(length)


def unquoted(headers: Headers, names: Iterable[str]) -> Headers:
    """Some headers of the reply to ``connect``: its values are URL-encoded, to be read after the lines were split.

    Not all: a reply has 150, we need a dozen, and arrivals come in crowds (a restart brings every call at once).
    """
    return {name: unquote(headers[name], errors="replace") for name in names if name in headers}


class PlainEvent:
    """An event in the switch's plain form: lines of ``Name: URL-encoded value``, an empty line, perhaps a body.

    Plain, because JSON costs the switch several times as much to make (a call's events, some 120 KB). It is read
    where it lies: of 150 headers we want a dozen. A value is unquoted after its line was cut out, and no raw value
    holds a line break (EV switch_event_serialize), so nothing that a caller chose can become a header.
    """

    __slots__ = ("_body_at", "_raw")

    def __init__(self, raw: bytes) -> None:
        """Raises ``ValueError`` for what is no event."""
        self._raw = b"\n" + raw
        self._body_at = self._raw.find(b"\n\n")
        if self._body_at < 0 or self.get("Event-Name") is None:
            raise ValueError("not an event in plain form")

    def get(self, name: str, /) -> str | None:
        """The first header of that name: the switch's own come before a channel's variables. ``_body`` is the body."""
        if name == "_body":
            return self._raw[self._body_at + 2 :].decode("utf-8", "replace")
        mark = b"\n%s: " % name.encode()
        at = self._raw.find(mark, 0, self._body_at)
        if at < 0:
            return None
        at += len(mark)
        value = self._raw[at : self._raw.index(b"\n", at)].decode("utf-8", "replace")
        if "%" in value:
            return unquote(value, errors="replace")
        return "" if value == "_undef_" else value  # so the switch writes an empty one


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON reply, such as a channel's dump. Raises ``ValueError`` when there is no way to read it as an object.

    A caller's name may hold invalid UTF-8 or a lone surrogate, and the switch passes either on.
    """
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        event = json.loads(body.decode("utf-8", "replace"), strict=False)
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    return event
