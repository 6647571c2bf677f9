"""Standing in line, being offered to an agent, and leaving the line."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.machine import AgentState
from apps.core.callbacks import booking
from apps.core.calls.model import Call, Leg, Offer
from apps.core.center import Center
from apps.core.config import SkillNeed
from apps.core.events import HangupCause
from apps.core.ids import AgentId, LegId, QueueId
from apps.core.queues import ordering, remembered

HEAD_PRIORITY = 9


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
    place = ordering.priority_of(center.state.config, call, config.priority if priority is None else priority)
    new = not call.served and queued_ms is None and wanted_agent is None
    left_ms = remembered.place_of(center.state, config, call, center.now_ms) if new else None
    known = remembered.agent_of(center.state, config, call, center.now_ms) if new else None
    since_ms = next(at_ms for at_ms in (queued_ms, left_ms, center.now_ms) if at_ms is not None)
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
            sticky_agent=known,
            sticky_until_ms=center.now_ms + config.sticky_wait_ms if known is not None else 0,
            resumed=left_ms is not None,
            estimate_ms=center.expected_ms(queue, center.ahead_of_new(queue, place, since_ms)),
            last_wait_ms=load.last_wait_ms if load is not None else None,
            consult=call.consult is not None,
        )
    )
    if call.consult is None:  # else the customer hears music already, and the agent when the telephone is free
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=config.music))
    return True


def enqueue_first(center: Center, call: Call, queue: QueueId) -> bool:
    """At the head of the line: whoever was being served has waited enough. False as ``enqueue``."""
    return enqueue(center, call, queue, priority=HEAD_PRIORITY, queued_ms=call.started_ms)


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
            sticky_agent=wait.sticky_agent,
            sticky_until_ms=wait.sticky_until_ms,
            callback=call.callback is not None,
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


def end_offer(
    center: Center, call: Call, offer: Offer, outcome: f.OfferOutcome, cause: HangupCause | None = None
) -> None:
    center.emit(
        f.OfferEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=offer.agent,
            leg=offer.leg,
            outcome=outcome,
            cause=cause,
        )
    )


def withdraw(
    center: Center,
    call: Call,
    offer: Offer,
    outcome: f.OfferOutcome,
    cause: HangupCause = HangupCause.CANCELLED,
) -> None:
    """Take the offer back: the agent's leg is cancelled and the agent free in the old place."""
    cancel_leg(center, call, offer.leg, cause)
    end_offer(center, call, offer, outcome)
    states.free(center, offer.agent, call)


def withdraw_all(center: Center, call: Call, outcome: f.OfferOutcome) -> None:
    for offer in list(call.offers.values()):
        withdraw(center, call, offer, outcome)


def answered(center: Center, call: Call, leg: LegId) -> None:
    """The first telephone to be answered has the call; the others that ring for it are let off."""
    if not offered_in(call, leg):
        return
    for offer in list(call.offers.values()):
        if offer.leg != leg:
            cause = HangupCause.ANSWERED_ELSEWHERE
            withdraw(center, call, offer, f.OfferOutcome.ANSWERED_ELSEWHERE, cause)


def acknowledge(center: Center, call: Call, offer: Offer) -> None:
    """The page shows it and could take it."""
    if offer.ack_deadline_ms is not None:
        center.emit(
            f.OfferAcked(at_ms=center.now_ms, tenant=call.tenant, call=call.id, agent=offer.agent, leg=offer.leg)
        )


def not_acknowledged(center: Center, call: Call, offer: Offer) -> None:
    """The page sleeps, or has no sound: on to the next agent, and this one has missed nothing."""
    withdraw(center, call, offer, f.OfferOutcome.UNACKNOWLEDGED)
    agent = center.agent(offer.agent)
    if agent is not None and agent.state not in (AgentState.LOGGED_OUT, AgentState.DISCONNECTED):
        states.disconnect(center, agent, states.NO_ACK)


def hang_up(leg: Leg) -> c.HangUpLeg:
    said = HangupCause.CANCELLED if leg.answered_ms is None else HangupCause.NORMAL
    return c.HangUpLeg(switch=leg.switch, leg=leg.id, cause=said)


def cancel_leg(center: Center, call: Call, leg_id: LegId, cause: HangupCause = HangupCause.CANCELLED) -> None:
    leg = call.legs.get(leg_id)
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg_id, cause=cause))


def offered_in(call: Call, leg: LegId) -> bool:
    return call.in_line and leg in call.offers
