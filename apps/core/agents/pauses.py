"""How long agents pause: counted by reason and local day, and said when it is longer than the tenant allows.

Nobody is thrown out of a pause: the floor sees an alarm, the agent's own page says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import calendars
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent, Pause
from apps.core.config import PauseLimit, TenantConfig

if TYPE_CHECKING:
    from apps.core.center import Center
    from apps.core.state import State

ALARM = "pause_over"


def note(state: State, agent: Agent, now_in: AgentState, reason: str, at_ms: int) -> None:
    """For the fold alone: the agent is now in this state, behind a lost console too."""
    paused = now_in is AgentState.PAUSED
    if agent.pause is not None and not (paused and agent.pause.reason == reason):
        _count(state, agent, agent.pause, at_ms)
        agent.pause = None
    if paused and agent.pause is None:
        agent.pause = Pause(reason=reason, since_ms=at_ms)


def used_ms(state: State, agent: Agent, reason: str, now_ms: int) -> int:
    """Today, the pause at hand included."""
    day_ms = _midnight_ms(state, agent, now_ms)
    before_ms = agent.paused_ms.get(reason, 0) if agent.paused_day_ms == day_ms else 0
    at_hand = agent.pause if agent.pause is not None and agent.pause.reason == reason else None
    return before_ms + (max(0, now_ms - max(at_hand.since_ms, day_ms)) if at_hand is not None else 0)


def limit_of(state: State, agent: Agent, reason: str) -> PauseLimit | None:
    tenant = state.config.tenants.get(agent.tenant)
    return tenant.pause_limits.get(reason) if tenant is not None else None


def over_at_ms(state: State, agent: Agent) -> int | None:
    """When the pause at hand is longer than allowed. None: it may go on, or it has been said."""
    pause = agent.pause
    limit = limit_of(state, agent, pause.reason) if pause is not None else None
    if pause is None or pause.over or limit is None:
        return None
    moments = [pause.since_ms + limit.each_ms] if limit.each_ms else []
    if limit.day_ms:
        left_ms = max(0, limit.day_ms - used_ms(state, agent, pause.reason, pause.since_ms))
        tomorrow_ms = _midnight_ms(state, agent, pause.since_ms) + calendars.DAY_MS
        today = pause.since_ms + left_ms <= tomorrow_ms
        moments.append(pause.since_ms + left_ms if today else tomorrow_ms + limit.day_ms)
    return min(moments, default=None)


def look(center: Center) -> None:
    """After each event: is a pause longer than allowed, or such a one over?"""
    for agent_id in list(center.dirty_agents):
        agent = center.agent(agent_id)
        over_ms = over_at_ms(center.state, agent) if agent is not None else None
        if agent is not None and agent.pause is not None and over_ms is not None and over_ms <= center.now_ms:
            _say(center, agent, agent.pause)
        elif agent is None or agent.pause is None or not agent.pause.over:
            center.clear_alarm(ALARM, agent_id)


def _say(center: Center, agent: Agent, pause: Pause) -> None:
    center.emit(f.PauseOverran(at_ms=center.now_ms, tenant=agent.tenant, agent=agent.id, reason=pause.reason))
    config = center.agent_config(agent.id)
    center.alarm(ALARM, agent.id, config.name if config is not None else agent.id, agent.tenant)


def _count(state: State, agent: Agent, pause: Pause, at_ms: int) -> None:
    day_ms = _midnight_ms(state, agent, at_ms)
    if agent.paused_day_ms != day_ms:
        agent.paused_day_ms, agent.paused_ms = day_ms, {}
    lasted_ms = max(0, at_ms - max(pause.since_ms, day_ms))
    agent.paused_ms[pause.reason] = agent.paused_ms.get(pause.reason, 0) + lasted_ms


def _midnight_ms(state: State, agent: Agent, at_ms: int) -> int:
    tenant = state.config.tenants.get(agent.tenant) or TenantConfig(id=agent.tenant, name="")
    return calendars.midnight_ms(tenant.utc_offsets, at_ms)
