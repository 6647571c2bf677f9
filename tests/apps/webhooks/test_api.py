"""Webhooks over REST."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Tenant
from apps.webhooks import delivering
from apps.webhooks.models import Delivery, Endpoint
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.conftest import signed_in
from tests.apps.webhooks.receiver import Receiver
from tests.apps.webhooks.test_delivering import record

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_webhook_is_made_changed_and_removed(program: Program, crm: Receiver) -> None:
    made = program.post("/webhooks", {"url": crm.url, "events": ["call.ended", "call.ended"]})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_"), made.content
    path = f"/webhooks/{made.json()['id']}"
    read = program.get(path)
    assert "secret" not in read.json() and read.json()["events"] == ["call.ended"]
    assert program.get(path, if_none_match=read["ETag"]).status_code == 304
    changed = program.ask("PATCH", path, {"active": False}, if_match=read["ETag"])
    assert changed.status_code == 200 and changed.json()["active"] is False and changed["ETag"] != read["ETag"]
    problem(program.ask("PATCH", path, {"active": True}, if_match=read["ETag"]), 412, "changed_meanwhile")
    problem(program.ask("DELETE", path, if_match=read["ETag"]), 412, "changed_meanwhile")
    new = program.post(f"{path}/rotate")
    assert new.json()["secret"] != made.json()["secret"] and new.json()["old_secret_until"]
    assert program.ask("DELETE", path).status_code == 204
    problem(program.get(path), 404, "not_found")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"url": "https://crm.example.com/", "events": []},
        {"url": "https://crm.example.com/", "events": ["call.exploded"]},
        {"url": "https://10.0.0.1/", "events": ["call.ended"]},
        {"url": "https://x.example/" + "x" * 65_536, "events": ["call.ended"]},
        {"url": ["https://crm.example.com/"], "events": "call.ended"},
        {"url": "https://crm.example.com/", "events": ["call.ended"], "active": "perhaps"},
    ],
)
def test_a_webhook_that_cannot_be(program: Program, data: dict[str, Any]) -> None:
    assert problem(program.post("/webhooks", data), 400, "invalid")["errors"]
    assert not Endpoint.objects.exists()


def test_a_ping_tells_at_once_how_it_went(program: Program, endpoint: Endpoint, crm: Receiver) -> None:
    told = program.post(f"/webhooks/{endpoint.pk}/ping").json()
    assert told["status"] == "delivered" and told["tries"][0]["status"] == 200 and crm.types() == ["ping"]
    assert told["tries"][0]["response_excerpt"] == "好的 ok�"
    crm.manner = 500
    assert program.post(f"/webhooks/{endpoint.pk}/ping").json()["status"] == "failed"


def test_the_log_and_sending_again(program: Program, story: Tenant, endpoint: Endpoint, crm: Receiver) -> None:
    record(story)
    delivering.run()
    log = program.get(f"/webhooks/{endpoint.pk}/deliveries?event=call.ended").json()["results"]
    assert len(log) == 1 and log[0]["tries"][0]["latency_ms"] >= 0 and log[0]["payload"]["type"] == "call.ended"
    path = f"/webhooks/{endpoint.pk}/deliveries/{log[0]['id']}"
    again = program.post(f"{path}/redeliver")
    assert again.status_code == 202 and again.json()["status"] == "pending"
    problem(program.post(f"{path}/redeliver"), 409, "wrong_state")
    delivering.run()
    assert crm.received[-1].id == log[0]["message_id"]
    assert len(program.get(path).json()["tries"]) == 2
    problem(program.get(f"/webhooks/{endpoint.pk}/deliveries?status=lost"), 400, "invalid")


def test_of_other_tenants_and_for_lesser_roles(
    program: Program, story: Tenant, endpoint: Endpoint, other_tenant: Tenant
) -> None:
    record(story)
    delivery = Delivery.objects.all()[0]
    theirs = program_of("otheradmin")
    paths = [f"/webhooks/{endpoint.pk}", f"/webhooks/{endpoint.pk}/deliveries/{delivery.pk}"]
    for path in paths:
        problem(theirs.get(path), 404, "not_found")
    for path in (f"{paths[0]}/ping", f"{paths[0]}/rotate", f"{paths[1]}/redeliver"):
        problem(theirs.post(path), 404, "not_found")
        problem(program_of("admin", "calls:read").post(path), 403, "insufficient_scope")
        page = signed_in("wangfang").post(f"/api/v1{path}", {}, content_type="application/json")
        problem(page, 403, "permission_denied")
    problem(theirs.get(f"/webhooks/{endpoint.pk}/deliveries"), 404, "not_found")
    problem(theirs.ask("DELETE", paths[0]), 404, "not_found")
    assert Endpoint.objects.filter(pk=endpoint.pk).exists()
