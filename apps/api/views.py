"""Base of every view of the interface: who asks, for which tenant, once or again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import Tenant, User
from apps.api import idempotency
from apps.api.models import ApiToken, IdempotentRequest
from apps.api.parsers import unstorable
from apps.api.problems import Forbidden, NotFound, Problem

COMMON_PARAMETERS = {"cursor", "limit", "tenant"}


class ApiView(APIView):
    """One address that is no list of rows. ``self.tenant`` is the only tenant a view may show or touch."""

    tenant: Tenant
    idempotent: IdempotentRequest | None = None
    keeps_answers = True
    """False where an answer holds a secret: then ``Idempotency-Key`` is not looked at."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        for name, value in [*request.query_params.items(), *((key, str(item)) for key, item in kwargs.items())]:
            reason = unstorable(name + value)
            if reason:
                raise Problem(
                    "invalid", reason, errors=[{"pointer": name[:64], "code": "characters", "detail": reason}]
                )
        super().initial(request, *args, **kwargs)
        if isinstance(request.user, User):
            self.tenant = tenant_of(request)
            key = request.headers.get("Idempotency-Key")
            if key is not None and request.method == "POST" and self.keeps_answers:
                self.idempotent = idempotency.begin(request, self.tenant, request.user, key)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, idempotency.Answered):
            return error.response
        response: Response = super().handle_exception(error)
        return response

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.idempotent is not None:
            idempotency.finish(self.idempotent, response)
        return response

    def filters(self, kind: type[serializers.Serializer]) -> dict[str, Any]:
        """The query as ``kind`` reads it. A parameter that the list does not know is refused, not ignored."""
        query = self.request.query_params
        serializer = kind(data=query)
        unknown = set(query) - set(serializer.fields) - COMMON_PARAMETERS
        if unknown:
            name = min(unknown)[:64]
            detail = _("Unknown parameter %(name)s.") % {"name": name}
            raise Problem("invalid", detail, errors=[{"pointer": name, "code": "unknown", "detail": detail}])
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data


class ApiViewSet(ApiView, viewsets.GenericViewSet):
    """Rows of a model with a ``tenant``. Add DRF's mixins for what may be done."""

    lookup_value_regex = r"[A-Za-z0-9_.\-]{1,128}"

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.filter(tenant=self.tenant)

    def get_object(self) -> Any:
        """Raises ``NotFound`` for an id of another tenant, or one that is none."""
        try:
            return super().get_object()
        except (ValueError, TypeError, OverflowError):
            raise NotFound from None

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save(tenant=self.tenant)


def tenant_of(request: Request) -> Tenant:
    """The token's tenant, or the person's; a superuser chooses with ``?tenant=``. Raises ``Forbidden``."""
    user = request.user
    if isinstance(request.auth, ApiToken):
        return request.auth.tenant
    assert isinstance(user, User)
    if user.is_superuser:
        wanted = request.query_params.get("tenant", "")
        if wanted:
            number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 else 0
            tenant = Tenant.objects.filter(pk=number).first()
        else:
            tenant = user.tenant or Tenant.objects.order_by("pk").first()
        if tenant is None:
            raise Forbidden("no_tenant", _("There is no such tenant."))
        return tenant
    if user.tenant is None:
        raise Forbidden("no_tenant", _("You belong to no tenant."))
    return user.tenant
