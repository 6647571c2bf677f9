"""Every error of the interface as ``application/problem+json`` (RFC 9457).

``code`` is stable and for programs; ``title`` and ``detail`` are for people, in their language; ``errors`` names the
fields (``pointer``, RFC 6901, into the body) or query parameters that were wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: gettext_lazy("Bad request"),
    401: gettext_lazy("Not signed in"),
    403: gettext_lazy("Not permitted"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Method not allowed"),
    406: gettext_lazy("Not acceptable"),
    409: gettext_lazy("Conflict"),
    412: gettext_lazy("Changed meanwhile"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("Unsupported media type"),
    416: gettext_lazy("Range not satisfiable"),
    422: gettext_lazy("Cannot be processed"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Internal error"),
    503: gettext_lazy("Not available now"),
}


class Problem(exceptions.APIException):
    """Raise it anywhere below a view. ``extra`` becomes members of the answer, ``headers`` its headers."""

    status_code = 400

    def __init__(
        self,
        code: str,
        detail: Any = "",
        *,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail=detail or TITLES[status or self.status_code], code=code)
        self.status_code = status or self.status_code
        self.code = code
        self.headers = headers or {}
        self.extra = extra


class NotAuthenticated(Problem):
    status_code = 401

    def __init__(self, code: str, detail: Any) -> None:
        header = f'Bearer realm="trunkline", error="invalid_token", error_description="{code}"'
        super().__init__(code, detail, headers={"WWW-Authenticate": header})


class Forbidden(Problem):
    status_code = 403


class NotFound(Problem):
    status_code = 404

    def __init__(self, detail: Any = "", **extra: Any) -> None:
        super().__init__("not_found", detail or _("There is nothing at this address, or not for you."), **extra)


class Conflict(Problem):
    status_code = 409


class EngineAway(Problem):
    """The engine cannot be asked now."""

    status_code = 503

    def __init__(self, detail: Any = "", **extra: Any) -> None:
        said = detail or _("The engine cannot be reached just now.")
        super().__init__("engine_unreachable", said, headers={"Retry-After": "2"}, **extra)


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler. Nothing passes: an error of ours is logged and answered with 500."""
    request = context.get("request")
    status, code, detail, extra, headers = _read(error)
    if status >= 500 and not isinstance(error, Problem):
        log.exception("api_failed", path=getattr(request, "path", ""), exc_info=error)
    http = getattr(request, "_request", request)
    response = Response(body(http, status, code, detail, **extra), status=status, content_type=CONTENT_TYPE)
    for name, value in headers.items():
        response[name] = value
    return response


def body(http: Any, status: int, code: str, detail: Any, **extra: Any) -> dict[str, Any]:
    """The members of a problem."""
    return {
        "type": f"urn:trunkline:problem:{code}",
        "title": force_str(TITLES.get(status, TITLES[400])),
        "status": status,
        "code": code,
        "detail": force_str(detail),
        "instance": getattr(http, "path", ""),
        "request_id": getattr(http, "request_id", ""),
        **extra,
    }


def plain_response(http: Any, status: int, code: str, detail: Any, **headers: str) -> HttpResponse:
    """A problem where DRF has no say: an unknown address, or what a middleware refused."""
    text = json.dumps(body(http, status, code, detail), ensure_ascii=False)
    return HttpResponse(text, status=status, content_type=CONTENT_TYPE, headers=headers)


Reading = tuple[int, str, Any, dict[str, Any], dict[str, str]]


def _read(error: Exception) -> Reading:
    """Status, code, detail, further members and headers."""
    if isinstance(error, Problem):
        return error.status_code, error.code, error.detail, error.extra, error.headers
    if isinstance(error, exceptions.ValidationError):
        errors = [*_flat(error.get_full_details())]
        detail = errors[0]["detail"] if len(errors) == 1 else _("Some fields cannot be used as they are.")
        return 400, "invalid", detail, {"errors": errors}, {}
    if isinstance(error, exceptions.APIException):
        return _read_drf(error)
    if isinstance(error, Http404):
        return 404, "not_found", _("There is nothing at this address, or not for you."), {}, {}
    if isinstance(error, PermissionDenied):
        return 403, "permission_denied", _("You may not do this."), {}, {}
    if isinstance(error, RequestDataTooBig):
        return 413, "too_large", _("The request is too large."), {}, {}
    if isinstance(error, SuspiciousOperation):
        return 400, "malformed", _("The request cannot be read."), {}, {}
    if isinstance(error, OperationalError | InterfaceError):
        return 503, "database_unreachable", _("The database cannot be reached just now."), {}, {"Retry-After": "2"}
    return 500, "internal_error", _("Something went wrong on our side. It was logged with this request id."), {}, {}


def _read_drf(error: exceptions.APIException) -> Reading:
    code = {
        exceptions.ParseError: "malformed",
        exceptions.UnsupportedMediaType: "unsupported_media_type",
        exceptions.NotAuthenticated: "not_authenticated",
        exceptions.NotFound: "not_found",
        exceptions.MethodNotAllowed: "method_not_allowed",
        exceptions.Throttled: "throttled",
        exceptions.NotAcceptable: "not_acceptable",
    }.get(type(error), str(getattr(error, "default_code", "error")))
    headers: dict[str, str] = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None) is not None:
        headers["Retry-After"] = str(max(1, round(error.wait)))
    detail = error.detail if isinstance(error.detail, str) else force_str(error.default_detail)
    return error.status_code, code, detail, {}, headers


def _flat(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested details as a list of places in the body."""
    if isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["message"], str):
        yield {"pointer": path, "code": force_str(details["code"]), "detail": force_str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            step = "" if name == "non_field_errors" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from _flat(inner, path + step)
    elif isinstance(details, list):
        for index, inner in enumerate(details):
            nested = isinstance(inner, dict) and "message" not in inner
            yield from _flat(inner, f"{path}/{index}" if nested else path)
