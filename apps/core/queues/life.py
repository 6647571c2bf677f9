"""A queue over the day: whether it takes a caller, and what happens to its callers when that changes.

Hours are looked at when they may change, staff after every event; both become facts, so that callers, screens and a
restarted engine mean the same moment.
"""

from __future__ import annotations

from apps.core import facts as f
from apps.core.calendars import next_look_ms, opening
from apps.core.callbacks import readiness
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.config import CalendarConfig, ClosingTime, NoAgents, QueueConfig
from apps.core.ids import QueueId
from apps.core.queues import announcements, overflow
from apps.core.queues.load import QueueLoad

NOTHING_KNOWN = QueueLoad()


def refusal(center: Center, queue: QueueConfig) -> f.OverflowReason | None:
    """Why a caller is not let into this queue now."""
    calendar = _calendar(center, queue)
    if calendar is not None and opening(calendar, center.now_ms) != "open":
        return f.OverflowReason.CLOSED
    if queue.life.max_callers and center.on_line(queue.id) >= queue.life.max_callers:
        return f.OverflowReason.FULL
    deserted_ms = _load(center, queue.id).deserted_ms
    if deserted_ms is not None and center.now_ms >= deserted_ms + queue.life.no_agents_grace_ms:
        return f.OverflowReason.NO_AGENTS
    return None


# --- hours -----------------------------------------------------------------------------------------------------------


def look_at_hours(center: Center) -> None:
    """Close and open what the calendars say, and arrange for the next look."""
    looks = []
    for queue in list(center.state.config.queues.values()):
        calendar = _calendar(center, queue)
        now = opening(calendar, center.now_ms) if calendar is not None else "open"
        if calendar is not None and (look_ms := next_look_ms(calendar, center.now_ms)) is not None:
            looks.append(look_ms)
        before = _load(center, queue.id).closed or "open"
        if now == before:
            continue
        if now == "open":
            center.emit(f.QueueOpened(at_ms=center.now_ms, tenant=queue.tenant, queue=queue.id))
        else:
            center.emit(f.QueueClosed(at_ms=center.now_ms, tenant=queue.tenant, queue=queue.id, reason=now))
        center.stir(queue.id)
        if before == "open":
            _closing_time(center, queue)
    center.deadlines.set(("hours", ""), min(looks, default=None))


def _closing_time(center: Center, queue: QueueConfig) -> None:
    for call in _waiting(center, queue.id):
        if queue.life.closing is ClosingTime.OVERFLOW:
            overflow.send_away(center, call, f.OverflowReason.CLOSED)
        elif queue.life.closing is ClosingTime.ANNOUNCE and call.offer is None:
            sounds = announcements.in_language(queue.life.closing_sounds, call.lang)
            announcements.say(center, call, [("closing", sounds)])


def _calendar(center: Center, queue: QueueConfig) -> CalendarConfig | None:
    return center.state.config.calendars.get(queue.life.calendar) if queue.life.calendar else None


# --- staff -----------------------------------------------------------------------------------------------------------


def look(center: Center) -> None:
    """After each event: did the last agent leave a queue, or the first come?"""
    for queue_id in center.staffing.take_changed():
        queue = center.queue_config(queue_id)
        if queue is None:
            continue
        deserted, was = _nobody(center, queue), _load(center, queue_id).deserted_ms is not None
        if deserted and not was:
            center.emit(f.QueueDeserted(at_ms=center.now_ms, tenant=queue.tenant, queue=queue_id))
        elif was and not deserted:
            center.emit(f.QueueStaffed(at_ms=center.now_ms, tenant=queue.tenant, queue=queue_id))
        since_ms = _load(center, queue_id).deserted_ms
        due_ms = since_ms + queue.life.no_agents_grace_ms if since_ms is not None else None
        center.deadlines.set(("deserted", queue_id), due_ms)


def _nobody(center: Center, queue: QueueConfig) -> bool:
    if queue.life.no_agents is NoAgents.NOBODY_SIGNED_IN:
        return center.staffing.signed_in(queue.id) == 0
    return queue.life.no_agents is NoAgents.NOBODY_SERVING and center.staffing.serving(queue.id) == 0


def deserted_too_long(center: Center, queue: QueueId) -> None:
    """Everybody who waits here goes where the queue overflows to; who comes now is not let in."""
    for call in _waiting(center, queue):
        overflow.send_away(center, call, f.OverflowReason.NO_AGENTS)


def _waiting(center: Center, queue: QueueId) -> list[Call]:
    """On the line, no agent connected yet. In order, so that those who came first are first where they go."""
    places = center.places.get(queue)
    calls = [center.state.calls[call] for call in places.in_order() if call in center.state.calls] if places else []
    return [
        call
        for call in calls
        if call.state is CallState.WAITING and call.wait is not None and call.wait.queue == queue
        and call.wait.wanted_agent is None and not readiness.off_line(call)
    ]  # fmt: skip


def _load(center: Center, queue: QueueId) -> QueueLoad:
    return center.state.queues.get(queue, NOTHING_KNOWN)
