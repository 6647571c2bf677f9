"""Whose calls and agents an asker may see and touch: what their role reaches, and always what is their own."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Tenant, User
from apps.accounts.permissions import can, team_ids, visible_agents
from apps.agents.models import Agent
from apps.calls.models import Call, Callback, Decision, Segment
from apps.calls.visibility import visible_calls
from apps.queues.models import QueueMembership
from apps.queues.selectors import visible_queues


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


def callbacks_for(user: User, tenant: Tenant) -> QuerySet[Callback]:
    """Of the queues somebody watches over; an agent's are those of the queues they serve."""
    rows = Callback.objects.filter(tenant=tenant)
    if can(user, "calls.view", tenant=tenant):
        return rows if team_ids(user) is None else rows.filter(queue__in=visible_queues(user).values("pk"))
    agent = own_agent(user, tenant)
    if agent is None:
        return rows.none()
    return rows.filter(queue__in=QueueMembership.objects.filter(agent=agent).values_list("queue_id", flat=True))


def acts_as(user: User, agent: Agent, code: str) -> bool:
    """Whether somebody may do this for an agent: for themselves, or by a permission over that agent."""
    own = agent.user_id == user.pk and can(user, "console.use")
    return own or can(user, code, agent=agent)
