"""One line of callers who ask for the same, and the ordered structure that all lines are made of. No scans."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from apps.core.ids import AgentId, CallId, QueueId, SwitchId
from apps.core.queues.needs import Needs
from apps.core.queues.strategies import Key

if TYPE_CHECKING:
    from apps.core.queues.pool import View

Member = TypeVar("Member", bound=str)


class Requirement(NamedTuple):
    """What somebody who waits asks for by now. Those with equal requirements stand in one line.

    Only legs on one switch can be bridged, so the agent's telephone must be on the caller's. ``cost`` is how much of
    the agent's capacity for the medium it takes.
    """

    switch: SwitchId
    queue: QueueId
    needs: Needs = ()
    tiers_up_to: int | None = None
    only: AgentId | None = None  # nobody else is asked
    kept: bool = False  # … for a while: a place like any other; else this agent serves it before all queues
    medium: str = "voice"
    cost: int = 1


class Ordered(Generic[Member]):
    """A priority queue whose members may leave from anywhere: O(log n) in and out, order by ``rank`` then name.

    Leaving is lazy: the entry stays until it surfaces or until half of the entries are such leftovers.
    """

    __slots__ = ("_heap", "_rank")

    def __init__(self) -> None:
        self._rank: dict[Member, Key] = {}
        self._heap: list[tuple[Key, Member]] = []

    def __len__(self) -> int:
        return len(self._rank)

    def __contains__(self, member: object) -> bool:
        return member in self._rank

    def __iter__(self) -> Iterator[Member]:
        """In no order."""
        return iter(self._rank)

    def add(self, member: Member, rank: Key) -> None:
        if self._rank.get(member) == rank:
            return
        self._rank[member] = rank
        heappush(self._heap, (rank, member))
        if len(self._heap) > 64 + 2 * len(self._rank):
            self._heap = [(value, name) for name, value in self._rank.items()]
            heapify(self._heap)

    def discard(self, member: Member) -> None:
        self._rank.pop(member, None)

    def first(self) -> tuple[Key, Member] | None:
        while self._heap:
            rank, member = self._heap[0]
            if self._rank.get(member) == rank:
                return rank, member
            heappop(self._heap)
        return None

    def in_order(self) -> Iterator[tuple[Key, Member]]:
        """One after the other without taking them out: the next costs O(log k) after k. Not to be changed meanwhile."""
        heap = self._heap
        front = [(heap[0], 0)] if heap else []
        last = None
        while front:
            entry, at = heappop(front)
            for child in (2 * at + 1, 2 * at + 2):
                if child < len(heap):
                    heappush(front, (heap[child], child))
            if self._rank.get(entry[1]) == entry[0] and entry != last:  # one who left and came back may be in it twice
                last = entry
                yield entry


class Line:
    """Callers with one requirement, by their place (``ordering.py``), and the agents who fit; None: of one alone."""

    __slots__ = ("callers", "requirement", "view")

    def __init__(self, requirement: Requirement, view: View | None) -> None:
        self.requirement, self.view = requirement, view
        self.callers: Ordered[CallId] = Ordered()
