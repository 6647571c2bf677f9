"""Who may follow what. Reads the database; asked once, when a page opens."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from apps.accounts.models import Role, Tenant, User
from apps.agents.models import Agent
from apps.core.ids import AgentId, TenantId
from apps.live.presence import Seat

FLOOR_ROLES = (Role.SUPERVISOR, Role.ADMIN)


def seat_of(user: AbstractBaseUser | AnonymousUser) -> Seat | None:
    """The agent this user is, or None."""
    if not isinstance(user, User) or not user.is_active or user.tenant_id is None:
        return None
    agent = Agent.objects.filter(user=user, tenant_id=user.tenant_id, enabled=True).first()
    return Seat(TenantId(str(user.tenant_id)), AgentId(str(agent.pk))) if agent is not None else None


def floor_of(user: AbstractBaseUser | AnonymousUser, wanted: str = "") -> TenantId | None:
    """The tenant whose floor this user may watch, or None. Only a superuser may choose."""
    if not isinstance(user, User) or not user.is_active:
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
    if user.tenant_id is None or not (user.is_superuser or user.role in FLOOR_ROLES):
        return None
    return TenantId(str(user.tenant_id))
