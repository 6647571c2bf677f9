"""One line of callers who ask for the same, and the agents ready for them. Ordered structures, no scans."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, TypeVar

from apps.core.ids import AgentId, CallId, QueueId, SkillId, SwitchId

Member = TypeVar("Member", bound=str)


class Requirement(NamedTuple):
    """What a caller asks for. Callers with equal requirements stand in one line.

    Only legs on one switch can be bridged, so the agent's telephone must be on the caller's.
    """

    switch: SwitchId
    queue: QueueId
    skills: tuple[SkillId, ...]
    wanted_agent: AgentId | None = None


class Ordered(Generic[Member]):
    """A priority queue whose members may leave from anywhere: O(log n) in and out, order by ``rank`` then name.

    Leaving is lazy: the entry stays until it surfaces or until half of the entries are such leftovers.
    """

    def __init__(self) -> None:
        self._rank: dict[Member, tuple[int, int]] = {}
        self._heap: list[tuple[tuple[int, int], Member]] = []

    def __len__(self) -> int:
        return len(self._rank)

    def __contains__(self, member: object) -> bool:
        return member in self._rank

    def add(self, member: Member, rank: tuple[int, int]) -> None:
        if self._rank.get(member) == rank:
            return
        self._rank[member] = rank
        heappush(self._heap, (rank, member))
        if len(self._heap) > 64 + 2 * len(self._rank):
            self._heap = [(value, name) for name, value in self._rank.items()]
            heapify(self._heap)

    def discard(self, member: Member) -> None:
        self._rank.pop(member, None)

    def first(self) -> tuple[tuple[int, int], Member] | None:
        while self._heap:
            rank, member = self._heap[0]
            if self._rank.get(member) == rank:
                return rank, member
            heappop(self._heap)
        return None


class Line:
    """Callers of one requirement: higher priority first, then the longest waiter. Agents: the longest idle first."""

    def __init__(self, requirement: Requirement) -> None:
        self.requirement = requirement
        self.callers: Ordered[CallId] = Ordered()
        self.agents: Ordered[AgentId] = Ordered()
