"""One line a request, and an id that all lines of that request share.

Outermost middleware. ``request_id`` is the proxy's ``X-Request-ID`` if it is a sane one, else new, and goes back in the
answer. User, tenant and call are bound before the view runs, so they are on the lines of everything it does. Query
strings are not logged: people search by telephone number.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from apps.operations import web_metrics

log = structlog.get_logger("access")

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Asked every few seconds by machines, or without a person behind them.
QUIET = ("/health/", "/static/", "/metrics")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Named in the figures; whoever makes up others must not make up ever more of them."""
Answer = Callable[[HttpRequest], Any]


class RequestLog:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._answer_later(request)
        started_s = _begin(request)
        return _end(request, self._get_response(request), started_s)

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        started_s = _begin(request)
        response = await cast(Awaitable[HttpResponseBase], self._get_response(request))
        return _end(request, response, started_s)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]) -> None:
        structlog.contextvars.bind_contextvars(**_who(request))


def _begin(request: HttpRequest) -> float:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = given if SANE_ID.fullmatch(given) else secrets.token_hex(8)
    request.META["HTTP_X_REQUEST_ID"] = request_id  # whoever asks for it further in finds the one that is logged
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return time.perf_counter()


def _end(request: HttpRequest, response: HttpResponseBase, started_s: float) -> HttpResponseBase:
    took_s = time.perf_counter() - started_s
    response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
    match = request.resolver_match
    view = (match.view_name or match.route) if match is not None else "none"
    method = request.method if request.method in METHODS else "other"
    web_metrics.requests.labels(method, view, str(response.status_code)).inc()
    web_metrics.seconds.labels(view).observe(took_s)
    line = log.debug if request.path.startswith(QUIET) and response.status_code < 500 else log.info
    line(
        "request",
        method=request.method,
        path=request.path[:300],
        view=view,
        status=response.status_code,
        duration_ms=round(took_s * 1000, 1),
        client=request.META.get("REMOTE_ADDR", ""),
        **_who(request),
    )
    return response


def _who(request: HttpRequest) -> dict[str, object]:
    """From what was looked up already: the log costs no query."""
    known: dict[str, object] = {}
    user = request.__dict__.get("user")
    looked_up = not isinstance(user, SimpleLazyObject) or "_cached_user" in request.__dict__
    if user is not None and looked_up and user.is_authenticated:
        known = {"user": user.pk, "tenant": user.tenant_id}
    call = (request.resolver_match.kwargs if request.resolver_match else {}).get("call_id")
    return {**known, **({"call": str(call)} if call else {})}
