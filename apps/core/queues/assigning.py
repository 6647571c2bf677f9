"""Matching who became free with who became waiting, and making the offers."""

from __future__ import annotations

from collections import deque

from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.agents.machine import AgentState
from apps.core.callbacks import attempts, readiness
from apps.core.calls import lines, telephones
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import DeviceKind
from apps.core.events import LegRole
from apps.core.ids import AgentId, CallId
from apps.core.queues import offers, tracing, whisper

RING_GRACE_MS = 1_000
"""The switch ends the ringing itself; our own deadline is the backstop."""

ACK_MS = 1_500
"""By then the page of a browser phone shows the offer, or nobody would hear it ring."""


def assign(center: Center) -> None:
    """Until nothing fits any more. What one decision changes is indexed before the next: it may free somebody better.

    A line that stands open, say, answers at once, and lets off those whose telephones were about to ring.
    """
    waiting: deque[CallId] = deque()
    free: deque[AgentId] = deque()
    while center.dirty_calls or center.dirty_agents:
        _index(center, waiting, free)
        agent = _next(center, waiting, free)
        if agent is not None:
            _serve(center, agent)


def _index(center: Center, waiting: deque[CallId], free: deque[AgentId]) -> None:
    """Who came to work or left may change what callers ask for, so those come last."""
    calls, center.dirty_calls = center.dirty_calls, {}
    waiting.extend(call for call in calls if center.index_call(call))
    agents, center.dirty_agents = center.dirty_agents, {}
    free.extend(agent for agent in agents if center.index_agent(agent))
    waiting.extend(call for call in center.matcher.unsettled() if center.index_call(call))


def _next(center: Center, waiting: deque[CallId], free: deque[AgentId]) -> AgentId | None:
    """An agent from whom the next pair is to be sought."""
    while waiting:
        if (agent := center.matcher.agent_for(waiting[0])) is not None:
            return agent
        waiting.popleft()
    while free:
        if center.matcher.caller_for(free[0]) is not None:
            return free[0]
        free.popleft()
    return None


def _serve(center: Center, agent: AgentId) -> None:
    """Serve the first match on the way from this agent: its first caller, whose best agent, whose first caller …

    Mostly that is the two themselves. When many became free or waiting at once, a pair is sought that is the first
    choice of both; where the choices run in a circle the caller's decides.
    """
    seen: set[AgentId] = set()
    while True:
        call = center.matcher.caller_for(agent)
        best = center.matcher.agent_for(call) if call is not None else None
        if call is None or best is None:
            raise RuntimeError("the matcher's two sides disagree")  # a bug of ours: better loud than a silent caller
        if best == agent or best in seen:
            _serve_call(center, center.state.calls[call], best)
            return
        seen.add(agent)
        agent = best


def _serve_call(center: Center, call: Call, agent: AgentId) -> None:
    if attempts.customer_first(call):
        _take_out(center, call, agent)
        attempts.call_customer(center, call, agent)
    else:
        _offer(center, call, agent)


def _take_out(center: Center, call: Call, agent: AgentId) -> None:
    """Of the matcher; what becomes of the two is indexed as it is decided."""
    center.matcher.caller_leaves(call.id)
    center.matcher.agent_is(agent, signed_in=True, at_work=True, free=None)


def _offer(center: Center, call: Call, agent_id: AgentId) -> None:
    config = center.state.config.agents[agent_id]
    queue = center.queue_config(call.wait.queue if call.wait else None)
    if config.device is None or queue is None:
        return
    leg, kept = center.mint.leg(), kept_open.standing_by(center, agent_id)
    pages = kept is None and config.device.kind is DeviceKind.BROWSER
    decided = tracing.decided(center, call, agent_id, leg)
    _take_out(center, call, agent_id)
    center.emit(decided)
    center.emit(
        f.AgentOffered(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent_id,
            leg=leg,
            queue=queue.id,
            deadline_ms=center.now_ms + queue.ring_timeout_ms + RING_GRACE_MS,
            ready_agents=decided.eligible,
            waiting_calls=decided.waiting,
            idle_since_ms=center.state.agents[agent_id].idle_since_ms,
            rule="wanted_agent" if decided.only is not None else queue.strategy,
            ack_deadline_ms=center.now_ms + ACK_MS if pages else None,
        )
    )
    if kept is not None:
        kept_open.lend(center, call, agent_id, kept, leg, queue.id)
        states.move(center, agent_id, AgentState.OFFERED, call=call.id)
        offers.answered(center, call, leg)
        whisper.begin(center, call, call.legs[leg])
        return
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            switch=config.device.switch,
            role=LegRole.AGENT,
            address=config.device.address,
            agent=agent_id,
            queue=queue.id,
            trunk=config.device.trunk,
        )
    )
    states.move(center, agent_id, AgentState.OFFERED, call=call.id)
    # Who is called back has yet to answer when the agent has.
    rings_ms = lines.policy_of(center, call.tenant).ring_timeout_ms if readiness.off_line(call) else 0
    idle_ms = telephones.IDLE_MS + rings_ms
    telephones.ring(
        center, call, config, config.device, leg, queue.ring_timeout_ms,
        auto_answer=queue.auto_answer, idle_timeout_ms=idle_ms,
    )  # fmt: skip
