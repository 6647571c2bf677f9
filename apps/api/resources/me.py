"""Who the asker is, and what they may do."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.api.models import ApiToken
from apps.api.permissions import scopes_of
from apps.api.scopes import Scope
from apps.api.views import ApiView


class TenantSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    time_zone = serializers.CharField()


class MeSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    tenant = TenantSerializer()
    agent = serializers.IntegerField(allow_null=True, help_text="The agent this person is.")
    token = serializers.CharField(allow_null=True, help_text="The prefix of the token used.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))


class MeView(ApiView):
    """The person behind the session or token."""

    @extend_schema(responses=MeSerializer, tags=["me"])
    def get(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)
        agent = getattr(user, "agent", None)
        data: dict[str, Any] = {
            "id": user.pk,
            "username": user.username,
            "name": user.display_name,
            "role": user.role,
            "tenant": self.tenant,
            "agent": agent.pk if agent is not None and agent.tenant_id == self.tenant.pk else None,
            "token": request.auth.prefix if isinstance(request.auth, ApiToken) else None,
            "scopes": sorted(scopes_of(request)),
        }
        return Response(MeSerializer(data).data)
