"""The agents of one queue who are free, sorted so that the best one for any requirement is found without a search.

Agents who are alike in all that a caller of this queue can ask for (switch, tier, levels of the skills that matter
here, capacity) share a bucket, in the strategy's order. There are few kinds of agents even where there are many agents.
A requirement is a view on the buckets: those that fit, best first.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from typing import NamedTuple

from apps.core.config import AgentConfig, Membership, QueueConfig
from apps.core.ids import AgentId, SkillId, SwitchId
from apps.core.queues import needs, tiers
from apps.core.queues.strategies import ORDERS, Key, Standing
from apps.core.queues.waiting import Line, Ordered, Requirement

MOST_VIEWS = 200
"""Kept for requirements of which nobody waits just now; beyond that they are made anew as they are needed."""

Prefix = tuple[int, int]
"""(tier, minus the score): what comes before the strategy's key."""


class Kind(NamedTuple):
    """What is the same for all agents of a bucket. ``levels`` are those of the pool's ``skills``."""

    switch: SwitchId
    tier: int
    levels: tuple[int, ...]
    capacity: tuple[tuple[str, int], ...]


class Bucket:
    """Agents of one kind who are free. ``views`` are those that it fits."""

    __slots__ = ("agents", "kind", "levels", "views")

    def __init__(self, kind: Kind, skills: tuple[SkillId, ...]) -> None:
        self.kind = kind
        self.levels: dict[SkillId, int] = dict(zip(skills, kind.levels, strict=True))
        self.agents: Ordered[AgentId] = Ordered()
        self.views: list[tuple[View, Prefix]] = []

    def add(self, agent: AgentId, key: Key) -> None:
        first = not self.agents
        self.agents.add(agent, key)
        for view, prefix in self.views:
            view.free += 1
            if first:
                view.groups[prefix][self] = None

    def discard(self, agent: AgentId) -> None:
        self.agents.discard(agent)
        last = not self.agents
        for view, prefix in self.views:
            view.free -= 1
            if last:
                del view.groups[prefix][self]


class View:
    """The buckets that fit a requirement and hold somebody, in groups of equal prefix."""

    __slots__ = ("fitting", "free", "groups", "prefixes", "queue", "requirement")

    def __init__(self, queue: QueueConfig, requirement: Requirement, buckets: Iterable[Bucket]) -> None:
        self.queue, self.requirement = queue, requirement
        self.fitting: set[Bucket] = set()
        self.free = 0  # agents in them
        self.prefixes: list[Prefix] = []  # best first
        self.groups: dict[Prefix, dict[Bucket, None]] = {}
        for bucket in buckets:
            self.consider(bucket)

    def consider(self, bucket: Bucket) -> None:
        kind = bucket.kind
        code, _detail = why_not(self.requirement, kind.switch, kind.tier, bucket.levels, kind.capacity)
        if code:
            return
        self.fitting.add(bucket)
        prefix = (kind.tier, -needs.score(self.requirement.needs, bucket.levels, self.queue.strategy))
        bucket.views.append((self, prefix))
        if prefix not in self.groups:
            insort(self.prefixes, prefix)
            self.groups[prefix] = {}
        if bucket.agents:
            self.groups[prefix][bucket] = None
            self.free += len(bucket.agents)

    def first(self) -> AgentId | None:
        for prefix in self.prefixes:
            heads = (bucket.agents.first() for bucket in self.groups[prefix])
            best = min((head for head in heads if head is not None), default=None)
            if best is not None:
                return best[1]
        return None

    def in_order(self) -> Iterator[tuple[Key, AgentId, Bucket]]:
        """All who fit, the best first, each with the whole rank."""
        for prefix in self.prefixes:
            for key, agent, bucket in merge(*(_with_bucket(bucket) for bucket in self.groups[prefix])):
                yield (*prefix, *key), agent, bucket


def _with_bucket(bucket: Bucket) -> Iterator[tuple[Key, AgentId, Bucket]]:
    for key, agent in bucket.agents.in_order():
        yield key, agent, bucket


class Seat:
    """An agent's place in a queue. ``bucket`` while the agent is free."""

    __slots__ = ("bucket", "membership", "pool")

    def __init__(self, pool: Pool, membership: Membership) -> None:
        self.pool, self.membership = pool, membership
        self.bucket: Bucket | None = None


