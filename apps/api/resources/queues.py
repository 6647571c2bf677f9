"""Queues with what goes on in them now."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from apps.api import live
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.queues.models import Queue
from apps.queues.selectors import visible_queues


class LiveQueueSerializer(serializers.Serializer):
    """What the engine says. ``age_s`` grows while the engine cannot be reached."""

    waiting = serializers.IntegerField()
    oldest_ms = serializers.IntegerField(
        allow_null=True, help_text="Since when the caller who waits longest is queued; milliseconds since 1970."
    )
    staffed = serializers.IntegerField()
    ready = serializers.IntegerField()
    ringing = serializers.IntegerField()
    talking = serializers.IntegerField()
    wrap_up = serializers.IntegerField()
    paused = serializers.IntegerField()
    age_s = serializers.FloatField()


class QueueSerializer(serializers.ModelSerializer):
    live = serializers.SerializerMethodField()

    class Meta:
        model = Queue
        fields = (
            "id", "code", "name", "strategy", "priority", "ageing_s", "max_wait_s", "ring_timeout_s", "wrap_up_s",
            "service_level_s", "live",
        )  # fmt: skip

    @extend_schema(responses=LiveQueueSerializer(allow_null=True))
    def get_live(self, queue: Queue) -> dict[str, Any] | None:
        """Null: the engine does not know the queue, or was never reached."""
        found = self.context.get("live", {}).get(str(queue.pk))
        return LiveQueueSerializer(found).data if found is not None else None


@extend_schema(tags=["queues"])
class QueueViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    queryset = Queue.objects.all()
    serializer_class = QueueSerializer
    scope = Scope.QUEUES_READ
    ordering = ("code", "pk")

    def get_queryset(self) -> QuerySet[Queue]:
        if getattr(self, "swagger_fake_view", False):
            return Queue.objects.none()
        return visible_queues(self.request.user).filter(tenant=self.tenant)

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()
        if not getattr(self, "swagger_fake_view", False):
            context["live"] = live.of_tenant(self.tenant.pk, "queues")
        return context
