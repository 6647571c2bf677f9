"""What supervisors may do to agents."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import attended, states
from apps.core.agents.desk import go_to, on
from apps.core.agents.machine import BUSY, RESTING, AgentState
from apps.core.agents.model import Agent
from apps.core.calls import consulting, dialing, rejoining, transfers
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.queues import offers
from apps.core.refusals import Refusal
from apps.core.texts import LONGEST_REASON


@on(e.AgentForced)
def _force(center: Center, agent: Agent, event: e.AgentForced) -> Refusal | None:
    if event.state not in RESTING:
        return Refusal("bad_state", "an agent can be forced to READY, PAUSED or LOGGED_OUT")
    before, wanted, reason = states.logical(agent), AgentState(event.state), event.reason[:LONGEST_REASON] or "forced"
    if before is AgentState.LOGGED_OUT and wanted is not AgentState.LOGGED_OUT:
        return Refusal("wrong_state", "this agent is not signed in")
    center.emit(
        f.AgentOverruled(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            actor=event.actor,
            before=before,
            state=wanted,
            reason=reason,
            now=event.now,
            call=agent.call,
        )
    )
    refusal = go_to(center, agent, wanted, "" if wanted is AgentState.READY else reason)
    if refusal is None and event.now and before in BUSY:
        _take_away(center, agent)
    return refusal


def _take_away(center: Center, agent: Agent) -> None:
    """Out of what the agent is doing, at once, to the next state that has just been set; the caller loses nothing."""
    call = center.state.calls.get(agent.call) if agent.call is not None else None
    state = states.logical(agent)
    if state is AgentState.WRAP_UP:
        states.give_up_result(center, agent)
        states.rest(center, agent)
    elif call is None:
        return
    elif (offer := call.offer_to(agent.id)) is not None:
        offers.withdraw(center, call, offer, f.OfferOutcome.WITHDRAWN)
    elif call.dial is not None and call.state is CallState.DIALING:
        dialing.cancel(center, call)
    elif call.rejoin is not None and call.rejoin.agent == agent.id:
        rejoining.give_up(center, call, f.RejoinEnd.TAKEN_AWAY)
    elif call.consult is not None and call.consult.agent == agent.id:
        consulting.take_away(center, call)
    elif call.consult is not None or call.three_way is not None:
        attended.leave(center, call, agent)
    elif call.bridge is not None and call.bridge.agent == agent.id:
        _talk_ends(center, call, agent)


def _talk_ends(center: Center, call: Call, agent: Agent) -> None:
    """The caller goes to the head of the queue that brought them here; without one the call is over."""
    leg = call.legs.get(call.bridge.leg) if call.bridge is not None else None
    queue = call.bridge.queue if call.bridge is not None else None
    if call.state is CallState.TALKING and queue is not None and call.transfer is None:
        transfers.start(center, call, agent.id, e.TransferKind.QUEUE, queue, to_head=True)
    elif leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
