"""Calls that were: a list to find one, and one call's timeline. For supervisors, cut to what they may see."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from apps.accounts.models import Tenant
from apps.accounts.permissions import can, visible_agents
from apps.agents.models import Disposition
from apps.calls.models import Call
from apps.calls.search import LIVE, find, page_of, read_search
from apps.calls.timeline import call_row, ms, timeline
from apps.calls.visibility import visible_calls
from apps.consoles.agent_day import name_customers
from apps.consoles.floor import floor_tenant
from apps.customers.selectors import match_call
from apps.queues.selectors import visible_queues
from apps.recordings.models import Recording
from apps.recordings.sound import NoSound, file_of


def history_tenant(request: HttpRequest) -> Tenant:
    """Raises ``PermissionDenied``."""
    tenant = floor_tenant(request)
    if not can(request.user, "calls.view", tenant=tenant):
        raise PermissionDenied
    return tenant


def _found(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    wanted = read_search(request.GET.dict(), tenant.time_zone)
    page = page_of(find(visible_calls(request.user, tenant.pk), wanted), request.GET.get("cursor", ""))
    rows = [call_row(call) for call in page.calls]
    if can(request.user, "customers.view", tenant=tenant):
        name_customers(tenant.pk, rows)
    return {"calls": rows, "next": page.next_cursor}


@login_required
@require_GET
def calls(request: HttpRequest) -> HttpResponse:
    """The page, with the first rows of what its address looks for."""
    tenant = history_tenant(request)
    agents = visible_agents(request.user).filter(tenant=tenant)
    queues = visible_queues(request.user).filter(tenant=tenant)
    page = {
        "time_zone": tenant.time_zone,
        "found": _found(request, tenant),
        "agents": [{"id": pk, "name": name} for pk, name in agents.values_list("pk", "name")],
        "queues": [{"id": pk, "name": name} for pk, name in queues.values_list("pk", "name")],
        "outcomes": [LIVE, *[code for code, _word in Call._meta.get_field("outcome").choices or ()]],
        "can_export": can(request.user, "calls.export", tenant=tenant),
    }
    return render(request, "consoles/calls.html", {"page": page})


@login_required
@require_GET
def calls_found(request: HttpRequest) -> HttpResponse:
    """The rows alone, for the page itself: another search, or further down by ``cursor``."""
    return JsonResponse(_found(request, history_tenant(request)), headers={"Cache-Control": "private, no-store"})


@login_required
@require_GET
def call(request: HttpRequest, call_id: str) -> HttpResponse:
    tenant = history_tenant(request)
    found = _call(request, tenant, call_id)
    return render(request, "consoles/call.html", {"page": _story(request, tenant, found), "call": found})


@login_required
@require_GET
def call_story(request: HttpRequest, call_id: str) -> HttpResponse:
    """The same, for the page itself: a live call goes on."""
    tenant = history_tenant(request)
    story = _story(request, tenant, _call(request, tenant, call_id))
    return JsonResponse(story, headers={"Cache-Control": "private, no-store"})


def _call(request: HttpRequest, tenant: Tenant, call_id: str) -> Call:
    """Raises ``Http404`` for one that is not there to be seen."""
    visible = visible_calls(request.user, tenant.pk).select_related("last_queue", "last_agent")
    return get_object_or_404(visible, pk=call_id)


def _story(request: HttpRequest, tenant: Tenant, found: Call) -> dict[str, Any]:
    hears = can(request.user, "calls.listen", tenant=tenant)
    row = call_row(found)
    if can(request.user, "customers.view", tenant=tenant):
        name_customers(tenant.pk, [row])
    recordings = found.recordings.filter(forgotten_at=None).select_related("switch").order_by("asked_at")
    return {
        "time_zone": tenant.time_zone,
        "call": row,
        **timeline(found, visible_agents(request.user)),
        "customers": _customers(found, tenant) if can(request.user, "customers.view", tenant=tenant) else None,
        "recordings": [_recording(row) for row in recordings] if hears else None,
        "dispositions": dict(Disposition.objects.filter(tenant=tenant).values_list("code", "name")),
    }


def _customers(call: Call, tenant: Tenant) -> dict[str, Any]:
    """Whom the call was with: the one who was chosen for it (``chosen``), else everybody who has the number."""
    match = match_call(tenant.pk, call.pk, call.caller_number)
    return {"chosen": match.linked, "found": [{"id": row.pk, "name": row.name} for row in match.customers]}


def _recording(row: Recording) -> dict[str, Any]:
    heard = row.accesses.order_by("-at").values_list("username", "at")[:20]
    return {
        "id": row.pk,
        "status": row.status,
        "reason": row.reason,
        "path": row.path,
        "here": _here(row),
        "started_ms": ms(row.started_at or row.asked_at),
        "ended_ms": ms(row.ended_at),
        "duration_ms": row.duration_ms,
        "heard": [{"who": username, "at_ms": ms(at)} for username, at in heard],
    }


def _here(row: Recording) -> bool:
    try:
        file_of(row)
    except NoSound:
        return False
    return True
