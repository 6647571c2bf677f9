"""Agents: who they are, what they do now, and changing that."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.agents.models import Agent, AgentSkill, PauseReason
from apps.api import commands, live, reach
from apps.api.problems import Forbidden, Problem
from apps.api.resources.commands import CommandSerializer, accepted
from apps.api.scopes import Scope
from apps.api.views import ApiViewSet
from apps.core import events
from apps.core.agents.machine import AgentState
from apps.core.ids import AgentId

ASKABLE = (AgentState.READY.value, AgentState.PAUSED.value, AgentState.LOGGED_OUT.value)


class SkillOfAgentSerializer(serializers.ModelSerializer):
    code = serializers.CharField(source="skill.code")

    class Meta:
        model = AgentSkill
        fields = ("code", "proficiency")


class LiveAgentSerializer(serializers.Serializer):
    """What the engine says. ``age_s`` grows while the engine cannot be reached."""

    state = serializers.ChoiceField([state.value for state in AgentState])
    reason = serializers.CharField(allow_blank=True)
    since_ms = serializers.IntegerField(help_text="Milliseconds since 1970, on the engine's clock.")
    next_state = serializers.CharField(allow_blank=True, help_text="Where the call or wrap-up will end.")
    call = serializers.CharField(allow_null=True)
    age_s = serializers.FloatField()


class CapacitySerializer(serializers.Serializer):
    """How much of each medium at once; 0: none."""

    voice = serializers.IntegerField()
    chat = serializers.IntegerField()
    email = serializers.IntegerField()


class AgentSerializer(serializers.ModelSerializer):
    device = serializers.CharField(source="device_kind")
    skills = SkillOfAgentSerializer(source="agent_skills", many=True)
    queues = serializers.SlugRelatedField(slug_field="code", many=True, read_only=True)
    capacity = CapacitySerializer()
    live = serializers.SerializerMethodField()

    class Meta:
        model = Agent
        fields = ("id", "name", "number", "enabled", "device", "user", "skills", "queues", "capacity", "live")

    @extend_schema(responses=LiveAgentSerializer(allow_null=True))
    def get_live(self, agent: Agent) -> dict[str, Any] | None:
        """Null: the engine does not know the agent, or was never reached."""
        found = self.context.get("live", {}).get(str(agent.pk))
        return LiveAgentSerializer(found).data if found is not None else None


class StateChangeSerializer(serializers.Serializer):
    state = serializers.ChoiceField(ASKABLE)
    reason = serializers.CharField(
        max_length=64, required=False, allow_blank=True, help_text="With PAUSED: the code of a pause reason."
    )
    now = serializers.BooleanField(
        default=False, help_text="Do not wait for the call to end. Only for those who may force others."
    )


class AgentFilter(serializers.Serializer):
    enabled = serializers.BooleanField(required=False, allow_null=True, default=None)
    number = serializers.CharField(required=False, max_length=8)
    queue = serializers.CharField(required=False, max_length=40, help_text="A queue's code.")


@extend_schema(tags=["agents"])
class AgentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """An agent who is nothing more sees and changes themselves."""

    queryset = Agent.objects.prefetch_related("agent_skills__skill", "queues")
    serializer_class = AgentSerializer
    scope = Scope.AGENTS_READ
    scopes_by_action = {"state": Scope.AGENTS_WRITE}
    ordering = ("number", "pk")

    def get_queryset(self) -> QuerySet[Agent]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        assert isinstance(self.request.user, User)
        return rows.filter(pk__in=reach.agents_for(self.request.user, self.tenant).values("pk"))

    def filter_queryset(self, queryset: QuerySet[Agent]) -> QuerySet[Agent]:
        if self.action != "list":
            return queryset
        wanted = self.filters(AgentFilter)
        if wanted["enabled"] is not None:
            queryset = queryset.filter(enabled=wanted["enabled"])
        if "number" in wanted:
            queryset = queryset.filter(number=wanted["number"])
        if "queue" in wanted:
            queryset = queryset.filter(queues__code=wanted["queue"])
        return queryset

    def get_serializer_context(self) -> dict[str, Any]:
        context: dict[str, Any] = super().get_serializer_context()
        if not getattr(self, "swagger_fake_view", False):
            context["live"] = live.of_tenant(self.tenant.pk, "agents")
        return context

    @extend_schema(parameters=[AgentFilter])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().list(request, *args, **kwargs)
        return response

    @extend_schema(request=StateChangeSerializer, responses={202: CommandSerializer})
    @action(detail=True, methods=["post"])
    def state(self, request: Request, pk: str = "") -> Response:
        """Ask for another state. During a call it is where the agent goes after it.

        One's own is asked for as on the console; another's is forced, which is kept with who asked.
        """
        agent = self.get_object()
        serializer = StateChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        state, reason = serializer.validated_data["state"], serializer.validated_data.get("reason", "")
        self._check_reason(state, reason)
        now = serializer.validated_data["now"]
        own = agent.user_id == request.user.pk and not now
        assert isinstance(request.user, User)
        if not (own or can(request.user, "agents.force", agent=agent)):
            raise Forbidden("permission_denied", _("You may not change this agent's state."))

        def build(common: commands.Common) -> events.Request:
            about = {**common, "agent": AgentId(str(agent.pk))}
            if not own:
                return events.AgentForced(**about, state=state, reason=reason, now=now)  # type: ignore[arg-type]
            if state == AgentState.PAUSED:
                return events.AgentPaused(**about, reason=reason)  # type: ignore[arg-type]
            kind = events.AgentWentReady if state == AgentState.READY else events.AgentSignedOut
            return kind(**about)  # type: ignore[arg-type]

        name = f"agent.{state.lower()}"
        return accepted(commands.give(request, self.tenant, name, str(agent.pk), build, seed=self.idempotent))

    def _check_reason(self, state: str, reason: str) -> None:
        if reason and state != AgentState.PAUSED:
            _refuse_reason(_("Only a pause has a reason."))
        if reason and not PauseReason.objects.filter(tenant=self.tenant, code=reason).exists():
            _refuse_reason(_("There is no such pause reason."))


def _refuse_reason(detail: str) -> None:
    raise Problem("invalid", detail, errors=[{"pointer": "/reason", "code": "unknown", "detail": detail}])
