"""Who sees which queues."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.models import User
from apps.accounts.permissions import Anybody, codes_of, team_ids, visible_agents
from apps.core.ids import AgentId, QueueId
from apps.queues.models import Queue, QueueMembership
from apps.queues.scope import Scope


def visible_queues(user: Anybody) -> QuerySet[Queue]:
    """Of the tenant, or those that agents of the teams led serve. A superuser sees all: narrow by tenant."""
    queues: QuerySet[Queue] = Queue.objects.all()
    if not isinstance(user, User) or not codes_of(user):
        return queues.none()
    if not user.is_superuser:
        queues = queues.filter(tenant=user.tenant)
    if team_ids(user) is None:
        return queues
    served = QueueMembership.objects.filter(queue=OuterRef("pk"), agent__in=visible_agents(user))
    return queues.filter(Exists(served))


def scope_of(user: Anybody) -> Scope | None:
    """What a supervisor of teams is confined to; None where permissions cover the whole tenant."""
    if team_ids(user) is None:
        return None
    return Scope(
        frozenset(AgentId(str(pk)) for pk in visible_agents(user).values_list("pk", flat=True)),
        frozenset(QueueId(str(pk)) for pk in visible_queues(user).values_list("pk", flat=True)),
    )
