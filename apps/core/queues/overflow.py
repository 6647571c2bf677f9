"""A caller waited as long as the queue allows: where to now."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.calls import closing, transfers
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import Overflow, OverflowKind
from apps.core.ids import FlowId, QueueId
from apps.core.ivr import runs
from apps.core.queues import offers


def waited_too_long(center: Center, call: Call) -> None:
    """An agent whose telephone only rings is let off."""
    if call.wait is None:
        return
    queue = center.queue_config(call.wait.queue)
    to_one_agent = call.wait.wanted_agent is not None
    offers.withdraw(center, call, f.OfferOutcome.WITHDRAWN)
    offers.leave_line(center, call, f.QueueExit.TIMED_OUT)
    if to_one_agent:
        transfers.failed(center, call, "the agent did not take it")
    elif not runs.resume(center, call, "timeout"):
        overflow(center, call, queue.overflow if queue is not None else Overflow())


def queue_gone(center: Center, call: Call) -> None:
    """The queue was deleted under its callers."""
    offers.withdraw(center, call, f.OfferOutcome.WITHDRAWN)
    offers.leave_line(center, call, f.QueueExit.REMOVED)
    if not runs.resume(center, call, "error"):
        overflow(center, call, Overflow())


def overflow(center: Center, call: Call, rule: Overflow) -> None:
    done = False
    if rule.kind is OverflowKind.QUEUE:
        done = offers.enqueue(center, call, QueueId(rule.target))
    elif rule.kind is OverflowKind.NUMBER:
        done = transfers.dial(center, call, rule.target)
    elif rule.kind is OverflowKind.FLOW:
        done = runs.enter_flow(center, call, FlowId(rule.target))
    elif rule.sounds:
        closing.close(center, call, f.CallOutcome.OVERFLOWED, rule.sounds)
        done = True
    if not done:
        last_resort(center, call)


def last_resort(center: Center, call: Call) -> None:
    """The tenant's fallback number, else an apology: nobody is left in silence."""
    tenant = center.state.config.tenants.get(call.tenant) if call.tenant is not None else None
    if tenant is None or not tenant.fallback_number or not transfers.dial(center, call, tenant.fallback_number):
        transfers.apologise(center, call)
