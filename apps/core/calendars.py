"""Are we open? Spans of the week, single days (holidays and 调休 work days), and the emergency lever. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from apps.core.config import CalendarConfig, OpeningSpan

OVERRIDES = frozenset({"open", "closed", "emergency"})
DAY_MIN = 1440
DAY_MS = DAY_MIN * 60_000


def opening(calendar: CalendarConfig, now_ms: int) -> str:
    """``open``, ``closed``, ``holiday`` or ``emergency`` at ``now_ms``."""
    if calendar.override in OVERRIDES:
        return calendar.override
    local = local_time(calendar, now_ms)
    minute = local.hour * 60 + local.minute
    day = calendar.days.get(local.date().isoformat())
    if day is not None and not day:
        return "holiday"
    return "open" if any(span.opens_min <= minute < span.closes_min for span in _spans(calendar, local)) else "closed"


def next_look_ms(calendar: CalendarConfig, now_ms: int) -> int | None:
    """When the answer may change next: an end or a beginning of today's spans, or midnight. None under an override.

    A step of the clock (summer time) comes between two of them at worst: it is looked at too.
    """
    if calendar.override in OVERRIDES:
        return None
    local = local_time(calendar, now_ms)
    midnight_ms = now_ms - now_ms % 60_000 - (local.hour * 60 + local.minute) * 60_000
    edges = {edge for span in _spans(calendar, local) for edge in (span.opens_min, span.closes_min)} | {DAY_MIN}
    moments = [midnight_ms + edge * 60_000 for edge in edges] + [step_ms for step_ms, _ in calendar.utc_offsets]
    return min(moment_ms for moment_ms in moments if moment_ms > now_ms)


def local_time(calendar: CalendarConfig, now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(minutes=_offset_min(calendar.utc_offsets, now_ms))


def midnight_ms(utc_offsets: Iterable[tuple[int, int]], now_ms: int) -> int:
    """When the local day of ``now_ms`` began."""
    offset_ms = _offset_min(utc_offsets, now_ms) * 60_000
    return now_ms - (now_ms + offset_ms) % DAY_MS


def _offset_min(utc_offsets: Iterable[tuple[int, int]], now_ms: int) -> int:
    offset_min = 0
    for from_ms, minutes in utc_offsets:
        if from_ms <= now_ms:
            offset_min = minutes
    return offset_min


def _spans(calendar: CalendarConfig, local: datetime) -> Iterable[OpeningSpan]:
    day = calendar.days.get(local.date().isoformat())
    return day if day is not None else [span for span in calendar.spans if span.weekday == local.weekday()]
