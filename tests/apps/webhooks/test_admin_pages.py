"""Webhooks and their deliveries in the admin: made with a key shown once, pinged, rotated, sent again by button."""

from __future__ import annotations

import re

import pytest
from auditlog.models import LogEntry
from django.test import Client

from apps.accounts.models import Tenant
from apps.webhooks import delivering
from apps.webhooks.models import Delivery, DeliveryStatus, Endpoint
from tests.apps.conftest import signed_in
from tests.apps.webhooks.receiver import Receiver
from tests.apps.webhooks.test_delivering import record

pytestmark = pytest.mark.django_db(transaction=True)
ENDPOINTS, DELIVERIES = "/admin/webhooks/endpoint/", "/admin/webhooks/delivery/"


def pressed(client: Client, base: str, pk: int, name: str) -> str:
    reply = client.post(f"{base}{pk}/press/{name}/", follow=True)
    assert reply.status_code == 200
    return str(reply.content.decode())


def shown_secret(page: str) -> str:
    return re.search(r'data-testid="secret">([^<]+)<', page)[1]  # type: ignore[index]


def test_one_is_made_and_its_key_is_shown_once(story: Tenant, crm: Receiver) -> None:
    client = signed_in("admin")
    form = {"tenant": story.pk, "url": crm.url, "description": "CRM", "events": ["call.ended"], "active": "on"}
    made = client.post(f"{ENDPOINTS}add/", form)
    endpoint = Endpoint.objects.get()
    assert made.status_code == 200 and shown_secret(made.content.decode()) == endpoint.secret
    assert "no-store" in made["Cache-Control"] and endpoint.made_by is not None
    page = client.get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
    assert endpoint.secret not in page and endpoint.sealed_secret not in page
    assert "It was taken: 200" in pressed(client, ENDPOINTS, endpoint.pk, "ping")
    assert shown_secret(pressed(client, ENDPOINTS, endpoint.pk, "rotate")) != endpoint.secret
    log = " ".join(str(entry.changes) for entry in LogEntry.objects.all())
    assert endpoint.secret not in log and endpoint.sealed_secret not in log


@pytest.mark.parametrize(("field", "value"), [("url", "https://10.0.0.1/"), ("events", "call.exploded"), ("url", "x")])
def test_one_that_cannot_be_is_refused_beside_its_field(story: Tenant, field: str, value: str) -> None:
    form = {"tenant": story.pk, "url": "https://crm.example.com/", "events": ["call.ended"], "active": "on"}
    reply = signed_in("admin").post(f"{ENDPOINTS}add/", {**form, field: value})
    assert list(reply.context["adminform"].form.errors) == [field] and not Endpoint.objects.exists()


def test_switching_it_on_again_forgets_why_it_was_off(story: Tenant, endpoint: Endpoint) -> None:
    Endpoint.objects.update(active=False, failures=9, disabled_reason="410 Gone", disabled_at="2026-11-26T00:00Z")
    form = {"url": endpoint.url, "description": "", "events": endpoint.events, "active": "on"}
    assert signed_in("admin").post(f"{ENDPOINTS}{endpoint.pk}/change/", form).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.failures, endpoint.disabled_reason) == (True, 0, "")


def test_a_delivery_is_found_read_and_sent_again(story: Tenant, endpoint: Endpoint, crm: Receiver) -> None:
    record(story)
    delivering.run()
    client = signed_in("admin")
    delivery = Delivery.objects.filter(event="call.ended").get()
    listed = client.get(DELIVERIES, {"q": delivery.message_id}).context["cl"].queryset
    assert [row.pk for row in listed] == [delivery.pk]
    page = client.get(f"{DELIVERIES}{delivery.pk}/change/").content.decode()
    assert f"{DELIVERIES}{delivery.pk}/press/redeliver/" in page and "call.ended" in page
    before = len(crm.received)
    assert "sent again" in pressed(client, DELIVERIES, delivery.pk, "redeliver")
    assert client.post(f"{DELIVERIES}{delivery.pk}/press/redeliver/").status_code == 404, "it is under way"
    chosen = {"action": "redeliver_chosen", "_selected_action": list(Delivery.objects.values_list("pk", flat=True))}
    client.post(DELIVERIES, chosen)
    assert not Delivery.objects.exclude(status=DeliveryStatus.PENDING).exists()
    delivering.run()
    assert len(crm.received) == before + Delivery.objects.count()


def test_buttons_are_posts_for_administrators_of_this_tenant(
    story: Tenant, endpoint: Endpoint, crm: Receiver, other_tenant: Tenant
) -> None:
    address = f"{ENDPOINTS}{endpoint.pk}/press/ping/"
    assert signed_in("admin").get(address).status_code == 405
    assert signed_in("otheradmin").post(address).status_code == 404
    assert signed_in("huang").post(address).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in("admin").cookies
    assert strict.post(address).status_code == 403
    assert signed_in("admin").post(f"{ENDPOINTS}{endpoint.pk}/press/delete_model/").status_code == 404
    assert crm.received == []
