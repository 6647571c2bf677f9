"""Why each offer of a call went to whom: what was asked, who could serve and how well, who could not and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.accounts.permissions import can, visible_agents
from apps.api.problems import Forbidden
from apps.api.views import ApiViewSet
from apps.calls import decisions
from apps.calls.models import Decision
from apps.calls.projection import moment, row_id
from apps.core.facts import Considered, OfferDecided, PassedOver


class NeedSerializer(serializers.Serializer):
    skill = serializers.CharField()
    level = serializers.IntegerField(help_text="1 to 5.")
    required = serializers.BooleanField(help_text="Else preferred: it ranks, and keeps nobody out.")


class JudgedSerializer(serializers.Serializer):
    """A free agent. Without ``code`` they could serve: the first of those was rung."""

    agent = serializers.IntegerField(allow_null=True, help_text="Null: one whom you may not see.")
    name = serializers.CharField()
    code = serializers.CharField(
        allow_blank=True, help_text="Why not: other_switch, no_capacity, tier_waits, lacks_skill."
    )
    reason = serializers.CharField(allow_blank=True, help_text="The same in words.")
    score = serializers.IntegerField(help_text="How well the agent meets the skills asked for.")
    tier = serializers.IntegerField()
    position = serializers.IntegerField()
    rank = serializers.ListField(child=serializers.IntegerField(), help_text="Smaller first.")


class BusySerializer(serializers.Serializer):
    agent = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    code = serializers.CharField(help_text="paused, talking, wrap_up …")
    reason = serializers.CharField()


class TraceSerializer(serializers.Serializer):
    strategy = serializers.CharField()
    needs = NeedSerializer(many=True)
    tiers_up_to = serializers.IntegerField(allow_null=True, help_text="Null: every tier served.")
    only = serializers.IntegerField(allow_null=True, help_text="Nobody else was asked.")
    ring = serializers.IntegerField(help_text="So many relaxations were in force.")
    ring_since = serializers.DateTimeField(help_text="Since when.")
    eligible = serializers.IntegerField(help_text="Free agents who could serve; some of them are listed.")
    waiting = serializers.IntegerField(help_text="Callers in the same line.")
    considered = JudgedSerializer(many=True)
    passed_over = BusySerializer(many=True)


class DecisionSerializer(serializers.Serializer):
    """An offer. ``trace`` is null where nothing was put on record."""

    at = serializers.DateTimeField()
    leg = serializers.CharField()
    agent = serializers.IntegerField(allow_null=True)
    queue = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField(help_text="The queue's strategy, or wanted_agent.")
    outcome = serializers.CharField(allow_blank=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    told = serializers.ListField(child=serializers.CharField(), help_text="All of it in sentences, in your language.")
    trace = TraceSerializer(allow_null=True)


class DecisionsMixin(ApiViewSet):
    """Of a call."""

    @extend_schema(responses=DecisionSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def decisions(self, request: Request, pk: str = "") -> Response:
        """Why each offer went to whom, in their order. For those who may see the calls of others."""
        assert isinstance(request.user, User)
        if not can(request.user, "calls.view", tenant=self.tenant):
            raise Forbidden("permission_denied", _("Your role may not do this."))
        rows = self.get_object().decisions.order_by("at", "leg_id")
        traces = [(row, decisions.trace_of(row)) for row in rows]
        names = decisions.names_in((trace for _row, trace in traces), visible_agents(request.user))
        found = [_decision(row, trace, names) for row, trace in traces]
        return Response(DecisionSerializer(found, many=True).data)


def _decision(row: Decision, trace: OfferDecided | None, names: decisions.Names) -> dict[str, Any]:
    return {
        "at": row.at,
        "leg": row.leg_id,
        "agent": row.agent_id,
        "queue": row.queue_id,
        "rule": row.rule,
        "outcome": row.outcome,
        "ended_at": row.ended_at,
        "told": decisions.told(trace, names) if trace is not None else [],
        "trace": _trace(trace, names) if trace is not None else None,
    }


def _trace(trace: OfferDecided, names: decisions.Names) -> dict[str, Any]:
    pauses = decisions.pauses_of(trace)
    return {
        "strategy": trace.strategy,
        "needs": [{"skill": need.skill, "level": need.level, "required": need.required} for need in trace.needs],
        "tiers_up_to": trace.tiers_up_to,
        "only": row_id(trace.only),
        "ring": trace.ring,
        "ring_since": moment(trace.ring_since_ms),
        "eligible": trace.eligible,
        "waiting": trace.waiting,
        "considered": [
            {**_agent(one, names), "score": decisions.score_of(one), "tier": one.tier, "position": one.position,
             "rank": list(one.rank)}
            for one in trace.considered
        ],
        "passed_over": [_agent(one, names, pauses) for one in trace.passed_over],
    }  # fmt: skip


def _agent(
    one: Considered | PassedOver, names: decisions.Names, pauses: Mapping[str, str] | None = None
) -> dict[str, Any]:
    seen = one.agent in names
    return {
        "agent": row_id(one.agent) if seen else None,
        "name": decisions.name_of(one.agent, names),
        "code": one.code,
        "reason": decisions.reason(one.code, one.detail, pauses or {}) if one.code else "",
    }
