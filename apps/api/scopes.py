"""What a token may be allowed to do, and which permissions of a role each scope needs.

A token never does more than the person who made it: both must allow.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.permissions import codes_of


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


NEEDS: Mapping[Scope, tuple[str, ...]] = {
    Scope.CALLS_READ: ("calls.view", "console.use"),
    Scope.CALLS_ORIGINATE: ("calls.dial",),
    Scope.CALLS_CONTROL: ("calls.control", "console.use"),
    Scope.AGENTS_READ: ("agents.view", "console.use"),
    Scope.AGENTS_WRITE: ("agents.force", "console.use"),
    Scope.QUEUES_READ: ("queues.view", "console.use"),
    Scope.REPORTS_READ: ("reports.view",),
    Scope.RECORDINGS_READ: ("calls.listen",),
    Scope.CUSTOMERS_READ: ("customers.view",),
    Scope.CUSTOMERS_WRITE: ("customers.edit",),
    Scope.SETTINGS_READ: ("settings.view", "console.use", "api.use"),
    Scope.WEBHOOKS_MANAGE: ("integrations.edit",),
}
"""One of these codes is enough. Whom it reaches is each resource's: ``console.use`` alone reaches one's own."""


def of_user(user: User) -> frozenset[Scope]:
    """What the person may do at all."""
    codes = codes_of(user)
    return frozenset(scope for scope, needs in NEEDS.items() if codes & set(needs))
