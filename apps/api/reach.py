"""Whose calls and agents an asker may see and touch: the whole tenant, or only what is their own."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Tenant, User
from apps.agents.models import Agent
from apps.api import scopes
from apps.calls.models import Call, Decision, Segment


def own_agent(user: User, tenant: Tenant) -> Agent | None:
    """The agent this person is."""
    return Agent.objects.filter(user=user, tenant=tenant, enabled=True).first()


def agents_for(user: User, tenant: Tenant) -> QuerySet[Agent]:
    agents = Agent.objects.filter(tenant=tenant)
    return agents if scopes.sees_whole_tenant(user) else agents.filter(user=user)


def calls_for(user: User, tenant: Tenant) -> QuerySet[Call]:
    """An agent's are those they talked in or were offered."""
    calls = Call.objects.filter(tenant=tenant)
    if scopes.sees_whole_tenant(user):
        return calls
    agent = own_agent(user, tenant)
    talked = Segment.objects.filter(call=OuterRef("pk"), agent=agent)
    offered = Decision.objects.filter(call=OuterRef("pk"), agent=agent)
    return calls.filter(Q(Exists(talked)) | Q(Exists(offered))) if agent is not None else calls.none()
