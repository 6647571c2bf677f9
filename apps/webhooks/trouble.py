"""Webhooks that reach nobody: told on the floor, on every page of those who can mend it, and in the admin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from apps.accounts.permissions import can
from apps.calls.projection import moment_ms
from apps.reports.alarm_sources import Wrong
from apps.reports.alarms.conditions import WEBHOOK_FAILING, WEBHOOK_OFF, Condition
from apps.webhooks.models import Endpoint

PATIENCE = timedelta(minutes=10)
"""A receiver that is restarted is no trouble yet: messages wait for it."""


def troubled(now: datetime) -> QuerySet[Endpoint]:
    """Those that switched themselves off, and those that have been failing for a while."""
    off = Q(active=False, disabled_at__isnull=False)
    return Endpoint.objects.filter(off | Q(active=True, failing_since__lt=now - PATIENCE))


def count(tenant_id: int | None) -> int:
    """Of one tenant; of all where it is None."""
    rows = troubled(timezone.now())
    return (rows if tenant_id is None else rows.filter(tenant_id=tenant_id)).count()


def for_templates(request: HttpRequest) -> dict[str, Any]:
    """For every page: how many there are for somebody who can mend them."""
    return {"webhooks_in_trouble": SimpleLazyObject(lambda: _for(request.user))}


def _for(user: Any) -> int:
    if not can(user, "integrations.edit"):
        return 0
    return count(None if user.is_superuser else user.tenant_id)


def alarms() -> Wrong:
    """A source of the floor's alarms."""
    found: dict[int, list[Condition]] = {}
    for endpoint in troubled(timezone.now()).order_by("pk"):
        found.setdefault(endpoint.tenant_id, []).append(_condition(endpoint))
    return found


def _condition(endpoint: Endpoint) -> Condition:
    since = endpoint.disabled_at or endpoint.failing_since
    return Condition(
        kind=WEBHOOK_FAILING if endpoint.active else WEBHOOK_OFF,
        subject=str(endpoint.pk),
        name=endpoint.description or urlsplit(endpoint.url).hostname or endpoint.url,
        detail=endpoint.disabled_reason,
        value=endpoint.failures,
        since_ms=moment_ms(since) if since is not None else None,
        bad=True,
        good=False,
    )
