"""The OpenAPI document: tokens and sessions as security schemes, and the problems that any operation may answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from apps.api.permissions import wanted_scope
from apps.api.problems import CONTENT_TYPE
from apps.calls.models import choices
from apps.core.facts import CallbackOutcome, CallOutcome

ALWAYS = {400: "malformed, invalid", 401: "not_authenticated, invalid_token", 403: "permission_denied", 406: "",
          429: "throttled", 503: "database_unreachable"}  # fmt: skip
WITH_BODY = {413: "too_large", 415: "unsupported_media_type"}
POSTED = {409: "idempotency_in_progress", 422: "idempotency_key_reused"}


def call_outcomes() -> list[tuple[str, Any]]:
    """Named in the document: both these and those of calls back are a field called outcome."""
    return choices(CallOutcome)


def callback_outcomes() -> list[tuple[str, Any]]:
    return choices(CallbackOutcome)


class FieldErrorSerializer(serializers.Serializer):
    """One field of the body (JSON pointer) or one query parameter (its name) that cannot be used."""

    pointer = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """RFC 9457. ``code`` is stable; ``title`` and ``detail`` are in the asker's language."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    instance = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    errors = FieldErrorSerializer(many=True, required=False)


def problem(codes: str) -> OpenApiResponse:
    """For ``extend_schema(responses={409: problem("stale")})``."""
    return OpenApiResponse(ProblemSerializer, description=codes)


class ProblemAwareSchema(AutoSchema):
    """Adds the scope to each description and the problems that need no mention at each operation."""

    def get_description(self) -> str:
        text: str = super().get_description() or ""
        scope = wanted_scope(self.view)
        return f"{text}\n\nScope: `{scope}`." if scope else text

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for number, codes in self._expected_problems().items():
            status = str(number)
            if status not in bodies:
                bodies[status] = self._get_response_for_code(problem(codes), status, [CONTENT_TYPE])
        for status, answer in bodies.items():
            if status[0] in "45" and "application/json" in answer.get("content", {}):
                answer["content"] = {CONTENT_TYPE: answer["content"].pop("application/json")}
        return dict(sorted(bodies.items()))

    def _expected_problems(self) -> dict[int, str]:
        if not self.path.startswith("/api/"):
            return {}  # a webhook: those answers are not ours
        found = dict(ALWAYS)
        if "{" in self.path:
            found[404] = "not_found"
        if self.method in ("POST", "PUT", "PATCH"):
            found |= WITH_BODY
        if self.method == "POST":
            found |= POSTED
        if self.method in ("PUT", "PATCH", "DELETE"):
            found[412] = "changed_meanwhile"
        return found

    def get_override_parameters(self) -> list[Any]:
        from drf_spectacular.types import OpenApiTypes
        from drf_spectacular.utils import OpenApiParameter

        extra = []
        if self.method == "POST":
            said = "Makes the request safe to send again for 24 hours: the answer of the first is given again."
            extra.append(
                OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, description=said)
            )
        return [*super().get_override_parameters(), *extra]


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "apps.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "tl_…"}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "apps.api.authentication.PageSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
