"""What agents do with their day: how long they were signed in, on contacts and ready, folded from their states. Pure.

A stretch that goes on is not added up here: its state and beginning stand beside the sums, so that whoever shows them
adds it by their clock, and nothing has to be sent while nobody changes state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core import facts as f
from apps.core.agents.machine import IN_CALL, AgentState
from apps.reports.day.rules import Rules, day_start_ms
from apps.reports.day.stretches import key_of

HANDLING = frozenset({*IN_CALL, AgentState.WRAP_UP})
READY = frozenset({AgentState.READY, AgentState.OFFERED})
AWAY = AgentState.LOGGED_OUT


@dataclass(slots=True, kw_only=True)
class Work:
    """One agent's day that began at ``day_ms``, up to ``since_ms``; since then they are in ``state``."""

    tenant: int
    day_ms: int
    state: str = AWAY
    since_ms: int = 0
    signed_in_ms: int = 0
    handling_ms: int = 0
    ready_ms: int = 0

    def add(self, state: str, lasted_ms: int) -> None:
        self.signed_in_ms += lasted_ms
        if state in HANDLING:
            self.handling_ms += lasted_ms
        elif state in READY:
            self.ready_ms += lasted_ms

    def on(self, day_ms: int) -> Work:
        """The same on the day that began at ``day_ms``: the sums of another day are not today's."""
        if day_ms == self.day_ms:
            return self
        since_ms = max(self.since_ms, day_ms)
        return Work(tenant=self.tenant, day_ms=day_ms, state=self.state, since_ms=since_ms)


def take(works: dict[int, Work], fact: f.AgentStateChanged, rules: Rules) -> None:
    """Follow one agent's change of state."""
    agent, tenant = key_of(fact.agent), key_of(fact.tenant)
    if agent is None or tenant is None:
        return
    day_ms = day_start_ms(fact.at_ms, rules.of(tenant).time_zone)
    work = works.get(agent, Work(tenant=tenant, day_ms=day_ms)).on(day_ms)
    if work.state != AWAY:
        work.add(work.state, max(0, fact.at_ms - work.since_ms))
    work.tenant, work.state, work.since_ms = tenant, fact.state, fact.at_ms
    works[agent] = work


def shown(works: dict[int, Work], tenant: int, day_ms: int, only: frozenset[int] | None) -> dict[str, dict[str, Any]]:
    """By agent id, of those who were signed in on the day; ``only``: those who are shown."""
    found = {}
    for agent, work in works.items():
        if work.tenant == tenant and (only is None or agent in only):
            today = work.on(day_ms)
            if today.signed_in_ms or today.state != AWAY:
                found[str(agent)] = _entity(agent, today)
    return found


def _entity(agent: int, work: Work) -> dict[str, Any]:
    return {
        "id": str(agent),
        "signed_in_ms": work.signed_in_ms,
        "handling_ms": work.handling_ms,
        "ready_ms": work.ready_ms,
        "state": work.state,
        "since_ms": work.since_ms if work.state != AWAY else 0,
    }
