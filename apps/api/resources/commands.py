"""What became of something asked of the engine."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.api import commands
from apps.api.models import Command
from apps.api.problems import NotFound
from apps.api.views import ApiView

LONGEST_WAIT_S = 20


class CommandSerializer(serializers.ModelSerializer):
    """``pending`` until the engine said ``done`` or ``refused``; ``code`` says why it was refused."""

    status = serializers.SerializerMethodField()
    code = serializers.CharField(source="refused_code", help_text="Stable, for programs; empty unless refused.")
    reason = serializers.CharField(source="refused_reason", help_text="In English.")

    class Meta:
        model = Command
        fields = ("id", "action", "subject", "status", "code", "reason", "created_at", "finished_at")

    @extend_schema(responses=serializers.ChoiceField(["pending", "done", "refused"]))
    def get_status(self, command: Command) -> str:
        if command.finished_at is None:
            return "pending"
        return "refused" if command.refused_code else "done"


class WaitSerializer(serializers.Serializer):
    wait = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_WAIT_S,
        default=0,
        help_text="Seconds to wait for the outcome before answering `pending`.",
    )


class CommandView(ApiView):
    @extend_schema(operation_id="commands_retrieve", parameters=[WaitSerializer], responses=CommandSerializer,
                   tags=["commands"])  # fmt: skip
    def get(self, request: Request, pk: str) -> Response:
        """The outcome of a command of one's own. Kept for a week."""
        wait_s = self.filters(WaitSerializer)["wait"]
        assert isinstance(request.user, User)
        command = Command.objects.filter(pk=pk, tenant=self.tenant, user=request.user).first()
        if command is None:
            raise NotFound
        return Response(CommandSerializer(commands.wait_for(command, wait_s)).data)


def accepted(command: Command) -> Response:
    """The answer to whoever asked something of the engine: 202, and where the outcome will be."""
    data: dict[str, Any] = CommandSerializer(command).data
    return Response(data, status=202, headers={"Location": f"/api/v1/commands/{command.pk}"})
