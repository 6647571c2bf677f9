"""Today's figures counted anew from PostgreSQL: where the live projection begins, and what it must equal at rest."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, Count, F, Func, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Greatest

from apps.accounts.models import Tenant
from apps.calls.going_on import LIVE_AT_MOST
from apps.calls.models import AgentStateSpan, CallDisposition, FactRecord, Segment, SegmentKind
from apps.calls.projection import moment, moment_ms
from apps.queues.models import Queue
from apps.reports.day.rules import Rules, TenantRules, day_start_ms
from apps.reports.day.stretches import CONFERENCE, CONSULT, HOLD, TALK, Ended, Open
from apps.reports.day.tally import ANSWERED_WORDS, GOES_ON, QUARTER_MS, Key, Tally
from apps.reports.day.today import KEPT_QUARTERS, RECENT_MS, Today
from apps.reports.day.work import Work
from apps.reports.formulas.service_level import DEFAULT_THRESHOLD_MS
from apps.reports.models import ReportSettings

Rows = QuerySet[Any, Any]
"""Of dicts: a count for each tenant, queue and quarter."""
TALKED_BACK = datetime.timedelta(hours=4)
"""A wrap-up ends within this after its talk began."""


def read_rules() -> Rules:
    """Every tenant's way of counting."""
    chosen = {row.tenant_id: row for row in ReportSettings.objects.all()}
    return Rules(
        tenants={
            tenant.pk: _tenant_rules(tenant, chosen.get(tenant.pk)) for tenant in Tenant.objects.only("time_zone")
        },
        thresholds_ms={
            pk: seconds * 1000 for pk, seconds in Queue.objects.values_list("pk", "service_level_s")
        },
    )  # fmt: skip


def _tenant_rules(tenant: Tenant, row: ReportSettings | None) -> TenantRules:
    row = row or ReportSettings()
    return TenantRules(
        time_zone=tenant.time_zone,
        formula=row.service_level_formula,
        short_ms=row.short_abandon_s * 1000,
        target=row.service_level_target / 100,
        alarm_wait_ms=row.alarm_wait_s * 1000,
        occupancy=row.occupancy,
    )


def position(epoch: str) -> int:
    """The newest fact of this epoch in history; 0 when there is none."""
    newest: int | None = FactRecord.objects.filter(epoch=epoch).aggregate(newest=Max("seq"))["newest"]
    return newest or 0


@contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see the database as it was at one moment. Not inside another transaction."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def count_today(now_ms: int, rules: Rules) -> Today:
    """The tallies of the last day and what is going on, all tenants, from the rows of history."""
    since_ms = (now_ms // QUARTER_MS - KEPT_QUARTERS) * QUARTER_MS
    today = Today(rules=rules, tallies=count(Span(moment(since_ms)), rules))
    _read_going_on(today, now_ms)
    for tenant, item in rules.tenants.items():
        _read_works(today, tenant, day_start_ms(now_ms, item.time_zone))
    return today


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, without end if ``until`` is None, of all tenants or of one."""

    since: datetime.datetime
    until: datetime.datetime | None = None
    tenant: int | None = None

    def of(self, rows: QuerySet[Any], column: str) -> QuerySet[Any]:
        rows = rows.filter(**{f"{column}__gte": self.since})
        if self.until is not None:
            rows = rows.filter(**{f"{column}__lt": self.until})
        return rows.filter(tenant_id=self.tenant) if self.tenant is not None else rows


def count(span: Span, rules: Rules) -> dict[Key, Tally]:
    """Tallies by quarter of an hour of any stretch of history, by today's rules."""
    tallies: dict[Key, Tally] = {}
    _add(tallies, _offered(span), ("offered",))
    _add(tallies, _waited(span, rules), _WAIT_COLUMNS)
    _add(tallies, _talked(span), ("handled", "talk_ms", "hold_ms"))
    _add(tallies, _wrapped_up(span), ("wrap_up_ms",))
    return tallies


_WAIT_COLUMNS = (
    "answered", "answered_in_time", "abandoned", "abandoned_in_time", "abandoned_short", "flowed_out",
    "waited_answered_ms", "longest_wait_ms",
)  # fmt: skip


def _quarter(column: str) -> Func:
    return Func(
        F(column),
        template=f"floor(extract(epoch from %(expressions)s) / {QUARTER_MS // 1000})::bigint",
        output_field=IntegerField(),
    )


def _add(tallies: dict[Key, Tally], rows: Iterable[dict[str, Any]], columns: tuple[str, ...]) -> None:
    for row in rows:
        tally = tallies.setdefault(Key(row["tenant_id"], row["queue_id"], row["quarter"]), Tally())
        for column in columns:
            setattr(tally, column, getattr(tally, column) + int(row[column] or 0))


def _segments(kinds: list[SegmentKind]) -> QuerySet[Segment]:
    return Segment.objects.filter(kind__in=kinds, tenant_id__isnull=False)


def _by_quarter(rows: QuerySet[Any], column: str) -> Rows:
    cut: Rows = rows.annotate(quarter=_quarter(column)).order_by().values("tenant_id", "queue_id", "quarter")
    return cut


def _offered(span: Span) -> Rows:
    rows = span.of(_segments([SegmentKind.QUEUE]), "started_at")
    counted: Rows = _by_quarter(rows, "started_at").annotate(offered=Count("pk"))
    return counted


def _waited(span: Span, rules: Rules) -> Rows:
    answered, abandoned = Q(outcome__in=ANSWERED_WORDS), Q(outcome="abandoned")
    in_time = Q(duration_ms__lte=_choice("queue_id", rules.thresholds_ms, DEFAULT_THRESHOLD_MS))
    shorts = {tenant: item.short_ms for tenant, item in rules.tenants.items()}
    short = Q(duration_ms__lte=_choice("tenant_id", shorts, TenantRules().short_ms))
    rows = span.of(_segments([SegmentKind.QUEUE]), "ended_at")
    counted: Rows = _by_quarter(rows, "ended_at").annotate(
        answered=Count("pk", filter=answered),
        answered_in_time=Count("pk", filter=answered & in_time),
        abandoned=Count("pk", filter=abandoned),
        abandoned_in_time=Count("pk", filter=abandoned & in_time),
        abandoned_short=Count("pk", filter=abandoned & short),
        flowed_out=Count("pk", filter=~answered & ~abandoned),
        waited_answered_ms=Sum("duration_ms", filter=answered),
        longest_wait_ms=Max("duration_ms"),
    )
    return counted


def _choice(column: str, values: dict[int, int], otherwise: int) -> Case:
    """The value for the row's ``column``: the rules are few, history is long."""
    whens = [When(**{column: key}, then=Value(value)) for key, value in values.items()]
    return Case(*whens, default=Value(otherwise), output_field=IntegerField())


def _talked(span: Span) -> Rows:
    talk, hold = (Q(kind__in=kinds) for kinds in ((TALK, CONFERENCE), (HOLD, CONSULT)))
    alone = Q(kind=HOLD, leg_id="")
    goes_on = Q()
    for kind, outcomes in GOES_ON.items():
        goes_on |= Q(kind=kind) & Q(outcome__in=outcomes)
    talks = _segments([SegmentKind(kind) for kind in GOES_ON]).filter(agent_id__isnull=False)
    rows = span.of(talks, "ended_at")
    counted: Rows = _by_quarter(rows, "ended_at").annotate(
        handled=Count("pk", filter=~goes_on & ~alone) - Count("pk", filter=goes_on & alone),
        talk_ms=Sum("duration_ms", filter=talk),
        hold_ms=Sum("duration_ms", filter=hold),
    )
    return counted


def _wrapped_up(span: Span) -> list[dict[str, Any]]:
    """Wrap-up belongs to the queue of the agent's last talk in that call."""
    talk = Segment.objects.filter(
        call_id=OuterRef("call_id"), agent_id=OuterRef("agent_id"), kind=SegmentKind.TALK,
        started_at__lte=OuterRef("at"),
    ).order_by("-sequence")  # fmt: skip
    rows = span.of(CallDisposition.objects.filter(tenant_id__isnull=False, agent_id__isnull=False), "at")
    with_queue = rows.annotate(queue_id=Subquery(talk.values("queue_id")[:1]))
    summed = _by_quarter(with_queue, "at").annotate(sum_ms=Sum("wrap_up_ms"))
    return [{**row, "wrap_up_ms": row["sum_ms"]} for row in summed]


def _read_going_on(today: Today, now_ms: int) -> None:
    """Waits and talks that have not ended, the waits of the last half hour, and who talked for which queue."""
    kinds = [SegmentKind.QUEUE, *map(SegmentKind, GOES_ON)]
    begun = moment(now_ms) - LIVE_AT_MOST  # older ones were lost with their engine, and wait nowhere
    for row in _segments(kinds).filter(ended_at=None, started_at__gt=begun).order_by():
        today.calls.open[row.call_id] = _open(row)
    recent = _segments([SegmentKind.QUEUE]).filter(ended_at__gt=moment(now_ms - RECENT_MS))
    for row in recent.order_by("ended_at", "call_id"):
        assert row.tenant_id is not None and row.ended_at is not None
        ended = Ended(_open(row), moment_ms(row.ended_at), row.outcome)
        today.recent.setdefault(row.tenant_id, deque()).append(ended)
    talks = _segments([SegmentKind.TALK]).filter(
        agent_id__isnull=False, started_at__gt=moment(now_ms) - TALKED_BACK
    )  # fmt: skip
    for call, agent, queue in talks.order_by("started_at", "sequence").values_list("call_id", "agent_id", "queue_id"):
        today.talked[call, agent] = queue


def _read_works(today: Today, tenant: int, day_ms: int) -> None:
    """How long this tenant's agents were in which state today, and in which they are."""
    spans = AgentStateSpan.objects.filter(tenant_id=tenant, agent_id__isnull=False)
    began = Greatest("started_at", moment(day_ms))
    over = spans.filter(ended_at__gt=moment(day_ms)).order_by().values("agent_id", "state")
    for row in over.annotate(lasted=Sum(Greatest(F("ended_at") - began, datetime.timedelta()))):
        work = today.works.setdefault(row["agent_id"], Work(tenant=tenant, day_ms=day_ms))
        work.add(row["state"], row["lasted"] // datetime.timedelta(milliseconds=1))
    for span in spans.filter(ended_at=None).order_by("started_at", "seq"):
        assert span.agent_id is not None
        work = today.works.setdefault(span.agent_id, Work(tenant=tenant, day_ms=day_ms))
        work.state, work.since_ms = span.state, max(moment_ms(span.started_at), day_ms)


def _open(row: Segment) -> Open:
    assert row.tenant_id is not None
    if row.kind == SegmentKind.QUEUE:
        return Open(row.kind, row.tenant_id, row.queue_id, None, moment_ms(row.started_at))
    return Open(row.kind, row.tenant_id, row.queue_id, row.agent_id, moment_ms(row.started_at), row.leg_id)
