"""Whose calls and agents an asker may see and touch: what their role reaches, and always what is their own."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Tenant, User
from apps.accounts.permissions import can, visible_agents
from apps.agents.models import Agent
from apps.calls.models import Call, Decision, Segment
from apps.calls.visibility import visible_calls


def own_agent(user: User, tenant: Tenant) -> Agent | None:
    """The agent this person is."""
    return Agent.objects.filter(user=user, tenant=tenant, enabled=True).first()


def agents_for(user: User, tenant: Tenant) -> QuerySet[Agent]:
    return visible_agents(user).filter(tenant=tenant)


def calls_for(user: User, tenant: Tenant) -> QuerySet[Call]:
    """An agent's are those they talked in or were offered."""
    if can(user, "calls.view", tenant=tenant):
        return visible_calls(user, tenant.pk)
    agent = own_agent(user, tenant)
    if agent is None:
        return Call.objects.none()
    talked = Segment.objects.filter(call=OuterRef("pk"), agent=agent)
    offered = Decision.objects.filter(call=OuterRef("pk"), agent=agent)
    return Call.objects.filter(Q(Exists(talked)) | Q(Exists(offered)), tenant=tenant)


def acts_as(user: User, agent: Agent, code: str) -> bool:
    """Whether somebody may do this for an agent: for themselves, or by a permission over that agent."""
    own = agent.user_id == user.pk and can(user, "console.use")
    return own or can(user, code, agent=agent)
