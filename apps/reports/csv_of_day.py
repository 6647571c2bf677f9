"""A tenant's day as CSV: every call, or the figures of each queue. Lines come as they are read; a day may be long."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.accounts.models import Tenant
from apps.calls.going_on import going_on
from apps.calls.models import Call
from apps.calls.projection import moment, moment_ms
from apps.queues.models import Queue
from apps.reports.csv_cells import BOM, csv_line
from apps.reports.day.figures import TOTAL, figures
from apps.reports.day.rules import next_day_ms
from apps.reports.day.today import Today
from apps.reports.recount import Span, count, read_rules

CHUNK = 500


def day_of(
    text: str, tenant: Tenant, now: datetime.datetime
) -> tuple[datetime.date, datetime.datetime, datetime.datetime]:
    """The day asked for (``2026-11-26``; empty: today), and when it begins and ends there. Raises ``ValueError``."""
    zone = zoneinfo.ZoneInfo(tenant.time_zone)
    day = datetime.date.fromisoformat(text) if text else now.astimezone(zone).date()
    start = datetime.datetime.combine(day, datetime.time.min, zone)
    return day, start, moment(next_day_ms(moment_ms(start), tenant.time_zone))


async def calls_csv(calls: QuerySet[Call], tenant: Tenant, language: str) -> AsyncIterator[str]:
    """``calls`` are those of the day that the asker may see."""
    zone = zoneinfo.ZoneInfo(tenant.time_zone)
    with override(language):
        yield BOM + csv_line(_call_titles())
    live = models.ExpressionWrapper(going_on(), output_field=models.BooleanField())
    rows = calls.annotate(live=live).select_related("first_queue", "last_queue", "last_agent")
    async for call in rows.order_by("started_at", "pk").aiterator(chunk_size=CHUNK):
        with override(language):  # between two lines other requests ran in this thread
            yield csv_line(_call_cells(call, zone))


def _call_titles() -> list[str]:
    return [
        _("Started"), _("Direction"), _("Number"), _("Name"), _("Number called"), _("Outcome"), _("First queue"),
        _("Last queue"), _("Last agent"), _("Answered"), _("Connected"), _("Ended"), _("Wait, s"), _("Talk, s"),
        _("Hold, s"), _("Wrap-up, s"), _("Id"),
    ]  # fmt: skip


def _call_cells(call: Any, zone: zoneinfo.ZoneInfo) -> list[object]:
    def at(moment: datetime.datetime | None) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" if moment is not None else ""

    return [
        at(call.started_at), call.get_direction_display(), call.caller_number, call.caller_name, call.did,
        call.get_outcome_display() if call.outcome else _("live") if call.live else _("lost"),
        call.first_queue.name if call.first_queue else "", call.last_queue.name if call.last_queue else "",
        call.last_agent.name if call.last_agent else "", at(call.answered_at), at(call.connected_at),
        at(call.ended_at), round(call.wait_ms / 1000, 1), round(call.talk_ms / 1000, 1),
        round(call.hold_ms / 1000, 1), round(call.wrap_up_ms / 1000, 1), call.pk,
    ]  # fmt: skip


async def queues_csv(
    tenant: Tenant, only: frozenset[int] | None, start: datetime.datetime, end: datetime.datetime, language: str
) -> AsyncIterator[str]:
    """``only``: the queues that the asker may see, None for all. The last line adds up those shown."""
    lines = await sync_to_async(_queue_lines)(tenant, only, start, end, language)
    for line in lines:
        yield line


def _queue_lines(
    tenant: Tenant, only: frozenset[int] | None, start: datetime.datetime, end: datetime.datetime, language: str
) -> list[str]:
    """Recounted from history, with the formula and threshold that are chosen now, named in each line."""
    rules = read_rules()
    day = Today(rules=rules, tallies=count(Span(start, end, tenant.pk), rules))
    queues = Queue.objects.filter(tenant=tenant)
    names = dict((queues if only is None else queues.filter(pk__in=only)).values_list("pk", "name"))
    shown = figures(day, tenant.pk, moment_ms(end) - 1, only)["figures"]
    formula = rules.of(tenant.pk).service_level
    with override(language):
        rows = [_queue_titles()]
        keys = [str(pk) for pk in names] + [key for key in shown if key not in map(str, names) and key != TOTAL]
        for key in [*keys, TOTAL]:
            if key in shown:
                name = _("Total") if key == TOTAL else names.get(int(key), key) if key.isdecimal() else _("no queue")
                limit = rules.threshold_ms(int(key)) // 1000 if key.isdecimal() else None
                rows.append([name, f"{formula.name} v{formula.version}: {formula.text}", limit, *_cells(shown[key])])
    lines = [csv_line(row) for row in rows]
    return [BOM + lines[0], *lines[1:]]


def _queue_titles() -> list[object]:
    return [
        _("Queue"), _("Formula"), _("T, s"), _("Offered"), _("Answered"), _("Abandoned"), _("Left otherwise"),
        _("Service level, %"), _("Counted in time"), _("Counted in all"), _("Abandon rate, %"), _("ASA, s"),
        _("AHT, s"), _("Longest wait, s"), _("Handled"),
    ]  # fmt: skip


def _cells(item: dict[str, Any]) -> list[object]:
    return [
        item["offered"], item["answered"], item["abandoned"], item["flowed_out"], _per_cent(item["sl"]["value"]),
        item["sl"]["met"], item["sl"]["of"], _per_cent(item["abandon_rate"]), _seconds(item["asa_ms"]),
        _seconds(item["aht_ms"]), _seconds(item["longest_wait_ms"]), item["handled"],
    ]  # fmt: skip


def _per_cent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 2)


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 1)
