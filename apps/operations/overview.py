"""The admin's first page: how much there is, what is going on today, and what does not fit together."""

from __future__ import annotations

import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Tenant, User
from apps.accounts.tenant_admin import of_tenant, own_tenant
from apps.agents.models import Agent
from apps.calls.going_on import going_on
from apps.calls.models import Call
from apps.calls.projection import moment, moment_ms
from apps.core.facts import CallOutcome
from apps.queues.models import Queue
from apps.reports.day.rules import day_start_ms
from apps.telephony.models import Did, Trunk
from apps.webhooks.trouble import troubled


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback."""
    tenant = own_tenant(request)

    def own(rows: QuerySet[Any]) -> QuerySet[Any]:
        return of_tenant(rows, tenant)

    return {**context, "title": _("Overview"), "tiles": _tiles(own), "today": _today(own), "gaps": _gaps(own)}


def _tiles(own: Any) -> list[dict[str, Any]]:
    counted = (
        (_("Agents"), own(Agent.objects.filter(enabled=True)), "agents_agent", "support_agent"),
        (_("Queues"), own(Queue.objects.all()), "queues_queue", "groups"),
        (_("Numbers"), own(Did.objects.all()), "telephony_did", "dialpad"),
        (_("Trunks"), own(Trunk.objects.filter(enabled=True)), "telephony_trunk", "cable"),
        (_("People"), own(User.objects.filter(is_active=True)), "accounts_user", "person"),
    )
    return [
        {"title": title, "count": rows.count(), "icon": icon, "link": reverse(f"admin:{page}_changelist")}
        for title, rows, page, icon in counted
    ]


def _today(own: Any) -> dict[str, Any]:
    """Since midnight, for each tenant its own. Shares are whole per cent of the calls that ended, for a bar."""
    now = timezone.now()
    began = reduce(or_, (_since_midnight(tenant, now) for tenant in own(Tenant.objects.all())), Q(pk__in=[]))
    found = Call.objects.filter(began).aggregate(
        calls=Count("pk"),
        served=Count("pk", filter=Q(outcome=CallOutcome.SERVED)),
        abandoned=Count("pk", filter=Q(outcome=CallOutcome.ABANDONED)),
    )
    ended = max(1, found["served"] + found["abandoned"])
    live = own(Call.objects.filter(going_on())).count()
    return {**found, "live": live, "served_share": round(100 * found["served"] / ended)}


def _since_midnight(tenant: Tenant, now: datetime.datetime) -> Q:
    return Q(tenant=tenant, started_at__gte=moment(day_start_ms(moment_ms(now), tenant.time_zone)))


def _gaps(own: Any) -> list[dict[str, str]]:
    """Rows that are allowed and yet leave somebody unserved."""
    gaps = [
        (
            own(Queue.objects.annotate(n=Count("members", filter=Q(members__enabled=True))).filter(n=0)),
            "queues_queue",
            _("nobody serves this queue"),
        ),
        (own(Agent.objects.filter(enabled=True, user=None)), "agents_agent", _("no user: nobody can sign in as it")),
        (
            own(Agent.objects.filter(enabled=True, queues=None)),
            "agents_agent",
            _("serves no queue: gets no calls"),
        ),
        (own(Did.objects.filter(flow__published=None)), "telephony_did", _("its flow is not published")),
        (own(troubled(timezone.now())), "webhooks_endpoint", _("gets no messages: look at its deliveries")),
    ]
    return [
        {"name": str(row), "why": why, "link": reverse(f"admin:{page}_change", args=[row.pk])}
        for rows, page, why in gaps
        for row in rows[:5]
    ]
