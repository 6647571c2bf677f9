"""What browsers are told a page may do."""

from __future__ import annotations

from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

PERMISSIONS = "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), display-capture=(), midi=()"


class PageHeaders(CSPMiddleware):
    """The policy of ``settings.CONTENT_SECURITY_POLICY``; the admin's theme needs eval (Alpine) and inline styles."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> Any:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith(reverse("admin:index")):
            parts.update = {**(parts.update or {}), "script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response
