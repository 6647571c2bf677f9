"""Whether who waits for a call back is in line just now. Plain questions about the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.callbacks.model import CallbackState
from apps.core.calls.barring import same_number
from apps.core.calls.model import Call
from apps.core.config import DialPolicy
from apps.core.ids import QueueId, TenantId

if TYPE_CHECKING:
    from apps.core.state import State


def off_line(call: Call) -> bool:
    """Waits without a telephone: nothing can be said to the customer."""
    return call.callback is not None and call.callback.state is not CallbackState.ON_LINE


def in_line(state: State, call: Call, now_ms: int) -> bool:
    """An agent may be looked for. Nobody is called back before it is due, or while the queue is closed."""
    callback, wait = call.callback, call.wait
    if callback is None or wait is None or callback.state is CallbackState.ON_LINE:
        return True
    load = state.queues.get(wait.queue)
    closed = load is not None and load.closed != ""
    return callback.state is CallbackState.BOOKED and callback.due_ms <= now_ms and not closed


def due_ms(call: Call, now_ms: int) -> int | None:
    """When the next try may be made, if that is still to come."""
    callback = call.callback
    waits = callback is not None and callback.state is CallbackState.BOOKED and callback.due_ms > now_ms
    return callback.due_ms if callback is not None and waits else None


def open_callback(state: State, tenant: TenantId | None, queue: QueueId, number: str) -> Call | None:
    """The one that this number has in this queue already, however it is written. O(calls), once a booking."""
    config = state.config.tenants.get(tenant) if tenant is not None else None
    policy = config.dialing if config is not None else DialPolicy()
    for call in state.calls.values():
        callback, wait = call.callback, call.wait
        if callback is None or wait is None or call.tenant != tenant or wait.queue != queue:
            continue
        if same_number(policy, callback.number, number):
            return call
    return None
