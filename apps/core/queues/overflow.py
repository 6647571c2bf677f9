"""A caller is not served here, or not any longer: where to now."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.callbacks import booking, readiness
from apps.core.calls import closing, consulting, transfers
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import Overflow, OverflowKind, QueueConfig
from apps.core.ids import FlowId, QueueId
from apps.core.ivr import runs
from apps.core.queues import door, offers

MOST_OVERFLOWS = 10
"""Of one call before somebody talks with it: then it goes round in circles, by whatever ways."""
CIRCLE = "overflow_circle"

_PORTS = {
    f.OverflowReason.CLOSED: "closed",
    f.OverflowReason.FULL: "full",
    f.OverflowReason.NO_AGENTS: "no_agents",
    f.OverflowReason.TIMED_OUT: "timeout",
    f.OverflowReason.REMOVED: "error",
    f.OverflowReason.CANNOT_MATCH: "error",
}
"""By which a flow goes on that says how."""

_EXITS = {
    f.OverflowReason.TIMED_OUT: f.QueueExit.TIMED_OUT,
    f.OverflowReason.REMOVED: f.QueueExit.REMOVED,
}


def waited_too_long(center: Center, call: Call) -> None:
    send_away(center, call, f.OverflowReason.TIMED_OUT)


def queue_gone(center: Center, call: Call) -> None:
    """The queue was deleted under its callers."""
    send_away(center, call, f.OverflowReason.REMOVED)


def send_away(center: Center, call: Call, reason: f.OverflowReason) -> None:
    """Out of the line. An agent whose telephone only rings is let off."""
    wait = call.wait
    if wait is None:
        return
    if call.consult is not None:
        consulting.not_reached(center, call, str(reason))
        return
    if readiness.off_line(call):
        expired = reason is f.OverflowReason.TIMED_OUT
        booking.end(center, call, f.CallbackOutcome.EXPIRED if expired else f.CallbackOutcome.FAILED)
        return
    offers.withdraw_all(center, call, f.OfferOutcome.WITHDRAWN)
    offers.leave_line(center, call, _EXITS.get(reason, f.QueueExit.OVERFLOWED))
    if wait.wanted_agent is not None:
        transfers.failed(center, call, "the agent did not take it")
    else:
        _go_on(center, call, wait.queue, reason)


def turned_away(center: Center, call: Call, queue: QueueConfig, reason: f.OverflowReason) -> None:
    """At the door: the caller was never in line."""
    _go_on(center, call, queue.id, reason)


def _go_on(center: Center, call: Call, queue: QueueId, reason: f.OverflowReason) -> None:
    config = center.queue_config(queue)
    rule = config.overflow if config is not None else Overflow()
    if config is not None and reason is f.OverflowReason.CLOSED and config.life.closed is not None:
        rule = config.life.closed
    if call.overflows < MOST_OVERFLOWS and runs.resume(center, call, _PORTS[reason]):
        return
    circle = call.overflows >= MOST_OVERFLOWS or (
        rule.kind is OverflowKind.QUEUE and rule.target in {queue, *call.overflow_path}
    )
    if circle:
        detail = f"call {call.id} was to overflow from queue {queue} in a circle"
        center.alarm(CIRCLE, queue, detail, call.tenant)
    center.emit(
        f.CallOverflowed(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            queue=queue,
            reason=reason,
            kind=rule.kind,
            target=rule.target,
            fallback=circle,
        )
    )
    if circle or not _overflow(center, call, rule):
        last_resort(center, call)


def _overflow(center: Center, call: Call, rule: Overflow) -> bool:
    """False: there is nothing where it leads, and nobody has spoken to the caller yet."""
    if rule.kind is OverflowKind.QUEUE:
        return door.enter(center, call, QueueId(rule.target))
    if rule.kind is OverflowKind.NUMBER:
        return transfers.dial(center, call, rule.target)
    if rule.kind is OverflowKind.FLOW:
        return runs.enter_flow(center, call, FlowId(rule.target))
    if rule.sounds:
        closing.close(center, call, f.CallOutcome.OVERFLOWED, rule.sounds)
    return bool(rule.sounds)


def last_resort(center: Center, call: Call) -> None:
    """The tenant's fallback number, else an apology: nobody is left in silence."""
    tenant = center.state.config.tenants.get(call.tenant) if call.tenant is not None else None
    if tenant is None or not tenant.fallback_number or not transfers.dial(center, call, tenant.fallback_number):
        transfers.apologise(center, call)
