"""From facts to another program's door: once, in order, signed, and again until it is there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.webhooks import delivering, sending, signing
from apps.webhooks.models import Attempt, Delivery, DeliveryStatus, Endpoint, EventType
from tests.apps.facts_of_calls import T0, served_call, stored
from tests.apps.webhooks.conftest import endpoint_to
from tests.apps.webhooks.receiver import Receiver, receiver, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

OF_A_SERVED_CALL = [
    "call.arrived", "call.queued", "call.offered", "call.queued", "call.offered", "call.answered", "call.ended",
    "call.wrapped_up",
]  # fmt: skip


def record(tenant: Tenant, call: str = "c1", first: int = 1) -> int:
    return record_facts(stored([replace(fact, tenant=str(tenant.pk)) for fact in served_call(call)], first=first))


def due_now() -> None:
    Delivery.objects.filter(status=DeliveryStatus.PENDING).update(due_at=timezone.now(), leased_until=None)


def test_a_call_is_told_in_order_and_once(story: Tenant, endpoint: Endpoint, crm: Receiver) -> None:
    record(story)
    record(story)  # the recorder may repeat itself
    assert delivering.run() == len(OF_A_SERVED_CALL)
    assert crm.types() == OF_A_SERVED_CALL
    assert delivering.run() == 0 and len({item.id for item in crm.received}) == len(OF_A_SERVED_CALL)
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}
    ended = crm.received[6].message
    assert ended["version"] == 1 and ended["timestamp"].startswith("2026-")
    assert ended["data"]["outcome"] == "served" and ended["data"]["talk_ms"] == 50_000
    assert crm.received[7].message["data"]["note"] == "账单已核对"
    assert [item.message["data"]["again"] for item in (crm.received[1], crm.received[3])] == [False, False]


def test_only_what_was_chosen_and_only_ours(story: Tenant, crm: Receiver, other_tenant: Tenant) -> None:
    endpoint_to(crm, story, EventType.CALL_ENDED)
    with receiver() as theirs:
        endpoint_to(theirs, other_tenant)
        record(story)
        delivering.run()
        assert crm.types() == ["call.ended"] and theirs.received == []


def test_the_signature_can_be_checked(story: Tenant, endpoint: Endpoint, crm: Receiver) -> None:
    """By the recipe of the specification, with the standard library alone."""
    signing.rotate(endpoint, timezone.now())
    record(story)
    delivering.run()
    for item in crm.received:
        assert abs(time.time() - int(item.headers["webhook-timestamp"])) < 60
        signed = f"{item.id}.{item.headers['webhook-timestamp']}.".encode() + item.body
        expected = [
            "v1," + base64.b64encode(hmac.new(base64.b64decode(key[6:]), signed, hashlib.sha256).digest()).decode()
            for key in (endpoint.secret, endpoint.old_secret)
        ]
        assert item.headers["webhook-signature"].split(" ") == expected
    assert endpoint.secret != endpoint.old_secret and endpoint.secret.startswith("whsec_")


@pytest.mark.parametrize(
    ("manner", "status", "error"),
    [
        (500, 500, ""),
        (302, 302, "redirects"),
        (404, 404, ""),
        ("dying", None, "."),
        ("garbage", None, "."),
        ("drip", 200, ""),
        ("endless", 200, ""),
    ],
)
def test_receivers_that_misbehave(
    story: Tenant, crm: Receiver, manner: Any, status: int | None, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_S", 1.0)
    crm.manner = manner
    endpoint_to(crm, story, EventType.CALL_ENDED)
    record(story)
    delivering.run()
    attempt = Attempt.objects.get()
    assert attempt.status == status or (manner in ("drip", "endless") and attempt.status is None)
    assert error in attempt.error or (error == "." and attempt.error)
    assert attempt.latency_ms < 3000 and "webhook-id" in attempt.request_excerpt
    assert len(attempt.response_excerpt) <= 2000
    delivery = Delivery.objects.get()
    if attempt.status != 200:
        assert delivery.status == DeliveryStatus.PENDING and delivery.due_at > timezone.now()
        assert len(crm.received) == 1, "a redirect is not followed"


def test_a_slow_receiver_ends_in_time_and_hinders_nobody(story: Tenant, crm: Receiver) -> None:
    crm.manner = "slow"
    slow = endpoint_to(crm, story)
    with receiver() as quick:
        endpoint_to(quick, story)
        for number in range(4):
            record(story, f"c{number}", first=1 + number * 100)
        began = time.monotonic()
        worker = threading.Thread(target=_run_and_close, daemon=True)
        worker.start()
        wait_for(lambda: len(quick.received) == 4 * len(OF_A_SERVED_CALL), 20)
        assert time.monotonic() - began < sending.TIMEOUT_S + 1
        worker.join(60)
    tries = Attempt.objects.filter(delivery__endpoint=slow)
    assert tries and all(attempt.status is None and 4900 < attempt.latency_ms < 8000 for attempt in tries)
    assert len(crm.received) < 16, "a failing endpoint gets one at a time"


def _run_and_close() -> None:
    delivering.run(longest_s=8)
    connection.close()


def test_it_is_tried_again_until_it_is_there(story: Tenant, crm: Receiver) -> None:
    crm.manner = 503
    endpoint = endpoint_to(crm, story, EventType.CALL_ARRIVED, EventType.CALL_ENDED)
    record(story)
    for _ in range(3):
        delivering.run()
        due_now()
    assert crm.types() == ["call.arrived"] * 3, "the second waits for the first"
    endpoint.refresh_from_db()
    assert endpoint.failures == 3 and endpoint.failing_since is not None
    crm.manner = 200
    delivering.run()
    assert crm.types()[3:] == ["call.arrived", "call.ended"]
    assert len({item.id for item in crm.received[:4]}) == 1, "the same message, the same id"
    endpoint.refresh_from_db()
    assert endpoint.failures == 0 and endpoint.failing_since is None


def test_a_receiver_that_was_away_for_long_keeps_no_other_waiting(story: Tenant, crm: Receiver) -> None:
    """Message by message, as it once was, 20,000 that wait took 40 s for each that was sent."""
    away, here = endpoint_to(crm, story), endpoint_to(crm, story)
    Endpoint.objects.filter(pk=away.pk).update(failing_since=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO webhooks_delivery (tenant_id, endpoint_id, message_id, event, stream, payload, created_at,"
            " due_at, give_up_at, leased_until, status, attempts)"
            " SELECT %s, %s, 'm' || n, 'ping', 'call:' || n, '{}', now() - interval '1 hour',"
            " now() - interval '1 hour', now() + interval '1 day', CASE WHEN n = 1 THEN now() + interval '1 hour' END,"
            " 'pending', 0"
            " FROM generate_series(1, 20000) n",
            [story.pk, away.pk],
        )
        cursor.execute("SET statement_timeout = '10s'")
    now = timezone.now()
    Delivery.objects.create(
        tenant=story, endpoint=here, message_id="here", event="ping", stream="call:x", payload={}, created_at=now,
        due_at=now, give_up_at=now + timedelta(days=1),
    )  # fmt: skip
    claimed = delivering.claim(timezone.now())
    assert claimed is not None and claimed.message_id == "here"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")


def test_order_is_kept_for_a_while_only(story: Tenant, crm: Receiver) -> None:
    crm.manner = 503
    endpoint_to(crm, story, EventType.CALL_ARRIVED, EventType.CALL_ENDED)
    record(story)
    delivering.run()
    long_ago = timezone.now() - delivering.ORDER_KEPT - timedelta(seconds=1)
    Delivery.objects.filter(event="call.arrived").update(created_at=long_ago)
    delivering.run()
    assert crm.types() == ["call.arrived", "call.ended"]


def test_pauses_grow_and_are_spread() -> None:
    pauses = [delivering.pause_after(number).total_seconds() for number in range(1, 12)]
    assert pauses[0] < 7 and 0.8 * 7200 <= pauses[-1] <= 1.2 * 7200
    assert len({delivering.pause_after(3) for _ in range(10)}) > 1


def test_after_a_day_it_is_given_up_and_the_webhook_switched_off(story: Tenant, crm: Receiver) -> None:
    crm.manner = 500
    endpoint = endpoint_to(crm, story, EventType.CALL_ENDED)
    record(story)
    a_day_ago = timezone.now() - timedelta(hours=25)
    Endpoint.objects.update(failing_since=a_day_ago, failures=30)
    Delivery.objects.update(give_up_at=timezone.now())
    delivering.run()
    endpoint.refresh_from_db()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED
    assert not endpoint.active and endpoint.disabled_at is not None and "31" in endpoint.disabled_reason
    record(story, "c2", first=100)
    assert Delivery.objects.count() == 1, "nothing is collected for one that is switched off"


def test_who_is_gone_is_left_alone(story: Tenant, crm: Receiver) -> None:
    crm.manner = 410
    endpoint = endpoint_to(crm, story)
    record(story)
    delivering.run()
    endpoint.refresh_from_db()
    assert len(crm.received) == 1 and not endpoint.active and endpoint.disabled_reason == "410 Gone"


def test_nobody_listens(story: Tenant) -> None:
    with receiver() as gone:
        endpoint = endpoint_to(gone, story, EventType.CALL_ENDED)
    record(story)
    delivering.run()
    assert Attempt.objects.get().status is None and "onnect" in Attempt.objects.get().error
    endpoint.delete()
    due_now()
    assert delivering.run() == 0


def test_a_fact_that_cannot_be_stored_leaves_no_message(story: Tenant, endpoint: Endpoint) -> None:
    """History and outbox are one transaction."""
    bad = f.CallStarted(
        at_ms=T0, tenant=str(story.pk), call=secrets.token_hex(8000), leg="l", switch="1",
        direction=f.Direction.INBOUND, did="", caller_number="", caller_name="", trunk="",
    )  # fmt: skip
    good = replace(served_call("c9")[0], tenant=str(story.pk))
    with pytest.raises(Exception, match="index"):
        record_facts(stored([good, bad]))
    assert not Delivery.objects.exists()


WORKER = """
import django
django.setup()
from apps.webhooks import delivering
delivering.run()
"""


def test_a_worker_killed_in_the_middle(story: Tenant, crm: Receiver) -> None:
    """What it had in hand is sent again, by another, as the same message; nothing is lost, nothing new appears."""
    crm.manner = "slow"
    endpoint_to(crm, story)
    record(story)
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}&port={database['PORT']}"
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "apps.config.settings", "WEBHOOK_NETWORKS": "127.0.0.0/8",
        "DATABASE_URL": url,
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=Path(settings.BASE_DIR), env=environment)
    try:
        wait_for(lambda: crm.received, 30)
    finally:
        worker.kill()
        worker.wait()
    first = crm.received[0]
    assert Delivery.objects.filter(leased_until__gt=timezone.now()).count() == 1 and not Attempt.objects.exists()
    crm.manner = 200
    crm.released.set()
    assert delivering.run() == 0, "the lease of the dead worker still holds"
    Delivery.objects.exclude(leased_until=None).update(leased_until=timezone.now())
    delivering.run()
    assert crm.received[1].id == first.id and crm.received[1].body == first.body
    assert crm.types()[1:] == OF_A_SERVED_CALL and len({item.id for item in crm.received}) == len(OF_A_SERVED_CALL)


def test_what_waits_for_a_webhook_that_is_off_is_given_up_in_time(story: Tenant, endpoint: Endpoint) -> None:
    """And what waits for one that is on is still tried when the worker comes back after a weekend."""
    record(story)
    Endpoint.objects.update(active=False)
    delivering.run()
    assert not Delivery.objects.exclude(status="pending").exists(), "it may be switched on again within its time"
    Delivery.objects.update(give_up_at=timezone.now() - timedelta(seconds=1))
    delivering.run()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"failed"}
    Delivery.objects.update(status="pending", finished_at=None)
    Endpoint.objects.update(active=True)
    delivering.run()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
