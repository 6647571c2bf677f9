"""Calls back: places in line that wait without anybody on the telephone. Booked, listed, cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Tenant, User
from apps.api import commands, reach
from apps.api.problems import Conflict, Problem
from apps.api.resources.calls import Reference
from apps.api.resources.commands import CommandSerializer, accepted
from apps.api.resources.dialing import AttachedSerializer, NumberField
from apps.api.schema import problem
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.calls.models import Callback
from apps.calls.projection import moment_ms
from apps.core import events
from apps.core.ids import CallId, QueueId
from apps.queues.models import Queue

FURTHEST = timedelta(days=30)


class CallbackSerializer(serializers.ModelSerializer):
    queue = Reference(allow_null=True)
    command = serializers.SerializerMethodField(help_text="The command that booked it; null where the caller did.")

    class Meta:
        model = Callback
        fields = (
            "id", "call", "queue", "number", "source", "agent_first", "booked_at", "queued_at", "due_at", "until_at",
            "tried", "last_try", "ended_at", "outcome", "command",
        )  # fmt: skip

    @extend_schema(responses=serializers.UUIDField(allow_null=True))
    def get_command(self, callback: Callback) -> str | None:
        ours = callback.command.startswith(commands.PREFIX)
        return callback.command.removeprefix(commands.PREFIX) if ours else None


class BookingSerializer(AttachedSerializer):
    queue = serializers.CharField(max_length=40, help_text="Its code or id: whose agents call back, and in which line.")
    number = NumberField(help_text="Whom to call.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=100, help_text="Shown to the agent.")
    due_at = serializers.DateTimeField(
        required=False, help_text="Not before, at most 30 days ahead; left out: as soon as it is the caller's turn."
    )
    agent_first = serializers.BooleanField(
        required=False, allow_null=True, default=None,
        help_text="Whose telephone rings first; left out: as the queue is set up.",
    )  # fmt: skip
    customer = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="The id of a customer of ours, for the timeline."
    )

    def validate_due_at(self, value: datetime) -> datetime:
        if value > timezone.now() + FURTHEST:
            raise serializers.ValidationError(_("Not more than 30 days ahead."))
        return value


def _queue(tenant: Tenant, named: str) -> Queue | None:
    """By its code; else by its id, as screens know it."""
    queues = Queue.objects.filter(tenant=tenant)
    by_code = queues.filter(code=named).first()
    pk = int(named) if named.isascii() and named.isdecimal() and len(named) <= 18 else None
    return by_code or (queues.filter(pk=pk).first() if pk is not None else None)


class CallbackFilter(serializers.Serializer):
    open = serializers.BooleanField(required=False, allow_null=True, default=None, help_text="Not ended yet, or ended.")
    queue = serializers.CharField(required=False, max_length=40, help_text="A queue's code.")
    number = NumberField(required=False)
    command = serializers.UUIDField(required=False, help_text="The id of the command that booked it.")


@extend_schema(tags=["callbacks"])
class CallbackViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """An agent who is nothing more sees those of the queues they serve."""

    queryset = Callback.objects.select_related("queue")
    serializer_class = CallbackSerializer
    scope = Scope.CALLS_READ
    scopes_by_action = {"create": Scope.CALLS_ORIGINATE, "cancel": Scope.CALLS_ORIGINATE}
    ordering = ("-booked_at", "pk")

    def get_queryset(self) -> QuerySet[Callback]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        assert isinstance(self.request.user, User)
        return rows.filter(pk__in=reach.callbacks_for(self.request.user, self.tenant).values("pk"))

    def filter_queryset(self, queryset: QuerySet[Callback]) -> QuerySet[Callback]:
        if self.action != "list":
            return queryset
        wanted = self.filters(CallbackFilter)
        if wanted["open"] is not None:
            queryset = queryset.filter(ended_at__isnull=wanted["open"])
        if "queue" in wanted:
            queryset = queryset.filter(queue__code=wanted["queue"])
        if "number" in wanted:
            queryset = queryset.filter(number=wanted["number"])
        if "command" in wanted:
            queryset = queryset.filter(command=f"{commands.PREFIX}{wanted['command']}")
        return queryset

    @extend_schema(parameters=[CallbackFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The latest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=BookingSerializer, responses={202: CommandSerializer, 422: problem("rejected")})
    def create(self, request: Request) -> Response:
        """Have a number called back when it is its turn in a queue.

        One open call back for a number and a queue: another is refused (`already_booked`). So are numbers that may not
        be dialled (`barred`) and queues that make no calls back (`callbacks_off`). The outcome is the command's; find
        the call back by `GET /callbacks?command=`.
        """
        serializer = BookingSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        queue = _queue(self.tenant, data["queue"])
        if queue is None:
            detail = _("There is no such queue.")
            raise Problem("invalid", detail, errors=[{"pointer": "/queue", "code": "unknown", "detail": detail}])

        def build(common: commands.Common) -> events.Request:
            return events.CallbackRequested(
                **common,  # type: ignore[arg-type]
                queue=QueueId(str(queue.pk)),
                number=data["number"],
                due_ms=moment_ms(data["due_at"]) if "due_at" in data else None,
                agent_first=data["agent_first"],
                name=data.get("name", ""),
                customer=data.get("customer", ""),
                attached=data.get("attached", {}),
            )

        return accepted(commands.give(request, self.tenant, "callback.book", queue.code, build, seed=self.idempotent))

    @extend_schema(request=None, responses={202: CommandSerializer, 409: problem("callback_over")})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str = "") -> Response:
        """Give it up before the customer has been reached."""
        callback: Callback = self.get_object()
        if callback.ended_at is not None:
            raise Conflict("callback_over", _("This call back is over."))

        def build(common: commands.Common) -> events.Request:
            return events.CallbackCancelRequested(**common, call=CallId(callback.call_id))  # type: ignore[arg-type]

        return accepted(commands.give(request, self.tenant, "callback.cancel", pk, build, seed=self.idempotent))
