"""Many deadlines, one timer: a heap whose outdated entries are skipped when they surface."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

Key = tuple[str, str]  # what it is about, whose


class Deadlines:
    """``set`` and ``pop_due`` are O(log n). A key has one deadline or none."""

    def __init__(self) -> None:
        self._at: dict[Key, int] = {}
        self._heap: list[tuple[int, Key]] = []

    def set(self, key: Key, at_ms: int | None) -> None:
        if at_ms is None:
            self._at.pop(key, None)
            return
        if self._at.get(key) == at_ms:
            return
        self._at[key] = at_ms
        heappush(self._heap, (at_ms, key))
        if len(self._heap) > 64 + 2 * len(self._at):
            self._heap = [(at, item) for item, at in self._at.items()]
            heapify(self._heap)

    def at(self, key: Key) -> int | None:
        return self._at.get(key)

    def next_ms(self) -> int | None:
        self._skip_outdated()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int) -> Key | None:
        """One key whose time has come; it is forgotten."""
        self._skip_outdated()
        if not self._heap or self._heap[0][0] > now_ms:
            return None
        _, key = heappop(self._heap)
        del self._at[key]
        return key

    def _skip_outdated(self) -> None:
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
