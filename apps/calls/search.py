"""Finding calls: by number, agent, queue, outcome and time, newest first, page by page. Reads only."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.calls.going_on import going_on
from apps.calls.models import Call, Segment, SegmentKind
from apps.core.facts import CallOutcome, Direction

PAGE_SIZE = 50
MAX_TEXT = 64
_NUMBER = re.compile(r"[0-9*#+() ./-]+")
_SALT = "calls.search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; empty fields look for anything. ``until`` is exclusive."""

    text: str = ""
    agent: int | None = None
    queue: int | None = None
    outcome: str = ""
    direction: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    calls: list[Call]
    next_cursor: str
    """Empty on the last page."""


def read_search(asked: Mapping[str, str], time_zone: str) -> Search:
    """From a page's address. Whatever cannot be understood looks for anything: an old address still opens."""
    zone = zoneinfo.ZoneInfo(time_zone)
    day = asked.get("day", "")[:10]
    outcome, direction = asked.get("outcome", ""), asked.get("direction", "")
    return Search(
        text=cleaned(asked.get("q", "")),
        agent=_key(asked.get("agent", "")),
        queue=_key(asked.get("queue", "")),
        outcome=outcome if outcome in [*CallOutcome, LIVE] else "",
        direction=direction if direction in list(Direction) else "",
        since=_moment(day or asked.get("since", ""), zone),
        until=_end(day or asked.get("until", ""), zone),
    )


def cleaned(text: str) -> str:
    """What somebody typed, as far as the database can look for it."""
    return text.replace("\x00", "").strip()[:MAX_TEXT]


LIVE = "live"
"""The "outcome" of a call that goes on."""


def _key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


_DAY = len("2026-11-26")


def _moment(text: str, zone: zoneinfo.ZoneInfo) -> datetime.datetime | None:
    """``2026-11-26`` or ``2026-11-26T09:30`` of the tenant's clock."""
    try:
        return datetime.datetime.fromisoformat(text).replace(tzinfo=zone) if _DAY <= len(text) <= 19 else None
    except ValueError:
        return None


def _end(text: str, zone: zoneinfo.ZoneInfo) -> datetime.datetime | None:
    """The same as the end of a stretch: a day means up to its end. The last day of all has none."""
    moment = _moment(text, zone)
    try:
        return moment + datetime.timedelta(days=1) if moment is not None and len(text) == _DAY else moment
    except OverflowError:
        return None


def find(calls: QuerySet[Call], wanted: Search) -> QuerySet[Call]:
    """Of ``calls`` (those the asker may see) the ones that are looked for, newest first."""
    if wanted.text:
        calls = calls.filter(fits(wanted.text))
    if wanted.agent is not None:
        talked = Segment.objects.filter(call=OuterRef("pk"), agent_id=wanted.agent)
        calls = calls.filter(Q(last_agent_id=wanted.agent) | Exists(talked))
    if wanted.queue is not None:
        waited = Segment.objects.filter(call=OuterRef("pk"), queue_id=wanted.queue, kind=SegmentKind.QUEUE)
        calls = calls.filter(Q(last_queue_id=wanted.queue) | Exists(waited))
    if wanted.outcome:
        calls = calls.filter(going_on() if wanted.outcome == LIVE else Q(outcome=wanted.outcome))
    if wanted.direction:
        calls = calls.filter(direction=wanted.direction)
    if wanted.since is not None:
        calls = calls.filter(started_at__gte=wanted.since)
    if wanted.until is not None:
        calls = calls.filter(started_at__lt=wanted.until)
    return calls.select_related("last_queue", "last_agent").order_by("-started_at", "-pk")


def fits(text: str) -> Q:
    """A call's id, a part of a number as people write it, or of a name.

    Each part has an index, so that a number among millions is found at once. Only of a name's two characters pg_trgm
    knows too little: if nobody has them, the calls are gone through.
    """
    found = Q(pk=text) | Q(caller_name__icontains=text)
    digits = re.sub(r"[^0-9*#]", "", text)
    if digits and _NUMBER.fullmatch(text):
        found |= Q(caller_number__contains=digits) | Q(did__contains=digits)
    return found


def page_of(calls: QuerySet[Call], cursor: str, size: int = PAGE_SIZE) -> Page:
    """A page of what ``find`` gave; a cursor that is none of ours begins at the start."""
    after = _read(cursor)
    if after is not None:
        at, key = after
        calls = calls.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=key))
    rows = list(calls[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(rows, signing.dumps([rows[-1].started_at.isoformat(), rows[-1].pk], salt=_SALT) if more else "")


def _read(cursor: str) -> tuple[datetime.datetime, str] | None:
    try:
        at, key = signing.loads(cursor, salt=_SALT)
        return datetime.datetime.fromisoformat(at), str(key)
    except (signing.BadSignature, ValueError):
        return None
