"""Moves an agent between states, by the table only. An illegal move is an anomaly and changes nothing."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.agents.machine import IN_CALL, AgentState, may_follow
from apps.core.agents.model import Agent
from apps.core.calls.lines import policy_of
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.ids import AgentId, CallId, QueueId
from apps.core.state import State
from apps.core.texts import LONGEST_RAW

DISCONNECTED_MS = 60_000
"""After this long without a console an agent is signed out."""
EXTENSION_MS = 30_000
MAX_EXTENSIONS = 10
DEFAULT_WRAP_UP_MS = 30_000
UNSET = "UNSET"
HELP = "agent_help"
"""The alarm of an agent who asks for somebody, by agent."""
NO_ACK = "no_ack"
"""Why an agent is DISCONNECTED whose page did not acknowledge an offer."""
TYPING_WINDOW_MS = 5_000
TYPING_MS = 15_000
MAX_TYPED_ON = 10


def move(
    center: Center,
    agent_id: AgentId,
    state: AgentState,
    *,
    call: CallId | None = None,
    reason: str = "",
    deadline_ms: int | None = None,
    idle_since_ms: int | None = None,
    keep_next: bool = True,
) -> bool:
    """Change the state; while the console is away, only what it will come back to. False: refused by the table."""
    if call is None:
        center.clear_alarm(HELP, agent_id)
    agent = center.agent(agent_id)
    if agent is None:
        return False
    away = agent.state is AgentState.DISCONNECTED
    current = AgentState(agent.back_state) if away and agent.back_state else agent.state
    if not may_follow(current, state):
        center.emit(
            f.Anomaly(
                at_ms=center.now_ms,
                tenant=agent.tenant,
                event="AgentStateChanged",
                subject=agent_id,
                state=current,
                detail=f"{state} may not follow {current}",
                call=call,
            )
        )
        return False
    shown = AgentState.DISCONNECTED if away and state is not AgentState.LOGGED_OUT else state
    center.emit(
        f.AgentStateChanged(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent_id,
            state=shown,
            prior=state if shown is AgentState.DISCONNECTED else current,
            reason=reason,
            call=call,
            next_state=agent.next_state if keep_next else "",
            next_reason=agent.next_reason if keep_next else "",
            deadline_ms=agent.deadline_ms if shown is AgentState.DISCONNECTED else deadline_ms,
            back_deadline_ms=deadline_ms if shown is AgentState.DISCONNECTED else None,
            idle_since_ms=idle_since_ms,
        )
    )
    return True


def rest(center: Center, agent: Agent, *, idle_since_ms: int | None = None) -> None:
    """To where the agent wished to go next, READY by default."""
    state = AgentState(agent.next_state) if agent.next_state else AgentState.READY
    if idle_since_ms is None and state is AgentState.READY:
        idle_since_ms = center.now_ms
    move(center, agent.id, state, reason=agent.next_reason, idle_since_ms=idle_since_ms, keep_next=False)


def free(center: Center, agent_id: AgentId | None, call: Call, *, to_the_end: bool = False) -> None:
    """An offer came to nothing by no fault of the agent: back to READY, in the old place unless ``to_the_end``."""
    agent = center.agent(agent_id) if agent_id is not None else None
    if agent is not None and agent.call == call.id and logical(agent) in (AgentState.OFFERED, AgentState.DIALING):
        rest(center, agent, idle_since_ms=center.now_ms if to_the_end else agent.idle_since_ms)


def release(center: Center, agent_id: AgentId, call: Call) -> None:
    """The telephone of an agent who was only asked is free again: nothing to wrap up."""
    agent = center.agent(agent_id)
    if agent is None or agent.call != call.id or _has_part_in(call, agent_id):
        return
    if logical(agent) is AgentState.OFFERED:
        rest(center, agent, idle_since_ms=center.now_ms)
    elif logical(agent) in (AgentState.TALKING, AgentState.HOLDING, AgentState.CONFERENCING) and move(
        center, agent_id, AgentState.WRAP_UP, call=call.id, deadline_ms=center.now_ms
    ):
        rest(center, agent)


def _has_part_in(call: Call, agent: AgentId) -> bool:
    parts = (call.bridge, call.consult, call.rejoin, call.dial, *call.offers.values())
    return any(part is not None and part.agent == agent for part in parts)


def dial_ended(center: Center, call: Call, outcome: f.DialOutcome, cause: HangupCause, raw: str = "") -> None:
    """The number was not reached: the agent is told why, and is where they were before."""
    dial = call.dial
    if dial is None:
        return
    center.emit(
        f.DialEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=dial.agent,
            number=dial.number,
            outcome=outcome,
            cause=cause,
            raw=raw[:LONGEST_RAW],
        )
    )
    free(center, dial.agent, call)


def to_talking(center: Center, agent_id: AgentId, call: Call) -> None:
    move(center, agent_id, AgentState.TALKING, call=call.id)


def to_wrap_up(center: Center, agent_id: AgentId, call: Call, queue: QueueId | None) -> None:
    """The talk is over. A queue without wrap-up sends the agent on at once; who wraps it up already goes on so."""
    agent = center.agent(agent_id)
    if agent is None or agent.call != call.id or logical(agent) is AgentState.WRAP_UP:
        return
    dialled = queue is None and call.direction is f.Direction.OUTBOUND
    wrap_up_ms = policy_of(center, call.tenant).wrap_up_ms if dialled else wrap_up_of(center, queue)
    if agent.ends_at_once:
        wrap_up_ms = 0
    ends_ms = center.now_ms + wrap_up_ms
    if move(center, agent_id, AgentState.WRAP_UP, call=call.id, deadline_ms=ends_ms) and wrap_up_ms == 0:
        rest(center, agent)


def wrap_up_of(center: Center, queue: QueueId | None) -> int:
    config = center.queue_config(queue)
    return config.wrap_up_ms if config is not None else DEFAULT_WRAP_UP_MS


def owes_result(state: State, agent: Agent) -> bool:
    """Of the wrap-up at hand. A call that nobody stood in line for has no queue that could do without."""
    config = state.config.queues.get(agent.serves) if agent.serves is not None else None
    return config is None or config.disposition_required


def is_disposition(center: Center, agent: Agent, disposition: str) -> bool:
    tenant = center.state.config.tenants.get(agent.tenant)
    return tenant is None or not tenant.dispositions or disposition in tenant.dispositions


def give_up_result(center: Center, agent: Agent) -> None:
    """The time of the wrap-up is up, or it is cut short: what was typed is kept."""
    chosen = agent.draft_disposition if is_disposition(center, agent, agent.draft_disposition) else ""
    dispose(center, agent, UNSET if owes_result(center.state, agent) else chosen, agent.draft)


def dispose(center: Center, agent: Agent, disposition: str, note: str) -> None:
    """End wrap-up with a result; the call itself may be history already."""
    if agent.call is None:
        return
    center.emit(
        f.CallDisposed(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            call=agent.call,
            agent=agent.id,
            disposition=disposition,
            note=note,
            wrap_up_ms=center.now_ms - agent.wrap_up_since_ms,
        )
    )


def deadline_passed(center: Center, agent_id: AgentId) -> None:
    """Wrap-up ran out, the console stayed away, or the telephone may be tried again."""
    agent = center.agent(agent_id)
    if agent is None:
        return
    center.dirty_agents[agent_id] = None
    if agent.suspended_until_ms is not None and agent.suspended_until_ms <= center.now_ms:
        center.emit(f.OffersResumed(at_ms=center.now_ms, tenant=agent.tenant, agent=agent_id))
    ends_ms = agent.back_deadline_ms if agent.state is AgentState.DISCONNECTED else agent.deadline_ms
    if logical(agent) is AgentState.WRAP_UP and ends_ms is not None and ends_ms <= center.now_ms:
        give_up_result(center, agent)
        rest(center, agent)
    elif (
        agent.state is AgentState.DISCONNECTED and agent.deadline_ms is not None and agent.deadline_ms <= center.now_ms
    ):
        _stayed_away(center, agent)


def _stayed_away(center: Center, agent: Agent) -> None:
    if logical(agent) in IN_CALL | {AgentState.OFFERED}:
        # The phone still talks, or is just being connected; signing out now would lose the wrap-up.
        disconnect(center, agent)
        return
    if logical(agent) is AgentState.WRAP_UP:
        give_up_result(center, agent)
    center.emit(
        f.AgentStateChanged(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            state=AgentState.LOGGED_OUT,
            prior=AgentState.DISCONNECTED,
            reason="lost",
        )
    )


def disconnect(center: Center, agent: Agent, reason: str = "") -> None:
    center.emit(
        f.AgentStateChanged(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            state=AgentState.DISCONNECTED,
            prior=logical(agent),
            reason=reason or agent.reason,
            call=agent.call,
            next_state=agent.next_state,
            next_reason=agent.next_reason,
            deadline_ms=center.now_ms + DISCONNECTED_MS,
            back_deadline_ms=agent.deadline_ms if agent.state is AgentState.WRAP_UP else agent.back_deadline_ms,
        )
    )


def reconnect(center: Center, agent: Agent) -> None:
    """Back to what the agent would be doing had the console stayed."""
    state = logical(agent)
    center.emit(
        f.AgentStateChanged(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            state=state,
            prior=AgentState.DISCONNECTED,
            reason="" if agent.reason == NO_ACK else agent.reason,
            call=agent.call,
            next_state=agent.next_state,
            next_reason=agent.next_reason,
            deadline_ms=agent.back_deadline_ms,
            idle_since_ms=center.now_ms if state is AgentState.READY else None,
        )
    )


def logical(agent: Agent) -> AgentState:
    """The state behind a lost console."""
    if agent.state is AgentState.DISCONNECTED and agent.back_state:
        return AgentState(agent.back_state)
    return agent.state