class Pool:
    def __init__(self, queue: QueueConfig, members: Mapping[AgentId, tuple[AgentConfig, Membership]]) -> None:
        self.queue, self._members = queue, members
        self.lines: dict[Requirement, Line] = {}  # in which somebody waits
        self.busy: dict[AgentId, None] = {}  # signed in and not free, those longest first
        self.skills: tuple[SkillId, ...] = tuple(sorted({need.skill for need in queue.needs}))
        self.buckets: dict[Kind, Bucket] = {}
        self.openings: tiers.Openings = ()
        self._views: dict[Requirement, View] = {}
        self._seats: dict[AgentId, tuple[AgentConfig, Seat, Standing]] = {}  # of free agents
        self._at_work: Counter[int] = Counter()  # by tier
        self._order = ORDERS[queue.strategy]
        self.look_at_tiers()

    def view(self, requirement: Requirement) -> View:
        """Found, or made in one pass over the kinds of agents; a skill that nobody asked for yet sorts them anew."""
        view = self._views.get(requirement)
        if view is None:
            skills = {need.skill for need in requirement.needs}
            if not skills <= set(self.skills):
                self._sort_by(skills | set(self.skills))
            if len(self._views) >= MOST_VIEWS + len(self.lines):
                self._forget_views()
            view = self._views[requirement] = View(self.queue, requirement, self.buckets.values())
        return view

    def _forget_views(self) -> None:
        """Those of which nobody waits."""
        self._views = {asked: view for asked, view in self._views.items() if asked in self.lines}
        for bucket in self.buckets.values():
            bucket.views = [(view, prefix) for view, prefix in bucket.views if view.requirement in self._views]

    def agent_free(self, agent: AgentConfig, seat: Seat, standing: Standing) -> None:
        if agent.device is None:
            return
        levels = tuple(agent.skills.get(skill, 0) for skill in self.skills)
        kind = Kind(agent.device.switch, seat.membership.tier, levels, tuple(sorted(agent.capacity.items())))
        bucket = self.buckets.get(kind)
        if bucket is None:
            bucket = self.buckets[kind] = Bucket(kind, self.skills)
            for view in self._views.values():
                view.consider(bucket)
        bucket.add(agent.id, self._order(agent.id, standing, seat.membership.position))
        seat.bucket = bucket
        self._seats[agent.id] = (agent, seat, standing)

    def agent_not_free(self, agent: AgentId, seat: Seat) -> None:
        if seat.bucket is not None:
            seat.bucket.discard(agent)
            seat.bucket = None
            del self._seats[agent]

    def standing(self, agent: AgentId) -> tuple[AgentConfig, Membership, Standing]:
        """Of an agent who is free."""
        config, seat, standing = self._seats[agent]
        return config, seat.membership, standing

    def staffed(self, tier: int, more: int) -> bool:
        """Somebody of this tier came to work (1) or left (-1). True: callers may now have to wait for other tiers."""
        self._at_work[tier] += more
        if self._at_work[tier] > 1:
            return False
        before = self.openings
        self.look_at_tiers()
        return self.openings != before

    def look_at_tiers(self) -> None:
        """Also when members came or went."""
        if tiers.are_timed(self.queue):
            known = {membership.tier for _agent, membership in self._members.values()}
            self.openings = tiers.openings(self.queue, known, self._at_work)

    def _sort_by(self, skills: set[SkillId]) -> None:
        seats, self._seats = list(self._seats.values()), {}
        self.skills, self.buckets, self._views = tuple(sorted(skills)), {}, {}
        for agent, seat, standing in seats:
            self.agent_free(agent, seat, standing)
        for line in self.lines.values():
            line.view = self.view(line.requirement)


def why_not(
    requirement: Requirement,
    switch: SwitchId,
    tier: int,
    levels: dict[SkillId, int],
    capacity: tuple[tuple[str, int], ...],
) -> tuple[str, str]:
    """(code, detail) of what keeps a free agent of the queue from this caller; two empty texts: nothing does."""
    if switch != requirement.switch:
        return "other_switch", ""
    if dict(capacity).get(requirement.medium, 0) < requirement.cost:
        return "no_capacity", requirement.medium
    if requirement.tiers_up_to is not None and tier > requirement.tiers_up_to:
        return "tier_waits", str(tier)
    need = needs.lacking(requirement.needs, levels)
    return ("lacks_skill", f"{need.skill}={need.level}") if need is not None else ("", "")
