"""Standing in line, being offered to an agent, and leaving the line."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.agents.machine import AgentState
from apps.core.callbacks import attempts, booking, readiness
from apps.core.calls import lines
from apps.core.calls.model import Call, Leg
from apps.core.center import Center
from apps.core.config import AgentConfig, DeviceConfig, DeviceKind, SkillNeed
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId, LegId, QueueId

RING_GRACE_MS = 1_000
"""The switch ends the ringing itself; our own deadline is the backstop."""

IDLE_MS = 15_000
"""An agent's leg that has answered waits so long for its caller before it ends by itself."""

ACK_MS = 1_500
"""By then the page of a browser phone shows the offer (console.md section 2), or nobody would hear it ring."""


def enqueue(
    center: Center,
    call: Call,
    queue: QueueId,
    *,
    needs: tuple[SkillNeed, ...] = (),
    priority: int | None = None,
    max_wait_ms: int | None = None,
    queued_ms: int | None = None,
    wanted_agent: AgentId | None = None,
) -> bool:
    """Put a caller in line with music. False when there is no such queue of this tenant."""
    config = center.queue_config(queue)
    if config is None or config.tenant != call.tenant:
        return False
    place = config.priority if priority is None else min(9, max(0, priority))
    since_ms = center.now_ms if queued_ms is None else queued_ms
    load = center.state.queues.get(queue)
    center.emit(
        f.CallQueued(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            queue=queue,
            needs=needs,
            priority=place,
            queued_ms=since_ms,
            deadline_ms=center.now_ms + (config.max_wait_ms if max_wait_ms is None else max_wait_ms),
            wanted_agent=wanted_agent,
            estimate_ms=center.expected_ms(queue, center.ahead_of_new(queue, place, since_ms)),
            last_wait_ms=load.last_wait_ms if load is not None else None,
            consult=call.consult is not None,
        )
    )
    if call.consult is None:  # else the customer hears music already, and the agent when the telephone is free
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=config.music))
    return True


def back_in_line(center: Center, call: Call) -> None:
    """The old place again, music again."""
    wait = call.wait
    if wait is None:
        return
    center.emit(
        f.CallQueued(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            queue=wait.queue,
            needs=wait.needs,
            priority=wait.priority,
            queued_ms=wait.queued_ms,
            deadline_ms=wait.deadline_ms,
            wanted_agent=wait.wanted_agent,
        )
    )
    center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=music_of(center, call)))


def music_of(center: Center, call: Call) -> str:
    config = center.queue_config(call.wait.queue if call.wait else call.last_queue)
    return config.music if config is not None else "default"


def music_for_customer(center: Center, call: Call) -> str:
    """Of one who is set aside while somebody else is sought in a queue: that of the queue they came by."""
    config = center.queue_config(call.last_queue)
    return config.music if config is not None else "default"


_CALLBACK_ENDS = {
    f.QueueExit.ANSWERED: f.CallbackOutcome.SERVED,
    f.QueueExit.ABANDONED: f.CallbackOutcome.ABANDONED,
    f.QueueExit.TIMED_OUT: f.CallbackOutcome.OVERFLOWED,
    f.QueueExit.OVERFLOWED: f.CallbackOutcome.OVERFLOWED,
    f.QueueExit.TRANSFERRED: f.CallbackOutcome.OVERFLOWED,
    f.QueueExit.REMOVED: f.CallbackOutcome.CANCELLED,
    f.QueueExit.CALLBACK: f.CallbackOutcome.CANCELLED,
}


def leave_line(center: Center, call: Call, reason: f.QueueExit) -> None:
    if call.wait is None:
        return
    if call.callback is not None:
        booking.emit_ended(center, call, _CALLBACK_ENDS[reason])
        return
    center.emit(
        f.CallDequeued(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            queue=call.wait.queue,
            reason=reason,
            waited_ms=max(0, center.now_ms - call.wait.entered_ms),
            consult=call.consult is not None,
        )
    )


# --- offers --------------------------------------------------------------------------------------------------------


def assign(center: Center) -> None:
    """Match what became free with what became waiting, until nothing fits any more."""
    while center.dirty_calls or center.dirty_agents:
        calls, center.dirty_calls = center.dirty_calls, {}
        agents, center.dirty_agents = center.dirty_agents, {}
        waiting = [call for call in calls if center.index_call(call)]
        ready = [agent for agent in agents if center.index_agent(agent)]
        for call in waiting:
            while (agent := center.matcher.agent_for(call)) is not None:
                _serve_first(center, agent)
        for agent in ready:
            while center.matcher.caller_for(agent) is not None:
                _serve_first(center, agent)


