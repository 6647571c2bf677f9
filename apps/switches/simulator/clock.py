"""Virtual time: a heap of things due. Nothing in the model reads a wall clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timer:
    """Something due once; ``cancel`` forgets it."""

    __slots__ = ("action", "due_ms")

    def __init__(self, due_ms: int, action: Callable[[], None]) -> None:
        self.due_ms = due_ms
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class Scheduler:
    """Runs actions in order of due time, then of the order in which they were asked for."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self._heap: list[tuple[int, int, Timer]] = []
        self._counter = 0

    def after(self, delay_ms: int, action: Callable[[], None]) -> Timer:
        timer = Timer(self.now_ms + max(0, delay_ms), action)
        self._counter += 1
        heapq.heappush(self._heap, (timer.due_ms, self._counter, timer))
        return timer

    def next_due_ms(self) -> int | None:
        heap = self._heap
        while heap and heap[0][2].action is None:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def run_until(self, until_ms: int) -> None:
        """Run everything due up to and including ``until_ms`` and leave the clock there. Time never goes back."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            due_ms, _, timer = heapq.heappop(heap)
            action, timer.action = timer.action, None
            if action is not None:
                self.now_ms = max(self.now_ms, due_ms)
                action()
        self.now_ms = max(self.now_ms, until_ms)
