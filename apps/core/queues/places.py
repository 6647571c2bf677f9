"""Who stands where in a queue: for the position to tell, and the wait to expect.

A sorted list: finding a place is O(log n), and to move the names behind it is a copy of some 40 KB for 5,000 callers.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from apps.core.ids import CallId

Rank = tuple[int, int]


class Places:
    def __init__(self) -> None:
        self._sorted: list[tuple[Rank, CallId]] = []
        self._rank: dict[CallId, Rank] = {}
        self._on_line: set[CallId] = set()

    def put(self, call: CallId, rank: Rank, *, on_line: bool) -> None:
        """``on_line``: waits on the telephone, not for a call back."""
        if self._rank.get(call) != rank:
            self.leave(call)
            self._rank[call] = rank
            insort(self._sorted, (rank, call))
        (self._on_line.add if on_line else self._on_line.discard)(call)

    def leave(self, call: CallId) -> None:
        rank = self._rank.pop(call, None)
        if rank is not None:
            del self._sorted[bisect_left(self._sorted, (rank, call))]
            self._on_line.discard(call)

    def ahead(self, call: CallId) -> int | None:
        """How many are served before this one; None for who does not stand here."""
        rank = self._rank.get(call)
        return bisect_left(self._sorted, (rank, call)) if rank is not None else None

    def ahead_of(self, rank: Rank) -> int:
        """How many would be before somebody who joined with this rank now, as the last of equals."""
        return bisect_left(self._sorted, ((rank[0], rank[1] + 1),))

    def in_order(self) -> list[CallId]:
        return [call for _, call in self._sorted]

    def on_line(self) -> int:
        return len(self._on_line)
