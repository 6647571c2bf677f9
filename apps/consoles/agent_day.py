"""An agent's own day from history: figures for the state bar, the last calls, calls still without a result."""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts.permissions import can
from apps.agents.models import Agent, PauseReason
from apps.calls.models import AgentStateSpan, CallDisposition, Decision, Segment, SegmentKind
from apps.consoles.phone import own_agent
from apps.core.agents.states import UNSET
from apps.customers.selectors import names_of

LAST_CALLS = 30
MOST_UNSET = 50
UNSET_DAYS = 7


@login_required
@require_GET
@never_cache
def day(request: HttpRequest) -> JsonResponse:
    agent = own_agent(request)
    since = midnight(agent)
    talks = list(_talks(agent, since))
    results = _results(agent, talks)
    calls = [_call(segments, results) for segments in _by_call(talks)[:LAST_CALLS]]
    unset = [_unset(result) for result in _without_result(agent)]
    if can(request.user, "customers.view", tenant=agent.tenant):
        name_customers(agent.tenant_id, calls + unset)
    return JsonResponse(
        {**_figures(agent, since, talks), "paused": _paused(agent, since), "calls": calls, "unset": unset}
    )


def name_customers(tenant_id: int, calls: Iterable[dict[str, Any]]) -> None:
    """Call each by its customer's name, where there is one, rather than by what the trunk said."""
    rows = list(calls)
    names = names_of(tenant_id, {row["id"]: row["number"] for row in rows})
    for row in rows:
        row["name"] = names.get(row["id"]) or row["name"]


def midnight(agent: Agent) -> datetime.datetime:
    """When today began, where the tenant is."""
    local = timezone.now().astimezone(zoneinfo.ZoneInfo(agent.tenant.time_zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _talks(agent: Agent, since: datetime.datetime) -> QuerySet[Segment]:
    """What this agent talked, held and asked that ended today, as the wall counts it, newest first."""
    kinds = (SegmentKind.TALK, SegmentKind.HOLD, SegmentKind.CONSULT, SegmentKind.CONFERENCE)
    found = Segment.objects.filter(agent=agent, kind__in=kinds, ended_at__gte=since)
    return found.select_related("call", "queue").order_by("-started_at")


def _by_call(talks: list[Segment]) -> list[list[Segment]]:
    """Newest call first."""
    calls: dict[str, list[Segment]] = defaultdict(list)
    for segment in talks:
        calls[segment.call_id].append(segment)
    return list(calls.values())


def _figures(agent: Agent, since: datetime.datetime, talks: list[Segment]) -> dict[str, Any]:
    """Handled calls, average handling time = talk + hold + wrap-up a handled call, missed offers."""
    handled = len({segment.call_id for segment in talks})
    talked_ms = sum(segment.duration_ms or 0 for segment in talks)
    wrapped_ms = list(_wrap_ups(agent, since).values_list("wrap_up_ms", flat=True))
    missed = Decision.objects.filter(agent=agent, at__gte=since, outcome="no_answer").count()
    return {
        "handled": handled,
        "talk_ms": talked_ms // handled if handled else None,
        "wrap_up_ms": sum(wrapped_ms) // len(wrapped_ms) if wrapped_ms else None,
        "handling_ms": (talked_ms + sum(wrapped_ms)) // handled if handled else None,
        "missed": missed,
    }


def _wrap_ups(agent: Agent, since: datetime.datetime) -> QuerySet[CallDisposition]:
    """Results given in wrap-up; one that was given later took no wrap-up time and is none."""
    earlier = CallDisposition.objects.filter(agent=agent, call=OuterRef("call"), at__lt=OuterRef("at"))
    return CallDisposition.objects.filter(agent=agent, at__gte=since).exclude(Exists(earlier), wrap_up_ms=0)


def _paused(agent: Agent, since: datetime.datetime) -> list[dict[str, Any]]:
    """Pauses by reason, the one going on included; time before midnight is not today's."""
    now = timezone.now()
    used: dict[str, int] = defaultdict(int)
    spans = AgentStateSpan.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), agent=agent, state="PAUSED")
    for span in spans.only("reason", "started_at", "ended_at"):
        length = (span.ended_at or now) - max(span.started_at, since)
        used[span.reason] += int(length.total_seconds() * 1000)
    reasons = PauseReason.objects.filter(tenant_id=agent.tenant_id)
    listed = [
        {"code": item.code, "name": item.name, "used_ms": used.pop(item.code, 0), "allowed_min": item.allowed_min}
        for item in reasons
    ]
    return [*listed, *({"code": code, "name": "", "used_ms": ms, "allowed_min": None} for code, ms in used.items())]


def _results(agent: Agent, talks: list[Segment]) -> dict[str, CallDisposition]:
    calls = {segment.call_id for segment in talks}
    found = CallDisposition.objects.filter(agent=agent, call_id__in=calls).order_by("at")
    return {row.call_id: row for row in found}


def _call(segments: list[Segment], results: dict[str, CallDisposition]) -> dict[str, Any]:
    newest = segments[0]
    result = results.get(newest.call_id)
    return {
        **_party(newest),
        "queue": newest.queue.name if newest.queue is not None else "",
        "at_ms": _ms(segments[-1].started_at),
        "talk_ms": sum(segment.duration_ms or 0 for segment in segments),
        "disposition": result.disposition if result is not None else "",
        "note": result.note if result is not None else "",
    }


def _without_result(agent: Agent) -> list[CallDisposition]:
    """The latest word on a call is that nothing was chosen."""
    since = timezone.now() - datetime.timedelta(days=UNSET_DAYS)
    rows = CallDisposition.objects.filter(agent=agent, at__gte=since)
    latest = rows.order_by("call_id", "-at").distinct("call_id").values("pk")
    unset = rows.filter(pk__in=latest, disposition=UNSET).select_related("call").order_by("-at")
    return list(unset[:MOST_UNSET])


def _unset(result: CallDisposition) -> dict[str, Any]:
    return {
        **_party(result),
        "queue": "",
        "at_ms": _ms(result.at),
        "talk_ms": 0,
        "disposition": "",
        "note": result.note,
    }


def _party(row: Segment | CallDisposition) -> dict[str, Any]:
    """The other party of the row's call, whoever dialled."""
    call = row.call
    return {"id": call.pk, "direction": call.direction, "number": call.caller_number, "name": call.caller_name}


def _ms(at: datetime.datetime) -> int:
    return int(at.timestamp() * 1000)
