"""Who may follow what. Reads the database; asked when a page opens."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from apps.accounts.models import Tenant, User
from apps.accounts.permissions import can
from apps.agents.models import Agent
from apps.calls.models import CallDisposition
from apps.core.agents.states import UNSET
from apps.core.ids import AgentId, CallId, TenantId
from apps.live.presence import Seat
from apps.queues.scope import Scope


class Floor(NamedTuple):
    """A tenant's floor; ``scope``: the agents and queues it is confined to, None for all of it."""

    tenant: TenantId
    scope: Scope | None


def seat_of(user: AbstractBaseUser | AnonymousUser) -> Seat | None:
    """The agent this user is, or None."""
    if not isinstance(user, User) or user.tenant_id is None or not can(user, "console.use"):
        return None
    agent = Agent.objects.filter(user=user, tenant_id=user.tenant_id, enabled=True).first()
    return Seat(TenantId(str(user.tenant_id)), AgentId(str(agent.pk))) if agent is not None else None


def floor_of(user: AbstractBaseUser | AnonymousUser, wanted: str = "") -> TenantId | None:
    """The tenant whose floor this user may watch, or None. Only a superuser may choose."""
    if not isinstance(user, User) or not can(user, "floor.view"):
        return None
    if user.is_superuser and (wanted or user.tenant_id is None):
        tenants = Tenant.objects.order_by("pk")
        if wanted:
            tenants = (
                tenants.filter(pk=wanted)
                if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10
                else tenants.none()
            )
        tenant = tenants.first()
        return TenantId(str(tenant.pk)) if tenant is not None else None
    return TenantId(str(user.tenant_id)) if user.tenant_id is not None else None


def may(user: AbstractBaseUser | AnonymousUser, code: str, agent_id: AgentId) -> bool:
    """Whether this user has permission ``code`` over this agent. Asked anew for each action: rights change."""
    fresh = User.objects.filter(pk=user.pk or 0).first()
    agent = Agent.objects.filter(pk=int(agent_id)).first() if agent_id.isdecimal() and len(agent_id) < 19 else None
    return fresh is not None and agent is not None and can(fresh, code, agent=agent)


def owes_result(seat: Seat, call_id: CallId) -> bool:
    """Whether the latest word of this agent on this call is that nothing was chosen."""
    found = CallDisposition.objects.filter(tenant_id=int(seat.tenant), agent_id=int(seat.agent), call_id=call_id)
    latest = found.order_by("-at", "-seq").first()
    return latest is not None and latest.disposition == UNSET
