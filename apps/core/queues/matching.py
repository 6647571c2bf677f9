"""Who serves whom. Media-neutral: what waits is a name with a requirement, who serves is a name with skills.

Invariant kept by the caller: before anything changes, no free agent fits anybody who waits. So only a new waiter, one
who asks for less by now, or a newly free agent can make a match, and each is found at the top of heaps: an agent
stands once in each of its queues however many ask for what, a caller once in the line of those who ask for the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from apps.core.config import AgentConfig, Membership, QueueConfig
from apps.core.ids import AgentId, CallId, QueueId
from apps.core.queues import needs
from apps.core.queues.pool import Pool, Seat, View
from apps.core.queues.strategies import Standing
from apps.core.queues.tiers import Openings
from apps.core.queues.waiting import Line, Requirement

FIRST_OF_ALL = 10
"""A caller who asks for one agent alone is served before that agent's queues, whose priority is 9 at most."""


class Matcher:
    def __init__(self, agents: Mapping[AgentId, AgentConfig], queues: Mapping[QueueId, QueueConfig]) -> None:
        self._agents, self._queues = agents, queues
        self._pools: dict[QueueId, Pool] = {}
        self._members: dict[QueueId, dict[AgentId, tuple[AgentConfig, Membership]]] = {queue: {} for queue in queues}
        for agent in agents.values():
            self._join(agent)
        self._seats: dict[AgentId, tuple[Seat, ...]] = {}
        self._free: dict[AgentId, Standing] = {}
        self._told: dict[AgentId, tuple[bool, Standing | None]] = {}
        self._at_work: set[AgentId] = set()
        self._waiting: dict[CallId, Line] = {}
        self._for_one: dict[AgentId, dict[Requirement, Line]] = {}  # lines that ask for one agent alone
        self._depends: dict[CallId, AgentId] = {}
        self._dependent: dict[AgentId, dict[CallId, None]] = {}
        self._possible: dict[Requirement, bool] = {}
        self._unsettled: dict[CallId, None] = {}

    # --- callers ---

    def caller_waits(self, call: CallId, requirement: Requirement, place: int) -> None:
        """Stand in line; coming back with the old place keeps it. O(log n)."""
        lines = self._lines_like(requirement)
        line = lines.get(requirement)
        if line is None:
            line = Line(requirement, self.view(requirement) if requirement.only is None else None)
            lines[requirement] = line
        if self._waiting.get(call) not in (None, line):
            self.caller_leaves(call)
        self._waiting[call] = line
        line.callers.add(call, (place,))

    def caller_leaves(self, call: CallId) -> None:
        """A line of which nobody is left is closed."""
        line = self._waiting.pop(call, None)
        if line is None:
            return
        line.callers.discard(call)
        if not line.callers:
            lines = self._lines_like(line.requirement)
            del lines[line.requirement]
            if not lines and line.requirement.only is not None:
                del self._for_one[line.requirement.only]

    def depends_on(self, call: CallId, agent: AgentId | None) -> None:
        """This caller's requirement is another while that agent is at work."""
        before = self._depends.get(call)
        if before == agent:
            return
        if before is not None:
            del self._depends[call]
            del self._dependent[before][call]
        if agent is not None:
            self._depends[call] = agent
            self._dependent.setdefault(agent, {})[call] = None

    def unsettled(self) -> dict[CallId, None]:
        """Callers whose requirement may have changed because agents came to work or left; told once."""
        found, self._unsettled = self._unsettled, {}
        return found

    # --- agents ---

    def agent_is(self, agent: AgentId, *, signed_in: bool, at_work: bool, free: Standing | None) -> None:
        """O(k log n), k = queues of this agent."""
        if at_work is not (agent in self._at_work):
            self._came_or_left(agent, at_work=at_work)
        if self._told.get(agent) != (signed_in, free):
            self._told[agent] = (signed_in, free)
            self._move(agent, signed_in=signed_in, free=free)

    def _move(self, agent: AgentId, *, signed_in: bool, free: Standing | None) -> None:
        config = self._agents.get(agent)
        was_free = self._free.pop(agent, None) is not None
        for seat in self._seats_of(agent):
            if was_free:
                seat.pool.agent_not_free(agent, seat)
            if config is not None and free is not None:
                seat.pool.busy.pop(agent, None)
                seat.pool.agent_free(config, seat, free)
            elif signed_in:
                seat.pool.busy[agent] = None
            else:
                seat.pool.busy.pop(agent, None)
        if config is not None and free is not None:
            self._free[agent] = free

    def _came_or_left(self, agent: AgentId, *, at_work: bool) -> None:
        (self._at_work.add if at_work else self._at_work.discard)(agent)
        for seat in self._seats_of(agent):
            if seat.pool.staffed(seat.membership.tier, 1 if at_work else -1):
                for line in seat.pool.lines.values():
                    self._unsettled.update(dict.fromkeys(line.callers))
        self._unsettled.update(self._dependent.get(agent, {}))

    def could_keep(self, agent: AgentId, requirement: Requirement) -> bool:
        """Whether waiting for this agent makes sense: at work, in that queue, and able to serve it."""
        config = self._agents.get(agent)
        return (
            agent in self._at_work
            and config is not None
            and requirement.queue in config.queues
            and needs.lacking(requirement.needs, config.skills) is None
            and self._reaches(agent, requirement)
        )

    def agents_changed(self, agents: Mapping[AgentId, AgentConfig], changed: Iterable[AgentId]) -> None:
        """Other configurations of these agents, who are out until they are told of again. The queues are the same."""
        before, self._agents, self._possible = self._agents, agents, {}
        queues: set[QueueId] = set()
        for agent in changed:
            old, new = before.get(agent), agents.get(agent)
            self._forget(agent)
            for queue in old.queues if old is not None else ():
                self._members.get(queue, {}).pop(agent, None)
            if new is not None:
                self._join(new)
            queues.update(*(config.queues for config in (old, new) if config is not None))
        for queue in queues & self._pools.keys():
            self._pools[queue].look_at_tiers()

    def queues_changed(self, queues: Mapping[QueueId, QueueConfig], changed: Iterable[QueueId]) -> list[AgentId]:
        """Other configurations of these queues, or none any more. Who waits in them must be told of again.

        Returns their agents, who are out until they are told of again. The agents' configurations are the same.
        """
        others = set(changed)
        concerned = [agent for agent in self._agents.values() if others and not others.isdisjoint(agent.queues)]
        for agent in concerned:
            self._forget(agent.id)
        for call in [call for call, line in self._waiting.items() if line.requirement.queue in others]:
            self.caller_leaves(call)
        self._queues, self._possible = queues, {}
        for queue in others:
            self._pools.pop(queue, None)
            self._members.pop(queue, None)
            if queue in queues:
                self._members[queue] = {}
        for agent in concerned:
            self._join(agent)
        return [agent.id for agent in concerned]

    def _forget(self, agent: AgentId) -> None:
        self.agent_is(agent, signed_in=False, at_work=False, free=None)
        self._told.pop(agent, None)
        self._seats.pop(agent, None)

    # --- the match ---

    def agent_for(self, call: CallId) -> AgentId | None:
        """The best agent for this waiting caller."""
        line = self._waiting.get(call)
        if line is None:
            return None
        only = line.requirement.only
        if only is None:
            return line.view.first() if line.view is not None else None
        return only if only in self._free and self._reaches(only, line.requirement) else None

    def caller_for(self, agent: AgentId) -> CallId | None:
        """The first caller, over all lines this free agent can serve. O(k), k = lines of the agent's queues."""
        if agent not in self._free:
            return None
        heads = (
            ((-priority, *line_head[0]), line_head[1])
            for priority, line in self._lines_for(agent)
            if (line_head := line.callers.first()) is not None
        )
        best = min(heads, default=None)
        return best[1] if best is not None else None

    def view(self, requirement: Requirement) -> View:
        return self.pool(requirement.queue).view(requirement)

    def pool(self, queue: QueueId) -> Pool:
        pool = self._pools.get(queue)
        if pool is None:
            pool = self._pools[queue] = Pool(self._queues[queue], self._members[queue])
        return pool

    def openings(self, queue: QueueId) -> Openings:
        return self.pool(queue).openings

    def requirement_of(self, call: CallId) -> Requirement | None:
        line = self._waiting.get(call)
        return line.requirement if line is not None else None

    def counts(self, call: CallId) -> tuple[int, int]:
        """(free agents who fit, callers in line) for the requirement of this caller."""
        line = self._waiting[call]
        return line.view.free if line.view is not None else 1, len(line.callers)

    def possible(self, requirement: Requirement) -> bool:
        """Whether any agent of the configuration could ever serve this, at work or not, whatever the tier."""
        if requirement.only is not None:
            return requirement.only in self._agents and self._reaches(requirement.only, requirement)
        known = self._possible.get(requirement)
        if known is None:
            known = self._possible[requirement] = any(
                agent.device is not None
                and agent.device.switch == requirement.switch
                and agent.capacity.get(requirement.medium, 0) >= requirement.cost
                and needs.lacking(requirement.needs, agent.skills) is None
                for agent, _membership in self._members[requirement.queue].values()
            )
        return known

    # --- inside ---

    def _join(self, agent: AgentConfig) -> None:
        for queue, membership in agent.queues.items():
            if queue in self._queues:
                self._members[queue][agent.id] = (agent, membership)

    def _lines_like(self, requirement: Requirement) -> dict[Requirement, Line]:
        if requirement.only is not None:
            return self._for_one.setdefault(requirement.only, {})
        return self.pool(requirement.queue).lines

    def _lines_for(self, agent: AgentId) -> Iterator[tuple[int, Line]]:
        for line in self._for_one.get(agent, {}).values():
            if self._reaches(agent, line.requirement):
                own = self._agents[agent].queues.get(line.requirement.queue)
                yield own.priority if line.requirement.kept and own is not None else FIRST_OF_ALL, line
        for seat in self._seats_of(agent):
            for line in seat.pool.lines.values():
                if line.view is not None and seat.bucket in line.view.fitting:
                    yield seat.membership.priority, line

    def _seats_of(self, agent: AgentId) -> tuple[Seat, ...]:
        seats = self._seats.get(agent)
        if seats is None:
            config = self._agents.get(agent)
            queues = config.queues.items() if config is not None else ()
            seats = self._seats[agent] = tuple(
                Seat(self.pool(queue), membership) for queue, membership in queues if queue in self._queues
            )
        return seats

    def _reaches(self, agent: AgentId, requirement: Requirement) -> bool:
        config = self._agents[agent]
        if config.device is None:
            return False
        here = config.device.switch == requirement.switch
        return here and config.capacity.get(requirement.medium, 0) >= requirement.cost
