"""Event Socket framing: commands in, replies and events out."""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST_COMMAND = 10 * 1024 * 1024  # as the real one
LONGEST_BODY = 16 * 1024 * 1024


class TooLong(Exception):
    """Nobody sends that much by accident; the connection is closed."""


@dataclass(slots=True)
class Command:
    """First line, headers with lower-case names, body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


class CommandReader:
    """Bytes in any pieces to whole commands."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Command]:
        self._buffer += data
        found = []
        while (command := self._next()) is not None:
            found.append(command)
        return found

    def _next(self) -> Command | None:
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, end, rest = self._buffer.partition(b"\n\n")
        if not end:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            if len(self._buffer) > LONGEST_COMMAND:
                raise TooLong
            return None
        lines = head.decode("utf-8", "surrogateescape").replace("\r", "").split("\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length_text = headers.get("content-length", "0")
        length = int(length_text) if length_text.isdecimal() else 0
        if length > LONGEST_BODY:
            raise TooLong
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return Command(lines[0].strip(), headers, rest[:length].decode("utf-8", "surrogateescape"))


def reply(text: str, extra: dict[str, str] | None = None) -> bytes:
    lines = {"Content-Type": "command/reply", "Reply-Text": text, **(extra or {})}
    return _head(lines)


def api_response(body: str) -> bytes:
    raw = body.encode("utf-8", "surrogateescape")
    if not raw:
        raw = b"-ERR no reply\n"
    return _head({"Content-Type": "api/response", "Content-Length": str(len(raw))}) + raw


def event_frame(kind: str, raw: bytes) -> bytes:
    return _head({"Content-Length": str(len(raw)), "Content-Type": f"text/event-{kind}"}) + raw


def notice(headers: dict[str, str], body: str = "") -> bytes:
    lines = {"Content-Type": "text/disconnect-notice", **headers, "Content-Length": str(len(body))}
    return _head(lines) + body.encode()


def _head(lines: dict[str, str]) -> bytes:
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return (text + "\n").encode("utf-8", "surrogateescape")


AUTH_REQUEST = b"Content-Type: auth/request\n\n"
GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
