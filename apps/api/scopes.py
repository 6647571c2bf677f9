"""What a token may be allowed to do, and what a person's role allows through the REST interface.

A token never does more than the person who made it: both must allow.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Role, User


class Scope(models.TextChoices):
    CALLS_READ = "calls:read", _("Read calls")
    CALLS_ORIGINATE = "calls:originate", _("Place calls")
    CALLS_CONTROL = "calls:control", _("End calls")
    AGENTS_READ = "agents:read", _("Read agents")
    AGENTS_WRITE = "agents:write", _("Change agents' states")
    QUEUES_READ = "queues:read", _("Read queues")
    REPORTS_READ = "reports:read", _("Read figures")
    RECORDINGS_READ = "recordings:read", _("Hear recordings")
    CUSTOMERS_READ = "customers:read", _("Read customers")
    CUSTOMERS_WRITE = "customers:write", _("Change customers")
    SETTINGS_READ = "settings:read", _("Read lists and numbers")
    WEBHOOKS_MANAGE = "webhooks:manage", _("Manage webhooks")


_AGENT = frozenset(
    {
        Scope.CALLS_READ,
        Scope.CALLS_ORIGINATE,
        Scope.CALLS_CONTROL,
        Scope.AGENTS_READ,
        Scope.AGENTS_WRITE,
        Scope.QUEUES_READ,
        Scope.CUSTOMERS_READ,
        Scope.CUSTOMERS_WRITE,
        Scope.SETTINGS_READ,
    }
)
_SUPERVISOR = _AGENT | {Scope.RECORDINGS_READ, Scope.REPORTS_READ}
_ALL = frozenset(Scope)

OF_ROLE: dict[str, frozenset[Scope]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: _ALL,
    Role.INTEGRATOR: _ALL,
}
"""An agent's scopes reach only what is theirs: their own calls, their own state (see each resource)."""


def of_user(user: User) -> frozenset[Scope]:
    """What the person may do at all."""
    return _ALL if user.is_superuser else OF_ROLE.get(user.role, frozenset())


def sees_whole_tenant(user: User) -> bool:
    """Whether somebody's reach ends at the tenant (true) or at what is their own (false)."""
    return user.is_superuser or user.role != Role.AGENT
