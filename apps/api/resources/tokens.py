"""Tokens of the programs that use this interface. Managed by people on our pages; a token cannot make another."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.api import scopes, tokens
from apps.api.models import DEFAULT_RATE_PER_MIN, MOST_NETWORKS, MOST_RATE_PER_MIN, ApiToken, validate_network
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet


class TokenSerializer(serializers.ModelSerializer):
    user = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), allow_empty=False, max_length=32)
    networks = serializers.ListField(
        child=serializers.CharField(max_length=43), required=False, max_length=MOST_NETWORKS
    )
    rate_per_min = serializers.IntegerField(min_value=1, max_value=MOST_RATE_PER_MIN, default=DEFAULT_RATE_PER_MIN)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "id", "name", "prefix", "user", "scopes", "networks", "rate_per_min", "created_at", "expires_at",
            "revoked_at", "last_used_at", "last_used_from",
        )  # fmt: skip
        read_only_fields = ("prefix", "created_at", "revoked_at", "last_used_at", "last_used_from")

    def validate_scopes(self, value: list[str]) -> list[str]:
        allowed = {str(scope) for scope in scopes.of_user(self.context["request"].user)}
        beyond = sorted(set(value) - allowed)
        if beyond:
            raise serializers.ValidationError(_("Your own role lacks %(scope)s.") % {"scope": ", ".join(beyond)})
        return sorted(set(value))

    def validate_networks(self, value: list[str]) -> list[str]:
        for text in value:
            try:
                validate_network(text)
            except ValidationError as error:
                raise serializers.ValidationError(error.messages) from None
        return value

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This is past."))
        return value


class NewTokenSerializer(TokenSerializer):
    """With the secret, this once."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")


@extend_schema(tags=["tokens"])
class TokenViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """One's own tokens; an administrator sees those of the whole tenant."""

    queryset = ApiToken.objects.select_related("user")
    serializer_class = TokenSerializer
    scope = Scope.WEBHOOKS_MANAGE
    pages_only = True
    keeps_answers = False
    ordering = ("-created_at", "-pk")

    def get_queryset(self) -> QuerySet[ApiToken]:
        rows = super().get_queryset()
        user = self.request.user
        assert isinstance(user, User) or getattr(self, "swagger_fake_view", False)
        return rows if can(user, "users.edit") else rows.filter(user=user)

    @extend_schema(request=NewTokenSerializer, responses={201: NewTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token. The answer holds its secret; nobody can read it again."""
        serializer = NewTokenSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        token, secret = tokens.issue(self.tenant, request.user, **serializer.validated_data)
        return Response({**TokenSerializer(token).data, "token": secret}, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str = "") -> Response:
        """Revoke it, at once and for ever. The row stays for the record."""
        tokens.revoke(self.get_object())
        return Response(status=204)
