"""The way into a queue: in line, or where it sends those whom it does not take."""

from __future__ import annotations

from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import SkillNeed
from apps.core.ids import QueueId
from apps.core.queues import life, offers, overflow


def enter(
    center: Center,
    call: Call,
    queue: QueueId,
    *,
    needs: tuple[SkillNeed, ...] = (),
    priority: int | None = None,
    max_wait_ms: int | None = None,
) -> bool:
    """False when there is no such queue of this tenant; True: the caller is taken care of, here or elsewhere.

    Who comes back to a place, or asks for one agent, does not come by this door (``offers.enqueue``).
    """
    config = center.queue_config(queue)
    if config is None or config.tenant != call.tenant:
        return False
    reason = life.refusal(center, config)
    if reason is not None:
        overflow.turned_away(center, call, config, reason)
        return True
    return offers.enqueue(center, call, queue, needs=needs, priority=priority, max_wait_ms=max_wait_ms)
