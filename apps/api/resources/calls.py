"""Calls that were and that are: found by time, number, agent, queue and outcome; one with all its parts."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.api import reach
from apps.api.resources.decisions import DecisionsMixin
from apps.api.resources.dialing import DialingMixin
from apps.api.scopes import Scope
from apps.calls.going_on import goes_on, going_on
from apps.calls.models import Call, CallDisposition, FactRecord, Leg, Segment
from apps.core.facts import CallOutcome, Direction
from apps.core.texts import NUMBER

MOST_FACTS = 2000


class Reference(serializers.Serializer):
    """A queue or agent as it is named now; null when it was deleted since."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class CallSerializer(serializers.ModelSerializer):
    queue = Reference(source="last_queue", allow_null=True)
    agent = Reference(source="last_agent", allow_null=True)
    live = serializers.SerializerMethodField(help_text="Whether it goes on now.")

    class Meta:
        model = Call
        fields = (
            "id", "direction", "did", "caller_number", "caller_name", "trunk_name", "started_at", "answered_at",
            "connected_at", "ended_at", "outcome", "cause", "queue", "agent", "wait_ms", "talk_ms", "hold_ms",
            "wrap_up_ms", "live",
        )  # fmt: skip

    def get_live(self, call: Call) -> bool:
        return goes_on(call)


class SegmentSerializer(serializers.ModelSerializer):
    queue = Reference(allow_null=True)
    agent = Reference(allow_null=True)
    other_agent = Reference(allow_null=True)

    class Meta:
        model = Segment
        fields = ("sequence", "kind", "queue", "agent", "other_agent", "leg_id", "detail", "started_at", "ended_at",
                  "duration_ms", "outcome")  # fmt: skip


class LegSerializer(serializers.ModelSerializer):
    agent = Reference(allow_null=True)

    class Meta:
        model = Leg
        fields = ("id", "role", "agent", "address", "started_at", "rang_at", "answered_at", "ended_at", "cause",
                  "raw_cause")  # fmt: skip


class CallDispositionSerializer(serializers.ModelSerializer):
    agent = Reference(allow_null=True)

    class Meta:
        model = CallDisposition
        fields = ("at", "agent", "disposition", "note", "wrap_up_ms")


class WholeCallSerializer(CallSerializer):
    """A call with its parts."""

    segments = SegmentSerializer(many=True)
    legs = LegSerializer(many=True)
    dispositions = CallDispositionSerializer(many=True)
    recordings = serializers.SerializerMethodField(help_text="Ids; see /recordings.")

    class Meta(CallSerializer.Meta):
        fields = (*CallSerializer.Meta.fields, "segments", "legs", "dispositions", "recordings")  # type: ignore[assignment]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_recordings(self, call: Call) -> list[str]:
        return [recording.pk for recording in call.recordings.all()]


class FactSerializer(serializers.Serializer):
    """One thing that happened, as the engine wrote it down."""

    epoch = serializers.CharField()
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    type = serializers.CharField()
    data = serializers.DictField(help_text="Its members by the type; see apps/core/facts.")


class CallFilter(serializers.Serializer):
    since = serializers.DateTimeField(required=False, source="started_at__gte", help_text="Started at or after.")
    until = serializers.DateTimeField(required=False, source="started_at__lt", help_text="Started before.")
    number = serializers.RegexField(
        rf"^{NUMBER.pattern}$", required=False, source="caller_number", help_text="The caller's, whole."
    )
    did = serializers.RegexField(rf"^{NUMBER.pattern}$", required=False, help_text="The number called, whole.")
    agent = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="Who took part.")
    queue = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="Where it waited.")
    outcome = serializers.ChoiceField([item.value for item in CallOutcome], required=False)
    direction = serializers.ChoiceField([item.value for item in Direction], required=False)
    live = serializers.BooleanField(required=False, allow_null=True, default=None, help_text="Goes on now, or not.")


@extend_schema(tags=["calls"])
class CallViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, DecisionsMixin, DialingMixin):
    """An agent who is nothing more sees the calls they took part in."""

    queryset = Call.objects.select_related("last_queue", "last_agent")
    serializer_class = CallSerializer
    scope = Scope.CALLS_READ
    scopes_by_action = {"create": Scope.CALLS_ORIGINATE, "hangup": Scope.CALLS_CONTROL}
    ordering = ("-started_at", "-pk")

    def get_queryset(self) -> QuerySet[Call]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.none()
        assert isinstance(self.request.user, User)
        calls = reach.calls_for(self.request.user, self.tenant).select_related("last_queue", "last_agent")
        if self.action == "retrieve":
            calls = calls.prefetch_related(
                "segments__queue",
                "segments__agent",
                "segments__other_agent",
                "legs__agent",
                "dispositions__agent",
                "recordings",
            )
        return calls

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return WholeCallSerializer if self.action == "retrieve" else CallSerializer

    def filter_queryset(self, queryset: QuerySet[Call]) -> QuerySet[Call]:
        if self.action != "list":
            return queryset
        wanted = self.filters(CallFilter)
        live, agent, queue = wanted.pop("live"), wanted.pop("agent", None), wanted.pop("queue", None)
        queryset = queryset.filter(**wanted)
        if live is not None:
            queryset = queryset.filter(going_on() if live else ~going_on())
        for field, value in (("agent", agent), ("queue", queue)):
            if value is not None:
                took_part = Segment.objects.filter(call=OuterRef("pk"), **{f"{field}_id": value})
                queryset = queryset.filter(Exists(took_part))
        return queryset

    @extend_schema(parameters=[CallFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest first."""
        response: Response = super().list(request, *args, **kwargs)
        return response

    @extend_schema(responses=FactSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def timeline(self, request: Request, pk: str = "") -> Response:
        """Every fact of the call in order: the whole truth, for whoever must know why. At most 2000.

        An agent who is nothing more is not told of the other agents whom an offer could have gone to.
        """
        call = self.get_object()
        facts = FactRecord.objects.filter(call=call.pk, tenant=str(self.tenant.pk)).order_by("at", "epoch", "seq")
        if not can(request.user, "calls.view", tenant=self.tenant):
            facts = facts.exclude(type="OfferDecided")
        return Response(FactSerializer(facts[:MOST_FACTS], many=True).data)
