"""No error under ``/api/`` is a web page, and every answer there tells its limits."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from apps.api.problems import TITLES, plain_response

PREFIX = "/api/"


class ApiAnswers:
    """Before all others but the log's, so that what they refuse is answered like the rest."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        request.request_id = request.META.get("HTTP_X_REQUEST_ID", "")  # type: ignore[attr-defined]  # as it is logged
        response = self.get_response(request)
        if response.status_code >= 400 and _is_page(response):
            response = _as_problem(request, response)
        limit = getattr(request, "rate_limit", None)
        if limit is not None:
            most, left, reset_s = limit
            response["RateLimit-Limit"], response["RateLimit-Remaining"] = str(most), str(left)
            response["RateLimit-Reset"] = str(round(reset_s))
        response.setdefault("Cache-Control", "no-store")
        return response


def _is_page(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").startswith("text/")


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    code = {400: "malformed", 403: "permission_denied", 404: "not_found", 413: "too_large", 416: "no_such_part"}.get(
        status, "internal_error" if status >= 500 else "error"
    )
    detail = _("Something went wrong on our side. It was logged with this request id.") if status >= 500 else ""
    kept = {name: value for name, value in response.items() if name not in ("Content-Type", "Content-Length")}
    return plain_response(request, status, code, detail or TITLES.get(status, TITLES[400]), **kept)
