"""What a waiting call asks for right now, and when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.callbacks.readiness import in_line
from apps.core.calls.model import Call, LegState, Offer, Wait
from apps.core.config import QueueConfig, Strategy
from apps.core.queues import needs
from apps.core.queues.rings import Stage, stage
from apps.core.queues.strategies import MOST_AT_ONCE, SEVERAL_AT_ONCE
from apps.core.queues.waiting import Requirement

if TYPE_CHECKING:
    from apps.core.center import Center


def stands_in_line(center: Center, call: Call) -> bool:
    """Waits, also while the switch cannot be reached, and in a queue that exists."""
    queue = center.queue_config(call.wait.queue if call.wait is not None else None)
    return queue is not None and call.in_line and in_line(center.state, call, center.now_ms)


def requirement_of(center: Center, call: Call) -> Requirement | None:
    """Of a call that stands in line. None: not where it can be served, or no more telephones are to ring."""
    wait, queue = call.wait, center.queue_config(call.wait.queue if call.wait is not None else None)
    if wait is None or queue is None or not center.link_up(call.switch):
        return None
    step_ms = _next_step_ms(queue, call)
    if call.offers and (is_answered(call) or step_ms is None or step_ms > center.now_ms):
        return None
    now = stage_of(center, call, wait, queue)
    return Requirement(call.switch, queue.id, now.needs, now.tiers_up_to, now.only, now.kept)


def stage_of(center: Center, call: Call, wait: Wait, queue: QueueConfig) -> Stage:
    kept = False
    if wait.sticky_agent is not None and center.now_ms < wait.sticky_until_ms:
        whole = Requirement(call.switch, queue.id, needs.together(queue.needs, wait.needs))
        kept = center.matcher.could_keep(wait.sticky_agent, whole)
    return stage(queue, wait, center.matcher.openings(queue.id), center.now_ms, kept=kept)


def lacks_forever(center: Center, call: Call) -> needs.Needs | None:
    """What is required of an agent after the last ring, when no agent of the queue could ever serve it; else None."""
    wait, queue = call.wait, center.queue_config(call.wait.queue if call.wait is not None else None)
    if wait is None or queue is None or call.offers or not stands_in_line(center, call):
        return None
    asked = needs.relaxed(needs.together(queue.needs, wait.needs), queue.rings)
    if center.matcher.possible(Requirement(call.switch, queue.id, asked, only=wait.wanted_agent)):
        return None
    return tuple(need for need in asked if need.required)


def next_ms(center: Center, call: Call) -> int | None:
    """When it will ask for less, or may ring another telephone."""
    wait, queue = call.wait, center.queue_config(call.wait.queue if call.wait is not None else None)
    if wait is None or queue is None:
        return None
    step_ms = _next_step_ms(queue, call) if call.offers else None
    dues = [stage_of(center, call, wait, queue).until_ms, step_ms]
    return min((due for due in dues if due is not None and due > center.now_ms), default=None)


def is_answered(call: Call) -> bool:
    return any(has_answered(call, offer) for offer in call.offers.values())


def has_answered(call: Call, offer: Offer) -> bool:
    leg = call.legs.get(offer.leg)
    return leg is not None and leg.state in (LegState.ANSWERED, LegState.IDLE)


def _next_step_ms(queue: QueueConfig, call: Call) -> int | None:
    """From when on one more may ring beside those that do; None: no more."""
    alone = call.wait is None or call.wait.wanted_agent is not None
    if alone or queue.strategy not in SEVERAL_AT_ONCE or len(call.offers) >= MOST_AT_ONCE:
        return None
    if queue.strategy is Strategy.RING_ALL:
        return 0
    return max((offer.offered_ms for offer in call.offers.values()), default=0) + queue.ring_step_ms
