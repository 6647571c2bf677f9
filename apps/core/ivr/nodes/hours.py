"""Are we open? Spans of the week, single days (holidays and 调休 work days), and the emergency lever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.core.config import CalendarConfig
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition

OVERRIDES = frozenset({"open", "closed", "emergency"})


def ports(node: Node) -> tuple[str, ...]:
    return ("open", "closed", "holiday", "emergency")


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    """A calendar that was deleted counts as open: better an agent too many asked than a caller turned away."""
    calendar = ctx.calendars.get(f"{ctx.tenant}/{node.get('schedule', '')}")
    return Step(position=position, port=opening(calendar, ctx.now_ms) if calendar else "open")


def opening(calendar: CalendarConfig, now_ms: int) -> str:
    """``open``, ``closed``, ``holiday`` or ``emergency`` at ``now_ms``."""
    if calendar.override in OVERRIDES:
        return calendar.override
    local = local_time(calendar, now_ms)
    minute = local.hour * 60 + local.minute
    day = calendar.days.get(local.date().isoformat())
    if day is not None and not day:
        return "holiday"
    spans = day if day is not None else [span for span in calendar.spans if span.weekday == local.weekday()]
    return "open" if any(span.opens_min <= minute < span.closes_min for span in spans) else "closed"


def local_time(calendar: CalendarConfig, now_ms: int) -> datetime:
    offset_min = 0
    for from_ms, minutes in calendar.utc_offsets:
        if from_ms <= now_ms:
            offset_min = minutes
    return datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(minutes=offset_min)
