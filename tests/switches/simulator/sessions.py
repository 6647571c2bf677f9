"""The recorded sessions with a real FreeSWITCH, as whole messages in the order they were read and written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SESSIONS = Path(__file__).parents[3] / "fixtures" / "event_socket"


@dataclass(slots=True)
class Item:
    """``sent`` by us, or received: a ``reply``, an ``event``, a ``connect`` reply, a ``notice``; or the ``eof``."""

    at_s: float
    conn: str
    kind: str
    text: str = ""  # sent: the raw command; reply: its text or body
    headers: dict[str, Any] | None = None

    @property
    def uuid(self) -> str:
        return str((self.headers or {}).get("Unique-ID", ""))

    @property
    def name(self) -> str:
        return str((self.headers or {}).get("Event-Name", ""))


class Framer:
    """Bytes to (headers, body) as Event Socket sends them."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[dict[str, str], bytes]]:
        self._buffer += data
        while True:
            head, end, rest = self._buffer.partition(b"\n\n")
            if not end:
                return
            headers = dict(
                line.split(": ", 1) for line in head.decode(errors="surrogateescape").split("\n") if ": " in line
            )
            length = int(headers.get("Content-Length", "0"))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            yield headers, rest[:length]


def received(at_s: float, conn: str, headers: dict[str, str], body: bytes) -> Item:
    kind = headers.get("Content-Type", "")
    text = body.decode(errors="surrogateescape")
    if kind == "text/event-json":
        return Item(at_s, conn, "event", headers=json.loads(text))
    if kind == "text/event-plain":
        return Item(at_s, conn, "plain", text)
    if kind == "text/disconnect-notice":
        return Item(at_s, conn, "notice", text, headers)
    if kind == "command/reply" and "Unique-ID" in headers:
        return Item(at_s, conn, "connect", headers["Reply-Text"], headers)
    return Item(at_s, conn, "reply", text or headers.get("Reply-Text", kind))


def load(name: str) -> list[Item]:
    framers: dict[tuple[str, str], Framer] = {}
    items: list[Item] = []
    with gzip.open(SESSIONS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            chunk = json.loads(line)
            at_s, conn, way = chunk["t"], chunk["conn"], chunk["dir"]
            if way == "eof":
                items.append(Item(at_s, conn, "eof"))
                continue
            data = chunk["data"].encode("utf-8", "surrogateescape")
            if way == ">":
                items += [Item(at_s, conn, "sent", part.decode()) for part in data.split(b"\n\n") if part.strip()]
                continue
            framer = framers.setdefault((conn, way), Framer())
            items += [received(at_s, conn, headers, body) for headers, body in framer.feed(data)]
    return _without_the_next_scenario(items)


def _without_the_next_scenario(items: list[Item]) -> list[Item]:
    """The recorder ran on for a moment: channels that only begin at the end belong to another session."""
    ended = {item.uuid for item in items if item.name in ("CHANNEL_DESTROY", "CHANNEL_HANGUP_COMPLETE")}
    commands = "\n".join(item.text for item in items if item.kind == "sent")
    jobs = {item.text.rsplit(" ", 1)[-1] for item in items if item.kind == "reply" and "Job-UUID" in item.text}
    held = {item.uuid for item in items if item.kind == "connect"}
    created = {item.uuid for item in items if item.name in ("CHANNEL_CREATE", "CHANNEL_OUTGOING")}
    parked = {item.uuid for item in items if item.name == "CHANNEL_PARK"}

    def ours(item: Item) -> bool:
        if item.kind != "event":
            return True
        if item.name == "BACKGROUND_JOB":
            return (item.headers or {})["Job-UUID"] in jobs
        uuid = item.uuid
        whole = uuid in created and (uuid in ended or uuid in parked)
        return not uuid or uuid in commands or uuid in held or whole

    return [item for item in items if ours(item)]
