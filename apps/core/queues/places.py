"""Who stands where in a queue: for the position to tell, and the wait to expect.

A sorted list: finding a place is O(log n), and to move the names behind it is a copy of some 40 KB for 5,000 callers.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from apps.core.ids import CallId


class Places:
    def __init__(self) -> None:
        self._sorted: list[tuple[int, CallId]] = []
        self._place: dict[CallId, int] = {}
        self._on_line: set[CallId] = set()

    def put(self, call: CallId, place: int, *, on_line: bool) -> None:
        """``on_line``: waits on the telephone, not for a call back."""
        if self._place.get(call) != place:
            self.leave(call)
            self._place[call] = place
            insort(self._sorted, (place, call))
        (self._on_line.add if on_line else self._on_line.discard)(call)

    def leave(self, call: CallId) -> None:
        place = self._place.pop(call, None)
        if place is not None:
            del self._sorted[bisect_left(self._sorted, (place, call))]
            self._on_line.discard(call)

    def ahead(self, call: CallId) -> int | None:
        """How many are served before this one; None for who does not stand here."""
        place = self._place.get(call)
        return bisect_left(self._sorted, (place, call)) if place is not None else None

    def ahead_of(self, place: int) -> int:
        """How many would be before somebody who joined here now, as the last of equals."""
        return bisect_left(self._sorted, (place + 1,))

    def in_order(self) -> list[CallId]:
        return [call for _, call in self._sorted]

    def on_line(self) -> int:
        return len(self._on_line)
