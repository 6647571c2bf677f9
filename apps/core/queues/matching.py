"""Who serves whom. Media-neutral: what waits is a name with a requirement, who serves is a name with skills.

Invariant kept by the caller: before anything changes, no ready agent fits a waiting caller. So only a new waiter or
a newly ready agent can make a match, and each is found at the top of a heap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.core.config import AgentConfig
from apps.core.ids import AgentId, CallId, QueueId
from apps.core.queues.waiting import Line, Requirement


class Matcher:
    def __init__(self, agents: Mapping[AgentId, AgentConfig]) -> None:
        self._agents = agents
        self._lines: dict[Requirement, Line] = {}
        self._by_queue: dict[QueueId, list[Line]] = {}
        self._by_agent: dict[AgentId, list[Line]] = {}
        self._waiting: dict[CallId, Line] = {}
        self._ready: dict[AgentId, tuple[int, tuple[Line, ...]]] = {}  # idle since, lines served
        self._ready_in: dict[QueueId, set[AgentId]] = {}

    def caller_waits(self, call: CallId, requirement: Requirement, priority: int, queued_ms: int) -> None:
        """Stand in line; ``queued_ms`` is the place, so coming back with the old one keeps it. O(log n)."""
        line = self._lines.get(requirement) or self._open_line(requirement)
        if self._waiting.get(call) not in (None, line):
            self.caller_leaves(call)
        self._waiting[call] = line
        line.callers.add(call, (-priority, queued_ms))

    def caller_leaves(self, call: CallId) -> None:
        line = self._waiting.pop(call, None)
        if line is not None:
            line.callers.discard(call)

    def agent_ready(self, agent: AgentId, idle_since_ms: int) -> None:
        """O(k log n), k = lines this agent can serve."""
        known = self._ready.get(agent)
        if known is not None and known[0] == idle_since_ms:
            return
        self.agent_unready(agent)
        config = self._agents.get(agent)
        if config is None:
            return
        lines = tuple(line for line in self._lines_of(config) if _fits(config, line.requirement))
        for line in lines:
            line.agents.add(agent, (idle_since_ms, 0))
        for queue in config.queues:
            self._ready_in.setdefault(queue, set()).add(agent)
        self._ready[agent] = (idle_since_ms, lines)

    def agent_unready(self, agent: AgentId) -> None:
        known = self._ready.pop(agent, None)
        if known is None:
            return
        for line in known[1]:
            line.agents.discard(agent)
        for queue in self._agents[agent].queues:
            self._ready_in[queue].discard(agent)

    def agent_for(self, call: CallId) -> AgentId | None:
        """The longest idle agent who fits this waiting caller."""
        line = self._waiting.get(call)
        first = line.agents.first() if line is not None else None
        return first[1] if first is not None else None

    def caller_for(self, agent: AgentId) -> CallId | None:
        """The first caller, over all lines this ready agent can serve."""
        known = self._ready.get(agent)
        if known is None:
            return None
        heads = (line.callers.first() for line in known[1])
        best = min((head for head in heads if head is not None), default=None)
        return best[1] if best is not None else None

    def counts(self, call: CallId) -> tuple[int, int]:
        """(ready agents, waiting callers) in the line of this caller."""
        line = self._waiting[call]
        return len(line.agents), len(line.callers)

    def _open_line(self, requirement: Requirement) -> Line:
        """First caller with this requirement: one pass over the queue's ready agents, later ones join as they come."""
        line = self._lines[requirement] = Line(requirement)
        if requirement.wanted_agent is not None:
            self._by_agent.setdefault(requirement.wanted_agent, []).append(line)
            candidates: Iterable[AgentId] = (requirement.wanted_agent,)
        else:
            self._by_queue.setdefault(requirement.queue, []).append(line)
            candidates = sorted(self._ready_in.get(requirement.queue, ()))
        for agent in candidates:
            known = self._ready.get(agent)
            if known is not None and _fits(self._agents[agent], requirement):
                line.agents.add(agent, (known[0], 0))
                self._ready[agent] = (known[0], (*known[1], line))
        return line

    def _lines_of(self, config: AgentConfig) -> Iterable[Line]:
        for queue in config.queues:
            yield from self._by_queue.get(queue, ())
        yield from self._by_agent.get(config.id, ())


def _fits(agent: AgentConfig, requirement: Requirement) -> bool:
    if agent.device is None or agent.device.switch != requirement.switch:
        return False
    if requirement.wanted_agent is not None:
        return agent.id == requirement.wanted_agent
    return requirement.queue in agent.queues and all(skill in agent.skills for skill in requirement.skills)
