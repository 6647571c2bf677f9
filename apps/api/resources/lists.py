"""Lists that an administrator keeps: dispositions, pause reasons and the numbers people call."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers

from apps.agents.models import Disposition, PauseReason
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.telephony.models import Did


class DispositionSerializer(serializers.ModelSerializer):
    parent = serializers.SlugRelatedField(
        "code", read_only=True, allow_null=True, help_text="The heading it belongs to; one itself cannot be chosen."
    )

    class Meta:
        model = Disposition
        fields = ("id", "code", "name", "parent", "position")


class PauseReasonSerializer(serializers.ModelSerializer):
    class Meta:
        model = PauseReason
        fields = ("id", "code", "name", "position", "each_min", "allowed_min")


class DidSerializer(serializers.ModelSerializer):
    flow = serializers.CharField(source="flow.code", help_text="The flow that answers.")

    class Meta:
        model = Did
        fields = ("id", "number", "flow", "priority", "note")


class ReadOnlyList(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    scope = Scope.SETTINGS_READ


@extend_schema(tags=["settings"])
class DispositionViewSet(ReadOnlyList):
    queryset = Disposition.objects.select_related("parent")
    serializer_class = DispositionSerializer
    ordering = ("position", "code", "pk")


@extend_schema(tags=["settings"])
class PauseReasonViewSet(ReadOnlyList):
    queryset = PauseReason.objects.all()
    serializer_class = PauseReasonSerializer
    ordering = ("position", "code", "pk")


@extend_schema(tags=["settings"])
class DidViewSet(ReadOnlyList):
    queryset = Did.objects.select_related("flow")
    serializer_class = DidSerializer
    ordering = ("number", "pk")
