"""Which calls somebody may see: those of their tenant, or those that agents of the teams they lead took part in."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.permissions import Anybody, can, team_ids, visible_agents
from apps.calls.models import Call, Segment


def visible_calls(user: Anybody, tenant_id: int) -> QuerySet[Call]:
    """The calls of ``tenant_id`` that ``user`` may see. None of them without ``calls.view`` there."""
    if not can(user, "calls.view", tenant=tenant_id):
        return Call.objects.none()
    calls = Call.objects.filter(tenant_id=tenant_id)
    if team_ids(user) is None:
        return calls
    agents = visible_agents(user).values("pk")
    took_part = Segment.objects.filter(call=OuterRef("pk"), agent__in=agents)
    return calls.filter(Q(last_agent__in=agents) | Exists(took_part))
