"""The one way in: events from drivers' threads and requests from the door, handed to the loop in batches."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice

from apps.core.events import Event, SwitchEvent
from apps.core.ids import SwitchId

CAPACITY = 100_000
"""Events held at most; about 50 MB. At 20,000 events a second this is 5 s of a blocked loop."""


class InboxFull(Exception):
    """The engine is behind; the request was not taken and may be sent again."""


class Inbox:
    """Bounded and thread-safe; wakes its reader once for a batch, not once for an event.

    Overflow: people's requests are refused (``InboxFull``) when half is used, so that switch events always have room.
    A switch event that finds no room is counted and its switch is marked as gapped: when the inbox has drained to a
    half, ``take_gapped`` names the switch once, and the host asks its driver for a snapshot, which says what was
    missed. Nothing is dropped silently.
    """

    def __init__(self, wake: Callable[[], object], capacity: int = CAPACITY) -> None:
        """``wake`` is called from any thread when there is something after there was nothing to read."""
        self._wake = wake
        self._capacity = capacity
        self._items: deque[Event] = deque()
        self._woken = False
        self._lock = threading.Lock()
        self._gapped: set[SwitchId] = set()
        self.dropped: Counter[SwitchId] = Counter()

    def __len__(self) -> int:
        return len(self._items)

    def emit(self, event: SwitchEvent) -> None:
        """A driver's event, from any thread. Never blocks, never raises."""
        with self._lock:
            if len(self._items) >= self._capacity:
                self._gapped.add(event.switch)
                self.dropped[event.switch] += 1
                return
            self._items.append(event)
            wake, self._woken = not self._woken, True
        if wake:
            self._wake()

    def submit(self, events: Sequence[Event]) -> None:
        """Requests or host events: all of them or none. Raises ``InboxFull``."""
        if not events:
            return
        with self._lock:
            if len(self._items) + len(events) > self._capacity // 2:
                raise InboxFull
            self._items.extend(events)
            wake, self._woken = not self._woken, True
        if wake:
            self._wake()

    def take(self, limit: int) -> list[Event]:
        """The oldest events, at most ``limit``. The reader comes back for the rest: only an emptied inbox wakes it."""
        with self._lock:
            batch = list(islice(self._items, limit))
            for _ in batch:
                self._items.popleft()
            if not self._items:
                self._woken = False
            return batch

    def take_gapped(self) -> frozenset[SwitchId]:
        """Switches that lost events, once there is room again; each is named once for a gap."""
        with self._lock:
            if not self._gapped or len(self._items) > self._capacity // 2:
                return frozenset()
            gapped, self._gapped = frozenset(self._gapped), set()
            return gapped
