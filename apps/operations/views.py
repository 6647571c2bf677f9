"""For machines: is this process alive, is everything there, how much does it do."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.live.from_threads import open_pages
from apps.operations import health, web_metrics


@require_safe
@never_cache
@login_not_required
def live(request: HttpRequest) -> HttpResponse:
    """This process answers. Nothing is looked up: a supervisor restarts on failure, and a restart mends no database."""
    return JsonResponse({"status": health.OK})


@require_safe
@never_cache
@login_not_required
def ready(request: HttpRequest) -> HttpResponse:
    """503 while people cannot be served. ``degraded`` is 200: what is missing is named, and pages go on."""
    status, parts = health.report()
    data = {
        "status": status,
        "parts": {part.name: {"status": part.status, "detail": part.detail} for part in parts},
    }
    return JsonResponse(data, status=503 if status == health.DOWN else 200)


@require_safe
@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """With ``Authorization: Bearer METRICS_TOKEN`` only. Without a token set there is no such page."""
    expected = settings.METRICS_TOKEN
    if not expected:
        raise Http404
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, b"Bearer " + expected.encode()):
        return HttpResponse("a bearer token is needed (METRICS_TOKEN)\n", status=401, content_type="text/plain")
    web_metrics.pages.set(open_pages())
    health.report()
    return HttpResponse(web_metrics.page(), content_type="text/plain; version=0.0.4; charset=utf-8")
