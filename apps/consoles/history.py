"""Calls that were: a list to find one, and one call's timeline. For supervisors, cut to their tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from apps.accounts.permissions import can
from apps.agents.models import Disposition
from apps.calls.models import Call, Decision
from apps.calls.visibility import visible_calls
from apps.consoles.recordings import reachable
from apps.core.facts import CallOutcome
from apps.live import access

PAGE_SIZE = 50


def calls_of(request: HttpRequest) -> QuerySet[Call]:
    """The calls this user may see. Raises ``PermissionDenied``."""
    floor = access.floor_of(request.user)
    if floor is None or not can(request.user, "calls.view"):
        raise PermissionDenied
    return visible_calls(request.user, int(floor))


@login_required
def calls(request: HttpRequest) -> HttpResponse:
    found = calls_of(request).select_related("last_queue", "last_agent").order_by("-started_at")
    wanted = request.GET.get("q", "").strip()[:64].replace("\x00", "")
    outcome = request.GET.get("outcome", "")
    if wanted:
        found = found.filter(Q(caller_number__contains=wanted) | Q(caller_name__icontains=wanted) | Q(pk=wanted))
    if outcome in list(CallOutcome):
        found = found.filter(outcome=outcome)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    outcomes = Call._meta.get_field("outcome").choices
    context = {"page": page, "q": wanted, "outcome": outcome, "outcomes": outcomes}
    return render(request, "consoles/calls.html", context)


class Entry(NamedTuple):
    """A line of the timeline. ``kind`` picks its template; ``row`` is the model's."""

    at: datetime
    kind: str
    row: Any


def timeline(call: Call) -> list[Entry]:
    """Everything that happened to a call, in order: segments, offers, legs, dispositions."""
    segments = call.segments.select_related("queue", "agent")
    decisions: QuerySet[Decision] = call.decisions.select_related("queue", "agent")
    entries = [Entry(item.started_at, "segment", item) for item in segments]
    entries += [Entry(item.at, "decision", item) for item in decisions]
    entries += [Entry(item.started_at, "leg", item) for item in call.legs.select_related("agent")]
    entries += [Entry(item.at, "disposition", item) for item in call.dispositions.select_related("agent")]
    return sorted(entries, key=lambda entry: entry.at)


@login_required
def call(request: HttpRequest, call_id: str) -> HttpResponse:
    found = get_object_or_404(calls_of(request).select_related("tenant", "last_queue", "last_agent"), pk=call_id)
    recordings = [(item, reachable(item)) for item in found.recordings.select_related("switch")]
    names = dict(Disposition.objects.filter(tenant=found.tenant).values_list("code", "name"))
    context = {"call": found, "entries": timeline(found), "recordings": recordings, "disposition_names": names}
    return render(request, "consoles/call.html", context)
