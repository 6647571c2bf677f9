"""Which calls go on now. The one place that says so: a row without an end alone does not.

The end of a call that was lost together with its engine's disk is never recorded, so its row stays open. A call that
goes on is therefore a young one, or one that waits to be called back, which may be weeks ahead.
"""

from __future__ import annotations

import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.calls.models import Call, Callback

LIVE_AT_MOST = datetime.timedelta(hours=24)
"""A call without an end that is older was lost, and goes on nowhere."""


def going_on() -> Q:
    """For a filter of calls."""
    since = timezone.now() - LIVE_AT_MOST
    waits = Callback.objects.filter(call=OuterRef("pk"), ended_at=None, until_at__gt=since)
    return Q(ended_at=None) & (Q(started_at__gt=since) | Q(Exists(waits)))


def goes_on(call: Call) -> bool:
    """The same of one row that is at hand; only an old one without an end costs a query."""
    if call.ended_at is not None:
        return False
    since = timezone.now() - LIVE_AT_MOST
    return call.started_at > since or call.callbacks.filter(ended_at=None, until_at__gt=since).exists()
