"""The newest facts in memory for those who follow them over the door."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from apps.engine.stored import Stored, placed

KEPT_FACTS = 20_000
FRAME_FACTS = 500
FRAME_BYTES = 1024 * 1024
KEPT_BYTES = 64 * 1024 * 1024


class Behind(Exception):
    """The facts asked for are no longer kept (or never were ours): take a snapshot."""


class Feed:
    """A ring of ``(seq, message)``. Readers keep their own place; publishing never waits for one."""

    def __init__(self, epoch: str, seq: int, *, kept_facts: int = KEPT_FACTS, kept_bytes: int = KEPT_BYTES) -> None:
        """``seq`` is the last one before the first publication."""
        self.epoch = epoch
        self.seq = seq
        self._ring: deque[bytes] = deque()
        self._first = seq + 1
        self._bytes = 0
        self._kept_facts = kept_facts
        self._kept_bytes = kept_bytes
        self._fresh = asyncio.Event()
        self.mirrors: set[Callable[[Sequence[Stored]], None]] = set()
        """Called with facts before anybody acts on them; they write to a socket at once and never raise."""

    def begin(self, epoch: str, seq: int) -> None:
        """Anew, under another epoch: nobody can follow across that."""
        self.epoch, self.seq = epoch, seq
        self._ring.clear()
        self._first, self._bytes = seq + 1, 0
        self.wake()

    def publish(self, stored: Sequence[Stored]) -> None:
        for mirror in list(self.mirrors):
            mirror(stored)
        for item in stored:
            self._add(item.seq, item.message)
        self.wake()

    def wake(self) -> None:
        """End every wait: there is something new, or one of those who wait is gone."""
        self._fresh.set()
        self._fresh = asyncio.Event()

    def preload(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Facts of an earlier run, in order, so that followers need no resync after a restart."""
        for seq, epoch, data in rows:
            if epoch == self.epoch:
                self._add(seq, placed(data, seq=seq))

    def _add(self, seq: int, message: bytes) -> None:
        if not self._ring or seq != self._first + len(self._ring):
            # A hole (facts that were lost on disk): nobody can go on across it.
            self._ring.clear()
            self._bytes = 0
            self._first = seq
        self._ring.append(message)
        self._bytes += len(message)
        self.seq = seq
        while len(self._ring) > self._kept_facts or (self._bytes > self._kept_bytes and len(self._ring) > 1):
            self._bytes -= len(self._ring.popleft())
            self._first += 1

    def can_follow(self, epoch: str, after: int) -> bool:
        return epoch == self.epoch and self._first - 1 <= after <= self.seq

    def read(self, after: int) -> list[bytes]:
        """The next messages after ``after``, as many as make a reasonable frame. Raises ``Behind``."""
        if not self.can_follow(self.epoch, after):
            raise Behind
        messages: list[bytes] = []
        size = 0
        # By index: a deque finds one near its end at once, and that is where followers are.
        for index in range(after + 1 - self._first, len(self._ring)):
            message = self._ring[index]
            if len(messages) == FRAME_FACTS or (messages and size + len(message) > FRAME_BYTES):
                break
            messages.append(message)
            size += len(message)
        return messages

    async def wait(self, after: int, timeout_s: float) -> None:
        """Until there is something after ``after``, somebody wakes us, or the time is over."""
        if self.seq > after:
            return
        try:
            await asyncio.wait_for(self._fresh.wait(), timeout_s)
        except TimeoutError:
            return
