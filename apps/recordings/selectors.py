"""Which recordings somebody may hear."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.permissions import Anybody, can
from apps.calls.visibility import visible_calls
from apps.recordings.models import Recording


def audible_recordings(user: Anybody, tenant_id: int) -> QuerySet[Recording]:
    """Those of the calls that ``user`` may see, if they may listen at all; none of a person who is forgotten."""
    recordings = Recording.objects.filter(forgotten_at=None).select_related("switch")
    if not can(user, "calls.listen", tenant=tenant_id):
        return recordings.none()
    return recordings.filter(tenant_id=tenant_id, call__in=visible_calls(user, tenant_id))
