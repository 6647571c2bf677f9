"""A webhook that reaches nobody is seen where people look, and no longer when it is mended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.reports import alarm_sources
from apps.webhooks import delivering, services
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.trouble import count
from tests.apps.conftest import signed_in
from tests.apps.webhooks.receiver import Receiver
from tests.apps.webhooks.test_delivering import record

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_that_switched_itself_off_is_told_on_the_floor_on_pages_and_in_the_admin(
    story: Tenant, endpoint: Endpoint, crm: Receiver, other_tenant: Tenant
) -> None:
    crm.manner = 410
    record(story)
    delivering.run()
    (alarm,) = alarm_sources.read()[story.pk]
    assert (alarm.kind, alarm.subject, alarm.name) == ("webhook_off", str(endpoint.pk), "127.0.0.1")
    assert 'data-testid="webhooks-in-trouble"' in signed_in("admin").get("/integrations/").content.decode()
    assert "gets no messages" in signed_in("admin").get("/admin/").content.decode()
    for nobody_who_mends_it in ("huang", "otheradmin"):
        assert "webhooks-in-trouble" not in signed_in(nobody_who_mends_it).get("/customers/").content.decode()
    page = signed_in("admin")
    reply = page.patch(f"/api/v1/webhooks/{endpoint.pk}", {"active": True}, content_type="application/json")
    assert reply.status_code == 200 and alarm_sources.read() == {} and count(story.pk) == 0


def test_one_that_fails_is_told_after_a_while_and_one_switched_off_by_hand_never(
    story: Tenant, endpoint: Endpoint
) -> None:
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(minutes=9), failures=3)
    assert alarm_sources.read() == {}
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(minutes=11))
    assert [item.kind for item in alarm_sources.read()[story.pk]] == ["webhook_failing"]
    Endpoint.objects.update(active=False, disabled_at=None)
    assert alarm_sources.read() == {}


def test_a_key_that_cannot_be_read_is_a_failure_with_words_and_a_new_key_mends_it(
    endpoint: Endpoint, crm: Receiver
) -> None:
    Endpoint.objects.update(sealed_secret="from-another-installation")
    endpoint.refresh_from_db()
    tried = services.ping(endpoint).tries.get()
    assert tried.status is None and "make a new one" in tried.error and crm.received == []
    reply = signed_in("admin").post(f"/api/v1/webhooks/{endpoint.pk}/rotate", content_type="application/json")
    assert reply.status_code == 200 and reply.json()["old_secret_until"] is None
    endpoint.refresh_from_db()
    assert services.ping(endpoint).tries.get().status == 200
    assert Delivery.objects.count() == 2
