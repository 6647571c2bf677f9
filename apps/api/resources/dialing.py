"""Placing a call for an agent (click-to-dial), and ending one."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import can
from apps.agents.models import Agent
from apps.api import commands, live, reach
from apps.api.parsers import unstorable
from apps.api.problems import Conflict, EngineAway, Forbidden, Problem
from apps.api.resources.commands import CommandSerializer, accepted
from apps.api.schema import problem
from apps.api.views import ApiViewSet
from apps.calls.models import Call
from apps.core import events
from apps.core.ids import AgentId, CallId
from apps.core.texts import LONGEST_ATTACHED, LONGEST_KEY, MOST_ATTACHED, NUMBER
from apps.live import from_threads
from apps.live.engine_client import EngineUnreachable

_WRITTEN = re.compile(r"[\s().\-/]")


class NumberField(serializers.CharField):
    """A telephone number; spaces, brackets, dots and dashes in it are dropped."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")  # DRF would take 1.5 for text
        number = _WRITTEN.sub("", super().to_internal_value(data))
        if not NUMBER.fullmatch(number):
            raise serializers.ValidationError(_("This is no telephone number."), code="bad_number")
        return number


class AttachedSerializer(serializers.Serializer):
    attached = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_ATTACHED, allow_blank=True), required=False,
        help_text="At most 20 texts that travel with the call and are shown to the agent.",
    )  # fmt: skip

    def validate_attached(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MOST_ATTACHED or any(len(key) > LONGEST_KEY or unstorable(key) for key in value):
            raise serializers.ValidationError(_("At most 20 texts with names of at most 40 characters."))
        return value


class DialSerializer(AttachedSerializer):
    number = NumberField(help_text="Whom to call.")
    agent = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="For whom; left out: for oneself."
    )
    caller_number = NumberField(required=False, help_text="Which of the agent's numbers to show.")
    customer = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST_KEY,
        help_text="With whom; the id of a customer of ours puts the call on that customer's timeline.",
    )  # fmt: skip


class HangUpSerializer(serializers.Serializer):
    version = serializers.IntegerField(
        required=False, min_value=0, max_value=2**53, help_text="The call's, as it was seen; an older one is refused."
    )


class DialingMixin(ApiViewSet):
    """Of the calls' viewset."""

    @extend_schema(request=DialSerializer, responses={202: CommandSerializer, 422: problem("rejected")})
    def create(self, request: Request) -> Response:
        """Ring an agent's own device, then the number, then connect them."""
        serializer = DialSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        agent = self._dialing_agent(request, data.get("agent"))

        def build(common: commands.Common) -> events.Request:
            return events.DialRequested(
                **common,  # type: ignore[arg-type]
                agent=AgentId(str(agent.pk)),
                number=data["number"],
                caller_number=data.get("caller_number", ""),
                customer=data.get("customer", ""),
                attached=data.get("attached", {}),
            )

        return accepted(commands.give(request, self.tenant, "call.dial", str(agent.pk), build, seed=self.idempotent))

    def _dialing_agent(self, request: Request, wanted: int | None) -> Agent:
        assert isinstance(request.user, User)
        tenant = self.tenant
        agents = Agent.objects.filter(tenant=tenant, enabled=True)
        agent = agents.filter(pk=wanted).first() if wanted is not None else reach.own_agent(request.user, tenant)
        if agent is None:
            detail = _("There is no such agent.") if wanted is not None else _("You are no agent: say for whom.")
            raise Problem("invalid", detail, errors=[{"pointer": "/agent", "code": "unknown", "detail": detail}])
        if not reach.acts_as(request.user, agent, "agents.force"):
            raise Forbidden("permission_denied", _("You may not place calls for this agent."))
        return agent

    @extend_schema(request=HangUpSerializer, responses={202: CommandSerializer, 409: problem("call_over")})
    @action(detail=True, methods=["post"])
    def hangup(self, request: Request, pk: str = "") -> Response:
        """End the part of the agent who talks on the call, or stop dialling it. The agent goes to wrap-up as usual.

        A call that no agent talks on (it waits, hears a menu, rings a number) is hung up whole; that takes
        `calls.control` over the call.
        """
        call: Call = self.get_object()
        serializer = HangUpSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        agent = self._agent_on(request, call)
        version = serializer.validated_data.get("version")

        def build(common: commands.Common) -> events.Request:
            about: dict[str, Any] = {**common, "call": CallId(call.pk), "version": version}
            if agent is None:
                return events.CallRemovalRequested(**about)
            return events.HangUpRequested(**about, agent=AgentId(str(agent.pk)))

        return accepted(commands.give(request, self.tenant, "call.hang_up", call.pk, build, seed=self.idempotent))

    def _agent_on(self, request: Request, call: Call) -> Agent | None:
        """Whose part it is that ends; None where no agent has the call. Refused where the asker may not end it."""
        assert isinstance(request.user, User)
        tenant = self.tenant
        try:
            (lives, found), _age_s = from_threads.read(live.agent_on(tenant.pk, call.pk))
        except EngineUnreachable as error:
            raise EngineAway from error
        if not lives:
            raise Conflict("call_over", _("This call is over."))
        agent = Agent.objects.filter(pk=int(found), tenant=tenant).first() if found is not None else None
        if agent is None and not can(request.user, "calls.control", tenant=tenant):
            raise Forbidden("permission_denied", _("You may not end calls that no agent of yours talks on."))
        if agent is not None and not reach.acts_as(request.user, agent, "calls.control"):
            raise Forbidden("permission_denied", _("You may not end calls of this agent."))
        return agent
