"""The leader's side of a standby: every fact is in its socket before the commands that follow from it go out.

``WS /facts?standby=ENGINE&after=SEQ&epoch=EPOCH`` names the newest fact that the standby has. Text frames: a heartbeat
with ``"hello"`` and ``"keep"``, the number up to which the standby's facts are ours too; then arrays of facts
``{"seq", "journal_epoch", "type", ...}`` without a hole, first from the journal, then as they are decided; and a
heartbeat each ``BEAT_S``. ``{"resync": true}``: take ``/snapshot`` and come again.

A frame is handed to the kernel in the very turn in which the facts were stored, so that whoever kills this process
afterwards does not take them away: the kernel still delivers what it has.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiohttp import WSMsgType, web

from apps.engine.feed import Feed
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader
from apps.engine.stored import Stored, placed

log = structlog.get_logger(__name__)

BEAT_S = 0.25
CATCH_UP_FACTS = 500
DISK_WAIT_S = 0.1
SLOW_S = 5.0
UNREAD_BYTES = 32 << 20
"""A standby this far behind is cut off; it comes back and reads the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a standby is told of its leader; callables run in the loop and return at once."""

    journal: Journal
    feed: Feed
    now_ms: Callable[[], int]
    standing: Callable[[], dict[str, Any]]
    """``term``, ``holds`` (whether the claim is renewed just now) and ``recorded`` (history's newest ``seq``)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest fact a standby has: its number, and the epoch that numbered it."""

    engine: str
    epoch: str
    after: int


class Standbys:
    """All that follow this leader."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._level: dict[str, int] = {}

    @property
    def level(self) -> list[str]:
        """The engines that have every fact."""
        return sorted(self._level)

    async def serve(self, socket: web.WebSocketResponse, transport: asyncio.Transport, asked: Asked) -> bool:
        """Until the socket closes. False: it must take a snapshot. Raises ``ConnectionError``, ``TimeoutError``."""
        journal = self._source.journal
        end = journal.end_of(asked.epoch)
        reader = JournalReader(journal.directory)
        try:
            keep = min(asked.after, end) if end is not None else -1
            first_seq, _ = reader.bounds()
            if keep < 0 or (keep < journal.last_seq and not 0 < first_seq <= keep + 1):
                return False
            await self._say(socket, self._beat(keep=keep))
            await self._catch_up(socket, reader, keep)
            await self._keep_level(socket, transport, asked.engine)
        finally:
            reader.close()
        return True

    async def _catch_up(self, socket: web.WebSocketResponse, reader: JournalReader, seq: int) -> None:
        """When it returns the standby has every fact: whoever awaits it gets no turn of the loop in between."""
        while True:
            rows = await asyncio.to_thread(reader.after, seq, CATCH_UP_FACTS)
            if rows:
                await self._say(socket, _frame(rows))
                seq = rows[-1][0]
            elif seq >= self._source.feed.seq:
                return
            else:
                await asyncio.sleep(DISK_WAIT_S)  # the disk refuses facts just now; they wait in memory

    async def _keep_level(self, socket: web.WebSocketResponse, transport: asyncio.Transport, engine: str) -> None:
        def mirror(stored: Sequence[Stored]) -> None:
            if stored:
                _write(transport, _frame((item.seq, item.epoch, item.data) for item in stored))

        self._source.feed.mirrors.add(mirror)
        self._level[engine] = self._level.get(engine, 0) + 1
        log.info("standby_level", engine=engine, seq=self._source.feed.seq)
        try:
            while not socket.closed and not transport.is_closing():
                _write(transport, self._beat())
                await asyncio.sleep(BEAT_S)
        finally:
            self._source.feed.mirrors.discard(mirror)
            self._level[engine] -= 1
            self._level = {name: count for name, count in self._level.items() if count}
            log.warning("standby_gone", engine=engine)

    def _beat(self, **hello: Any) -> bytes:
        source = self._source
        beat = {"heartbeat": True, "epoch": source.journal.epoch, "seq": source.feed.seq, "now_ms": source.now_ms()}
        if hello:
            beat |= {"hello": True, "epochs": source.journal.epochs(), **hello}
        return orjson.dumps(beat | source.standing())

    @staticmethod
    async def _say(socket: web.WebSocketResponse, frame: bytes) -> None:
        async with asyncio.timeout(SLOW_S):
            await socket.send_frame(frame, WSMsgType.TEXT)


def _frame(rows: Iterable[tuple[int, str, bytes]]) -> bytes:
    return b"[" + b",".join(placed(data, seq=seq, journal_epoch=epoch) for seq, epoch, data in rows) + b"]"


def _write(transport: asyncio.Transport, payload: bytes) -> None:
    """A whole text frame (RFC 6455, unmasked, as servers send them) to the kernel, in this turn of the loop."""
    if transport.get_write_buffer_size() > UNREAD_BYTES:
        log.warning("standby_too_slow", unread=transport.get_write_buffer_size())
        transport.abort()
    if transport.is_closing():
        return
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x81, 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 127, size)
    transport.write(head + payload)
