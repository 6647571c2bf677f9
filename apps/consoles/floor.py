"""The floor: the supervisors' wallboard, the televisions, and the day as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts.models import Tenant
from apps.accounts.permissions import can
from apps.agents.models import PauseReason, Skill
from apps.calls.visibility import visible_calls
from apps.live import access
from apps.live.tv import screen_of
from apps.queues.selectors import scope_of
from apps.reports.csv_of_day import calls_csv, day_of, queues_csv
from apps.reports.formulas.service_level import FORMULAS


def floor_tenant(request: HttpRequest) -> Tenant:
    """The tenant whose floor this user may watch. Raises ``PermissionDenied``."""
    floor = access.floor_of(request.user, request.GET.get("tenant", ""))
    if floor is None:
        raise PermissionDenied
    return Tenant.objects.get(pk=int(floor))


@login_required
@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    tenant = floor_tenant(request)
    page = {
        "tenant": str(tenant.pk),
        "time_zone": tenant.time_zone,
        "reasons": dict(PauseReason.objects.filter(tenant=tenant).values_list("code", "name")),
        "allowed_min": dict(PauseReason.objects.filter(tenant=tenant).values_list("code", "allowed_min")),
        "skills": dict(Skill.objects.filter(tenant=tenant).values_list("code", "name")),
        "formulas": _formulas(),
        "can_force": can(request.user, "agents.force", tenant=tenant),
        "can_export": can(request.user, "reports.export", tenant=tenant),
        "can_see_calls": can(request.user, "calls.view", tenant=tenant),
        "can_control": can(request.user, "calls.control", tenant=tenant),
        "can_dial": can(request.user, "calls.dial", tenant=tenant),
    }
    return render(request, "consoles/wall.html", {"page": page})


def _formulas() -> dict[str, str]:
    return {name: formula.text for name, formula in FORMULAS.items()}


@require_GET
def tv(request: HttpRequest, token: str) -> HttpResponse:
    """For whoever has the address. In the tenant's language, unless ``?lang=`` says another."""
    screen = screen_of(token)
    if screen is None:
        raise Http404
    wanted = request.GET.get("lang", "") or screen.tenant.language
    language = wanted if translation.check_for_language(wanted) else screen.tenant.language
    page = {"token": token, "time_zone": screen.tenant.time_zone, "formulas": _formulas(), "name": screen.name}
    with translation.override(language):
        response = render(request, "consoles/tv.html", {"page": page, "tenant": screen.tenant})
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def problem(status: int, detail: str) -> HttpResponse:
    body = {"type": "about:blank", "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")


@login_required
@require_GET
def day_csv(request: HttpRequest, kind: str) -> HttpResponseBase:
    """``calls`` or ``queues`` of ``?day=2026-11-26`` in the tenant's time zone; today without."""
    tenant = floor_tenant(request)
    if not can(request.user, "calls.export" if kind == "calls" else "reports.export", tenant=tenant):
        raise PermissionDenied
    try:
        day, start, end = day_of(request.GET.get("day", ""), tenant, timezone.now())
    except (ValueError, OverflowError):
        return problem(400, _("The day must be a date such as 2026-11-26."))
    language = translation.get_language() or tenant.language
    if kind == "calls":
        calls = visible_calls(request.user, tenant.pk).filter(started_at__gte=start, started_at__lt=end)
        lines = calls_csv(calls, tenant, language)
    else:
        scope = scope_of(request.user)
        lines = queues_csv(tenant, scope.queue_keys if scope is not None else None, start, end, language)
    return _download(lines, f"{tenant.code}-{kind}-{day}.csv")


def _download(lines: AsyncIterator[str], name: str) -> HttpResponseBase:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
