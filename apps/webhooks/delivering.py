"""Who is next, and what follows from how it went.

A message is leased before it is sent: a worker that dies in between loses the lease and another sends it again, with
the same ``webhook-id``. Messages of one stream to one endpoint go in order; one that keeps failing holds the others
of its stream back for ``ORDER_KEPT`` at most. A failing endpoint gets one message at a time, so that it neither is
flooded when it comes back nor keeps the worker from others.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from apps.webhooks.models import Attempt, Delivery, DeliveryStatus, Endpoint
from apps.webhooks.sending import TIMEOUT_S, Outcome, send

log = structlog.get_logger(__name__)

AT_ONCE = 8
AT_ONCE_TO_ONE = 4
LEASE = timedelta(seconds=TIMEOUT_S * 6)
ORDER_KEPT = timedelta(minutes=5)
PAUSES_S = (5, 30, 120, 600, 1800, 3600, 7200)
JITTER = 0.2
SWITCHED_OFF_AFTER = timedelta(hours=24)
SWITCHED_OFF_FAILURES = 10
LOOK_AGAIN_S = 0.2

_running = threading.Lock()
_wanted = threading.Event()

_NEXT = """
WITH busy AS (
  SELECT endpoint_id, count(*) AS messages FROM webhooks_delivery
  WHERE status = 'pending' AND leased_until >= %(now)s GROUP BY endpoint_id),
free AS MATERIALIZED (
  SELECT e.id FROM webhooks_endpoint e LEFT JOIN busy ON busy.endpoint_id = e.id
  WHERE e.active
    AND coalesce(busy.messages, 0) < CASE WHEN e.failing_since IS NULL THEN %(at_once)s ELSE 1 END)
SELECT d.id FROM free CROSS JOIN LATERAL (
  SELECT due.id, due.due_at FROM webhooks_delivery due
  WHERE due.status = 'pending' AND due.endpoint_id = free.id AND due.due_at <= %(now)s
    AND (due.leased_until IS NULL OR due.leased_until < %(now)s)
    AND NOT EXISTS (
      SELECT 1 FROM webhooks_delivery earlier
      WHERE earlier.status = 'pending' AND earlier.endpoint_id = due.endpoint_id AND earlier.stream = due.stream
        AND earlier.id < due.id AND earlier.created_at > %(order_kept)s)
  ORDER BY due.due_at, due.id LIMIT 1 FOR UPDATE OF due SKIP LOCKED) d
ORDER BY d.due_at, d.id LIMIT 1
"""
"""Whose turn it is: first who can take another message, then the oldest of each.

Not message by message: a receiver that was away for an hour has tens of thousands of them due, and each would be looked
at before the next receiver's first.
"""


def run(longest_s: float = 20.0) -> int:
    """Send what is due until nothing is, or time is up. Returns how many attempts were made.

    One run at a time in a process; a call meanwhile makes the running one look again.
    """
    _wanted.set()
    made = 0
    give_up_on_those_switched_off(timezone.now())
    while _wanted.is_set() and _running.acquire(blocking=False):
        try:
            _wanted.clear()
            made += _run(time.monotonic() + longest_s)
        finally:
            _running.release()
    return made


def _run(deadline_s: float) -> int:
    made = 0
    busy: dict[Future[Outcome], Delivery] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook") as pool:
        while True:
            in_time = time.monotonic() < deadline_s
            while in_time and len(busy) < AT_ONCE and (delivery := claim(timezone.now())) is not None:
                busy[pool.submit(send, delivery)] = delivery
            if not busy:
                return made
            done, _ = wait(busy, timeout=LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
            for future in done:
                settle(busy.pop(future), future.result())
                made += 1


def give_up_on_those_switched_off(now: datetime) -> int:
    """Nobody will try these: they are given up when their time is over, or they would stay for ever. Returns how many.

    What waits for a webhook that is on is always tried once more, however long the worker was away.
    """
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING, endpoint__active=False, give_up_at__lt=now)
    return waiting.update(status=DeliveryStatus.FAILED, finished_at=now, leased_until=None)


def claim(now: datetime) -> Delivery | None:
    """Lease the next message, if there is one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NEXT, {"now": now, "order_kept": now - ORDER_KEPT, "at_once": AT_ONCE_TO_ONE})
        row = cursor.fetchone()
        if row is None:
            return None
        Delivery.objects.filter(pk=row[0]).update(leased_until=now + LEASE, attempts=F("attempts") + 1)
    return Delivery.objects.select_related("endpoint").get(pk=row[0])


def settle(delivery: Delivery, outcome: Outcome) -> None:
    """Write down how it went, and what follows."""
    with transaction.atomic():
        if not Delivery.objects.select_for_update().filter(pk=delivery.pk).exists():
            return  # its endpoint was deleted meanwhile
        Attempt.objects.create(
            delivery=delivery,
            at=outcome.at,
            latency_ms=outcome.latency_ms,
            status=outcome.status,
            error=outcome.error,
            request_excerpt=outcome.sent,
            response_excerpt=outcome.answer,
        )
        _note_delivery(delivery, outcome, timezone.now())
        _note_endpoint(delivery.endpoint_id, outcome, timezone.now())


def _note_delivery(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    delivery.leased_until = None
    if outcome.delivered:
        delivery.status, delivery.finished_at = DeliveryStatus.DELIVERED, now
    else:
        delivery.due_at = now + pause_after(delivery.attempts)
        if delivery.due_at > delivery.give_up_at or outcome.gone:
            delivery.status, delivery.finished_at = DeliveryStatus.FAILED, now
    delivery.save(update_fields=["leased_until", "status", "finished_at", "due_at"])


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts; spread, so that many that failed together do not return together."""
    pause_s = PAUSES_S[min(max(attempts, 1), len(PAUSES_S)) - 1]
    return timedelta(seconds=pause_s * random.uniform(1 - JITTER, 1 + JITTER))


def _note_endpoint(endpoint_id: int, outcome: Outcome, now: datetime) -> None:
    endpoint = Endpoint.objects.select_for_update().get(pk=endpoint_id)
    if outcome.delivered:
        if endpoint.failing_since is not None:
            log.info("webhook_back", endpoint=endpoint.pk, failures=endpoint.failures)
        Endpoint.objects.filter(pk=endpoint_id).update(failing_since=None, failures=0)
        return
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    long = now - endpoint.failing_since > SWITCHED_OFF_AFTER and endpoint.failures >= SWITCHED_OFF_FAILURES
    if endpoint.active and (long or outcome.gone):
        endpoint.active, endpoint.disabled_at = False, now
        endpoint.disabled_reason = "410 Gone" if outcome.gone else f"{endpoint.failures} failures in a row"
        log.warning("webhook_switched_off", endpoint=endpoint.pk, url=endpoint.url, reason=endpoint.disabled_reason)
    endpoint.save(update_fields=["failing_since", "failures", "active", "disabled_at", "disabled_reason"])
