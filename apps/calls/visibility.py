"""Which calls somebody may see: those of their tenant, or those of the teams they lead."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.permissions import Anybody, can, team_ids, visible_agents
from apps.calls.models import Call, Segment, SegmentKind
from apps.queues.selectors import visible_queues


def visible_calls(user: Anybody, tenant_id: int) -> QuerySet[Call]:
    """The calls of ``tenant_id`` that ``user`` may see. None of them without ``calls.view`` there.

    Of a team are the calls that its agents took part in, and those that nobody took while they waited where its agents
    serve. What another team's agents talked about is theirs.
    """
    if not can(user, "calls.view", tenant=tenant_id):
        return Call.objects.none()
    calls = Call.objects.filter(tenant_id=tenant_id)
    if team_ids(user) is None:
        return calls
    agents = visible_agents(user).values("pk")
    took_part = Segment.objects.filter(call=OuterRef("pk"), agent__in=agents)
    waited = Segment.objects.filter(
        call=OuterRef("pk"), kind=SegmentKind.QUEUE, queue__in=visible_queues(user).values("pk")
    )
    return calls.filter(Q(last_agent__in=agents) | Exists(took_part) | (Q(last_agent=None) & Exists(waited)))
