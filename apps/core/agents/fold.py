"""What each fact about an agent changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.agents import pauses
from apps.core.agents.machine import RESTING, AgentState
from apps.core.agents.model import Agent
from apps.core.fold_rules import on
from apps.core.queues import estimates
from apps.core.queues.load import load_of

if TYPE_CHECKING:
    from apps.core.state import State


SHIFT_GAP_MS = 4 * 3_600_000
"""Who signs in after being away for so long begins a new shift. Breaks and lost consoles do not begin one."""

_NOTHING_MISSED = frozenset({AgentState.TALKING, AgentState.PAUSED, AgentState.NOT_RESPONDING, AgentState.LOGGED_OUT})
"""Who was missed before starts anew."""


@on(f.AgentStateChanged)
def _agent_state_changed(state: State, fact: f.AgentStateChanged) -> None:
    agent = state.agents.get(fact.agent)
    if agent is None:
        if fact.tenant is None:
            return
        agent = state.agents[fact.agent] = Agent(id=fact.agent, tenant=fact.tenant)
    following = AgentState(fact.state)
    if agent.state is AgentState.LOGGED_OUT is not following and fact.at_ms - agent.since_ms >= SHIFT_GAP_MS:
        agent.served = agent.talked_ms = 0
    _count_handling(state, agent, following, fact)
    logical = AgentState(fact.prior) if following is AgentState.DISCONNECTED else following
    goes_on = following is AgentState.DISCONNECTED and agent.pause is not None
    pauses.note(state, agent, logical, agent.pause.reason if goes_on and agent.pause else fact.reason, fact.at_ms)
    if logical in _NOTHING_MISSED:
        agent.missed = 0
    if fact.call != agent.call:
        agent.draft = agent.draft_disposition = ""
        agent.typed_on, agent.ends_at_once = 0, False
    if following in (AgentState.TALKING, AgentState.LOGGED_OUT):
        agent.suspended_until_ms, agent.not_rung = None, 0
    if following in (AgentState.DISCONNECTED, AgentState.LOGGED_OUT):
        agent.media_ready = False  # the page is gone, and its microphone with it; one that comes back says so
    extends = following is agent.state is AgentState.WRAP_UP
    was_wrapping_up = AgentState.WRAP_UP in (agent.state, agent.back_state)
    agent.back_state = fact.prior if following is AgentState.DISCONNECTED else ""
    wraps_up = AgentState.WRAP_UP in (following, agent.back_state)
    agent.extended = agent.extended + extends if wraps_up and was_wrapping_up else 0
    if wraps_up and not was_wrapping_up:
        agent.wrap_up_since_ms = fact.at_ms
    if agent.state is not following:
        agent.since_ms = fact.at_ms
    agent.state, agent.reason, agent.call = following, fact.reason, fact.call
    agent.next_state, agent.next_reason = fact.next_state, fact.next_reason
    agent.deadline_ms, agent.back_deadline_ms = fact.deadline_ms, fact.back_deadline_ms
    if fact.idle_since_ms is not None:
        agent.idle_since_ms = fact.idle_since_ms


def _count_handling(state: State, agent: Agent, following: AgentState, fact: f.AgentStateChanged) -> None:
    """From the offer to the end of wrap-up: so long a call of the queue keeps an agent."""
    if following is AgentState.OFFERED:
        agent.busy_since_ms = fact.at_ms
    elif agent.serves is not None and following in RESTING:
        estimates.handled(load_of(state, agent.serves), fact.at_ms - agent.busy_since_ms)
        agent.serves = None


@on(f.AgentNextStateSet)
def _agent_next_state_set(state: State, fact: f.AgentNextStateSet) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.next_state, agent.next_reason = fact.next_state, fact.next_reason


@on(f.PauseOverran)
def _pause_overran(state: State, fact: f.PauseOverran) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None and agent.pause is not None:
        agent.pause.over = True


@on(f.AgentOverruled)
def _agent_overruled(state: State, fact: f.AgentOverruled) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.ends_at_once = fact.now


@on(f.AgentMediaMoved)
def _agent_media_moved(state: State, fact: f.AgentMediaMoved) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.media_epoch, agent.media_page, agent.media_ready = fact.epoch, fact.page, False


@on(f.AgentMediaChanged)
def _agent_media_changed(state: State, fact: f.AgentMediaChanged) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.media_ready = fact.ready


@on(f.AgentDrafted)
def _agent_drafted(state: State, fact: f.AgentDrafted) -> None:
    agent = state.agents.get(fact.agent)
    if agent is None or agent.call != fact.call:
        return
    agent.draft, agent.draft_disposition = fact.note, fact.disposition
    if fact.deadline_ms is not None:
        agent.deadline_ms = fact.deadline_ms
        agent.typed_on += 1


@on(f.OffersSuspended)
def _offers_suspended(state: State, fact: f.OffersSuspended) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.suspended_until_ms = fact.until_ms
        agent.not_rung += 1


@on(f.OffersResumed)
def _offers_resumed(state: State, fact: f.OffersResumed) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.suspended_until_ms = None
