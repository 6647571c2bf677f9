"""Webhooks over REST: endpoints, a ping, the delivery log, sending again, a new key."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.etags import ChangeWithEtag, RetrieveWithEtag, etag_of
from apps.api.problems import Conflict
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.webhooks import services, signing
from apps.webhooks.destinations import validate_url
from apps.webhooks.models import PING, Attempt, Delivery, DeliveryStatus, Endpoint, EventType


class EndpointSerializer(serializers.ModelSerializer):
    url = serializers.CharField(max_length=500, help_text="https, and not in the installation's own network.")
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    events = serializers.ListField(child=serializers.ChoiceField(EventType.choices), allow_empty=False, max_length=32)
    active = serializers.BooleanField(default=True)
    old_secret_until = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Until then the old key signs as well."
    )

    class Meta:
        model = Endpoint
        fields: tuple[str, ...] = (
            "id", "url", "description", "events", "active", "created_at", "old_secret_until", "failing_since",
            "failures", "disabled_at", "disabled_reason",
        )  # fmt: skip
        read_only_fields = ("created_at", "failing_since", "failures", "disabled_at", "disabled_reason")

    def validate_url(self, value: str) -> str:
        try:
            validate_url(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from None
        return value

    def validate_events(self, value: list[str]) -> list[str]:
        return sorted(set(value))

    def update(self, endpoint: Endpoint, data: dict[str, Any]) -> Endpoint:
        """Switching it on again forgets why it was switched off."""
        if data.get("active") and not endpoint.active:
            services.forgive(endpoint)
        updated: Endpoint = super().update(endpoint, data)
        return updated


class EndpointWithSecretSerializer(EndpointSerializer):
    """With the key, when it was just made."""

    secret = serializers.CharField(read_only=True)

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")


class AttemptSerializer(serializers.ModelSerializer):
    class Meta:
        model = Attempt
        fields = ("at", "latency_ms", "status", "error", "request_excerpt", "response_excerpt")


class DeliverySerializer(serializers.ModelSerializer):
    tries = AttemptSerializer(many=True, read_only=True)
    payload = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        fields = ("id", "message_id", "event", "status", "attempts", "created_at", "due_at", "finished_at", "payload",
                  "tries")  # fmt: skip

    @extend_schema_field(serializers.DictField())
    def get_payload(self, delivery: Delivery) -> Any:
        return delivery.payload


class DeliveryFilter(serializers.Serializer):
    status = serializers.ChoiceField(DeliveryStatus.choices, required=False)
    event = serializers.ChoiceField([*EventType.choices, (PING, PING)], required=False)


@extend_schema(tags=["webhooks"])
class EndpointViewSet(mixins.ListModelMixin, RetrieveWithEtag, ChangeWithEtag, ApiViewSet):
    queryset = Endpoint.objects.all()
    serializer_class = EndpointSerializer
    scope = Scope.WEBHOOKS_MANAGE
    keeps_answers = False  # the key is shown once
    ordering = ("-created_at", "-pk")
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @extend_schema(request=EndpointSerializer, responses={201: EndpointWithSecretSerializer, 409: problem("too_many")})
    def create(self, request: Request) -> Response:
        """The answer holds the key that messages are signed with; it is not shown again."""
        serializer = EndpointSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        if Endpoint.objects.filter(tenant=self.tenant).count() >= services.MOST_ENDPOINTS:
            raise Conflict("too_many", _("At most %(most)s webhooks.") % {"most": services.MOST_ENDPOINTS})
        endpoint = serializer.save(tenant=self.tenant, made_by=request.user)
        return Response(EndpointWithSecretSerializer(endpoint).data, status=201, headers={"ETag": etag_of(endpoint)})

    @extend_schema(request=None, responses={200: EndpointWithSecretSerializer})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str = "") -> Response:
        """A new key. For a day the old one signs as well."""
        with transaction.atomic():
            endpoint = self.locked_object()
            signing.rotate(endpoint, timezone.now())
        return Response(EndpointWithSecretSerializer(endpoint).data)

    @extend_schema(request=None, responses={200: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def ping(self, request: Request, pk: str = "") -> Response:
        """Send a test message now, also to a webhook that is switched off, and tell how it went."""
        return Response(DeliverySerializer(services.ping(self.get_object())).data)


@extend_schema(tags=["webhooks"])
class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The log of one webhook, kept for as long as the tenant says."""

    queryset = Delivery.objects.prefetch_related("tries")
    serializer_class = DeliverySerializer
    scope = Scope.WEBHOOKS_MANAGE
    ordering = ("-created_at", "-pk")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if "webhook" not in self.kwargs:
            return rows
        return rows.filter(endpoint=get_object_or_404(Endpoint, pk=self.kwargs["webhook"], tenant=self.tenant))

    def filter_queryset(self, queryset: Any) -> Any:
        return queryset.filter(**self.filters(DeliveryFilter)) if self.action == "list" else queryset

    @extend_schema(parameters=[DeliveryFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first."""
        response: Response = super().list(request, *args, **kwargs)
        return response

    @extend_schema(request=None, responses={202: DeliverySerializer, 409: problem("wrong_state")})
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Send it once more, with the same ``webhook-id``: a receiver that has it knows it again."""
        try:
            delivery = services.redeliver(self.get_object())
        except services.Refused as refused:
            raise Conflict("wrong_state", services.REFUSALS[refused.code]) from None
        return Response(DeliverySerializer(delivery).data, status=202)
