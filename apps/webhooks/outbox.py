"""Facts become messages in the transaction that stores them: once for each endpoint, and never lost.

Redis only wakes the worker. While it is away, messages wait here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.calls.projection import StoredFact, row_id
from apps.config.celery import app as celery
from apps.config.outages import Outage
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.payloads import Names, event_of, payload, stream_of

log = structlog.get_logger(__name__)

TRIED_FOR = timedelta(hours=24)
NAMESPACE = uuid.UUID("5d0f3e0e-36e2-4a55-8a0b-0a8f3b0f6f55")
REST_AFTER_FAILURE_S = 30.0
TASK = "apps.webhooks.tasks.deliver_due"

_asleep_until = 0.0
_outage = Outage(log, "webhook_worker_not_woken", "webhook_worker_woken")


def message_id(endpoint: Endpoint, epoch: str, seq: int) -> str:
    """The same fact for the same endpoint has the same id, however often it is told."""
    return f"msg_{uuid.uuid5(NAMESPACE, f'{endpoint.pk}/{epoch}/{seq}').hex}"


def fill(new: Sequence[StoredFact]) -> None:
    """Follower of history: a pending delivery for each endpoint that wants to hear of a fact."""
    told = [(item, event) for item in new if (event := event_of(item.fact)) is not None]
    tenants = {tenant for item, _ in told if (tenant := row_id(item.fact.tenant)) is not None}
    endpoints = list(Endpoint.objects.filter(active=True, tenant_id__in=tenants)) if tenants else []
    if not endpoints:
        return
    wanted = {(endpoint.tenant_id, event) for endpoint in endpoints for event in endpoint.events}
    told = [(item, event) for item, event in told if (row_id(item.fact.tenant), event.value) in wanted]
    names = Names.of(item.fact for item, _ in told)
    now = timezone.now()
    rows = [
        Delivery(
            tenant_id=endpoint.tenant_id,
            endpoint=endpoint,
            message_id=message_id(endpoint, item.epoch, item.seq),
            event=event,
            stream=stream_of(item.fact),
            payload=payload(item.fact, event, names),
            created_at=now,
            due_at=now,
            give_up_at=now + TRIED_FOR,
        )
        for item, event in told
        for endpoint in endpoints
        if endpoint.tenant_id == row_id(item.fact.tenant) and event in endpoint.events
    ]
    if rows:
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(wake)


def wake() -> None:
    """Tell a worker that there is something to do. Beat looks every few seconds anyway, so this may fail."""
    global _asleep_until
    if time.monotonic() < _asleep_until:
        return
    try:
        # By our own application: in the engine's process no other has been told of the broker.
        celery.send_task(TASK, retry=False, expires=10)
    except (OperationalError, OSError) as error:
        _asleep_until = time.monotonic() + REST_AFTER_FAILURE_S
        _outage.lasts(error=str(error))
    else:
        _outage.over()