def _serve_first(center: Center, agent: AgentId) -> None:
    """When many became free or waiting at once, the order is still that of the lines on both sides."""
    first = center.matcher.caller_for(agent)
    longest_idle = center.matcher.agent_for(first) if first is not None else None
    if first is None or longest_idle is None:
        raise RuntimeError("the matcher's two sides disagree")  # a bug of ours: better loud than a silent caller
    call = center.state.calls[first]
    if attempts.customer_first(call):
        center.matcher.caller_leaves(first)
        center.matcher.agent_unready(longest_idle)
        attempts.call_customer(center, call, longest_idle)
    else:
        _offer(center, call, longest_idle)


def _offer(center: Center, call: Call, agent_id: AgentId) -> None:
    config = center.agent_config(agent_id)
    queue = center.queue_config(call.wait.queue if call.wait else None)
    if config is None or config.device is None or queue is None or call.wait is None:
        return
    ready, waiting = center.matcher.counts(call.id)
    center.matcher.caller_leaves(call.id)
    center.matcher.agent_unready(agent_id)
    leg, kept = center.mint.leg(), kept_open.standing_by(center, agent_id)
    pages = kept is None and config.device.kind is DeviceKind.BROWSER
    center.emit(
        f.AgentOffered(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent_id,
            leg=leg,
            queue=queue.id,
            deadline_ms=center.now_ms + queue.ring_timeout_ms + RING_GRACE_MS,
            ready_agents=ready,
            waiting_calls=waiting,
            idle_since_ms=center.state.agents[agent_id].idle_since_ms,
            ack_deadline_ms=center.now_ms + ACK_MS if pages else None,
        )
    )
    if kept is not None:
        kept_open.lend(center, call, agent_id, kept, leg, queue.id)
        states.move(center, agent_id, AgentState.OFFERED, call=call.id)
        from apps.core.queues import whisper

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
    idle_ms = IDLE_MS + rings_ms
    center.send(ring_phone(center, call, config, config.device, leg, queue.ring_timeout_ms, queue.auto_answer, idle_ms))


def ring_phone(
    center: Center,
    call: Call,
    agent: AgentConfig,
    device: DeviceConfig,
    leg: LegId,
    ring_timeout_ms: int,
    auto_answer: bool,
    idle_timeout_ms: int = IDLE_MS,
) -> c.OriginateLeg:
    trunk = center.state.config.trunks.get(device.trunk) if device.trunk is not None else None
    pstn = device.kind is DeviceKind.PSTN
    return c.OriginateLeg(
        switch=device.switch,
        leg=leg,
        call=call.id,
        tenant=agent.tenant,
        role=LegRole.AGENT,
        destination=c.Destination(
            kind=c.DestinationKind.TRUNK if pstn else c.DestinationKind.DEVICE,
            address=device.address,
            trunk=trunk.id if trunk else None,
            gateway=trunk.gateway if trunk else "",
        ),
        ring_timeout_ms=ring_timeout_ms,
        caller_number=trunk.caller_number if pstn and trunk and trunk.caller_number else call.caller_number,
        caller_name=call.caller_name,
        agent=agent.id,
        auto_answer=auto_answer and not pstn,
        idle_timeout_ms=idle_timeout_ms,
    )


def end_offer(center: Center, call: Call, outcome: f.OfferOutcome, cause: HangupCause | None = None) -> None:
    if call.offer is None:
        return
    center.emit(
        f.OfferEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=call.offer.agent,
            leg=call.offer.leg,
            outcome=outcome,
            cause=cause,
        )
    )


def withdraw(center: Center, call: Call, outcome: f.OfferOutcome) -> None:
    """Take the offer back: the agent's leg is cancelled and the agent free in the old place."""
    offer = call.offer
    if offer is None:
        return
    cancel_leg(center, call, offer.leg)
    end_offer(center, call, outcome)
    states.free(center, offer.agent, call)


def acknowledge(center: Center, call: Call) -> None:
    """The page shows it and could take it."""
    offer = call.offer
    if offer is not None and offer.ack_deadline_ms is not None:
        center.emit(
            f.OfferAcked(at_ms=center.now_ms, tenant=call.tenant, call=call.id, agent=offer.agent, leg=offer.leg)
        )


def not_acknowledged(center: Center, call: Call) -> None:
    """The page sleeps, or has no sound: on to the next agent, and this one has missed nothing."""
    offer = call.offer
    if offer is None:
        return
    withdraw(center, call, f.OfferOutcome.UNACKNOWLEDGED)
    agent = center.agent(offer.agent)
    if agent is not None and agent.state not in (AgentState.LOGGED_OUT, AgentState.DISCONNECTED):
        states.disconnect(center, agent, states.NO_ACK)


def hang_up(leg: Leg) -> c.HangUpLeg:
    said = HangupCause.CANCELLED if leg.answered_ms is None else HangupCause.NORMAL
    return c.HangUpLeg(switch=leg.switch, leg=leg.id, cause=said)


def cancel_leg(center: Center, call: Call, leg_id: LegId) -> None:
    leg = call.legs.get(leg_id)
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg_id, cause=HangupCause.CANCELLED))


def offered_in(call: Call, leg: LegId) -> bool:
    return call.in_line and call.offer is not None and call.offer.leg == leg
