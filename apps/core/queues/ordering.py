"""Who waits first: one number for each caller, made when they come and never touched again.

It is the time at which they would have come with normal priority: each step of priority above that is worth so many
seconds of waiting, so a caller of lower priority who has waited longer than the difference is first. As both go on
waiting the difference stays the same: ageing needs no clock. Numbers of different queues compare, so across queues
the longest waiter is first.
"""

from __future__ import annotations

from apps.core.calls.barring import is_one_of
from apps.core.calls.model import Call
from apps.core.config import CenterConfig, QueueConfig, TenantConfig

NORMAL = 5
STRICT_STEP_MS = 10_000_000_000
"""Where nothing makes up for priority: no caller has waited for four months."""

VIP = "vip"
YES = frozenset({"1", "true", "yes"})
"""Attached data that makes a customer special, from a program that knows more than the customers on file."""


def place(queue: QueueConfig, priority: int, queued_ms: int) -> int:
    """Smaller first."""
    step_ms = queue.ageing_s * 1000 or STRICT_STEP_MS
    return queued_ms - (priority - NORMAL) * step_ms


def priority_of(config: CenterConfig, call: Call, asked: int) -> int:
    """What flow or queue ask for; more for a number of ours that special people call, and for special customers."""
    did = config.did(call.switch, call.did)
    tenant = config.tenants.get(call.tenant) if call.tenant is not None else None
    raised = [
        did.priority if did is not None and did.priority is not None else 0,
        tenant.vip_priority if tenant is not None and _is_vip(tenant, call) else 0,
    ]
    return min(9, max(0, asked, *raised))


def _is_vip(tenant: TenantConfig, call: Call) -> bool:
    return call.attached.get(VIP) in YES or is_one_of(tenant.dialing, call.caller_number, tenant.vips)
