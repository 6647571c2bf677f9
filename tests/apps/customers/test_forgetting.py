"""A person who is forgotten is found nowhere; what happened stays countable. And what is told to a person who asks."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Tenant, User
from apps.calls.models import Call, CallDisposition, FactRecord
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.customers import services
from apps.customers.models import Customer, ImportFault
from apps.customers.services import NumberData
from apps.operations.models import LegalHold
from apps.recordings.models import Recording
from apps.recordings.selectors import audible_recordings
from apps.webhooks import delivering
from apps.webhooks.models import Endpoint
from tests.apps.conftest import signed_in
from tests.apps.facts_of_calls import served_call, stored
from tests.apps.webhooks.receiver import receiver

pytestmark = pytest.mark.django_db(transaction=True)
NAME, NUMBER, WRITTEN = "欧阳不忘", "+8613912345678", "13912345678"


@pytest.fixture(autouse=True)
def _loopback(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ipaddress import ip_network

    settings.WEBHOOK_NETWORKS = (ip_network("127.0.0.0/8"),)
    monkeypatch.setattr("apps.webhooks.outbox.wake", lambda: None)


@pytest.fixture
def story(db: None, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    from apps.demo.story import load_story

    monkeypatch.setattr("apps.demo.story.load_customers", lambda *_args: None)
    load_story()
    return Tenant.objects.get(code="cloudbridge")


def the_person(tenant: Tenant) -> Customer:
    fields = {"name": NAME, "email": "ouyang@example.com", "remark": "怕狗"}
    return services.create_customer(tenant.pk, fields, [NumberData(number=NUMBER, as_written=WRITTEN)], ["稀客"])


def a_call(tenant: Tenant, name: str, number: str = WRITTEN) -> None:
    """Served, with a name and a note; ended a minute ago."""
    facts = []
    for fact in served_call(name, int(time.time() * 1000) - 600_000):
        fact = dataclasses.replace(fact, tenant=str(tenant.pk))
        if isinstance(fact, f.CallStarted):
            fact = dataclasses.replace(fact, caller_number=number, caller_name=NAME, attached={"order": "A-77"})
        facts.append(dataclasses.replace(fact, note=f"{NAME} 要退款") if isinstance(fact, f.CallDisposed) else fact)
    assert any(isinstance(fact, f.CallDisposed) for fact in facts)
    record_facts(stored(facts, name))


def everywhere(*texts: str) -> list[str]:
    """Every table and row of the whole database in which one of these texts stands."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            cursor.execute(f'SELECT t::text FROM "{table}" t WHERE t::text ~ %s', ["|".join(texts)])
            found += [f"{table}: {row[0][:300]}" for row in cursor.fetchall()]
    return found


def test_nothing_in_the_database_tells_of_a_person_who_was_erased(story: Tenant) -> None:
    with receiver() as crm:
        Endpoint.objects.create(tenant=story, url=crm.url, events=["call.arrived", "call.ended", "call.wrapped_up"])
        customer = the_person(story)
        page = signed_in("admin")
        address = f"/api/v1/customers/{customer.pk}"
        for path, data in (("", {"remark": "怕猫"}), ("/notes", {"text": f"{NAME} 打来过"})):
            method = page.patch if not path else page.post
            key = {"Idempotency-Key": f"k{path}"}
            assert method(address + path, data, content_type="application/json", headers=key).status_code < 300
        a_call(story, "c1")
        services.link_call(customer, "c1", None)
        delivering.run()
        assert any("webhooks_attempt" in line for line in everywhere(WRITTEN))
        before = Call.objects.values("talk_ms", "wait_ms", "outcome", "started_at", "last_agent_id").get()
        reply = page.post(f"{address}/erase", content_type="application/json")
        assert reply.json() == {"calls": 1, "held": 0}
        assert everywhere(WRITTEN, NAME, "怕狗", "怕猫", "ouyang", "A-77", "退款") == []
    assert Call.objects.values("talk_ms", "wait_ms", "outcome", "started_at", "last_agent_id").get() == before
    assert Call.objects.get().caller_number == "anonymous" and CallDisposition.objects.get().disposition
    assert FactRecord.objects.filter(call="c1").count() == len(served_call("c1", 0))
    assert LogEntry.objects.filter(additional_data__event="customer_erased", actor__username="admin").count() == 1
    assert page.get(address).status_code == 404
    record_facts(stored([dataclasses.replace(served_call("c1", 0)[0], tenant=str(story.pk))], "c1"))
    assert everywhere(WRITTEN) == [], "a fact that the recorder gives once more brings nothing back"


def test_calls_of_a_number_that_is_shared_stay_unless_they_were_said_to_be_theirs(story: Tenant) -> None:
    customer = the_person(story)
    services.create_customer(story.pk, {"name": "同屋"}, [NumberData(number=NUMBER)])
    for name in ("c1", "c2"):
        a_call(story, name)
    services.link_call(customer, "c1", None)
    assert signed_in("admin").post(f"/api/v1/customers/{customer.pk}/erase").json() == {"calls": 1, "held": 0}
    assert dict(Call.objects.values_list("pk", "caller_number")) == {"c1": "anonymous", "c2": WRITTEN}


def test_a_legal_hold_keeps_a_call_and_a_live_one_is_waited_for(story: Tenant) -> None:
    customer = the_person(story)
    for name in ("c1", "c2"):
        a_call(story, name)
        Recording.objects.create(tenant=story, id=f"{name}-r", call_id=name, asked_at=timezone.now())
    LegalHold.objects.create(tenant=story, call_id="c1", reason="complaint")
    Call.objects.filter(pk="c2").update(ended_at=None)
    reply = signed_in("admin").post(f"/api/v1/customers/{customer.pk}/erase")
    assert (reply.status_code, reply.json()["code"]) == (409, "call_live")
    customer.refresh_from_db()
    assert customer.name == NAME and Call.objects.get(pk="c1").caller_number == WRITTEN
    Call.objects.filter(pk="c2").update(ended_at=timezone.now())
    assert signed_in("admin").post(f"/api/v1/customers/{customer.pk}/erase").json() == {"calls": 1, "held": 1}
    assert [row.pk for row in audible_recordings(User.objects.get(username="admin"), story.pk)] == ["c1-r"]
    assert Call.objects.get(pk="c1").caller_number == WRITTEN


def test_those_merged_into_them_go_too_and_reasons_of_imports(story: Tenant) -> None:
    kept = the_person(story)
    other = services.create_customer(story.pk, {"name": "欧阳不忘二"}, [NumberData(number="+8613900000002")])
    services.merge(kept, other)
    import io

    from apps.customers.imports import upload

    job = upload.receive(story.pk, None, "a.csv", io.BytesIO(b"name,phone\nA,1\n"), 15)
    ImportFault.objects.create(job=job, row=2, column="phone", value=WRITTEN, code="ambiguous")
    signed_in("admin").post(f"/api/v1/customers/{kept.pk}/erase")
    assert everywhere(NAME, "13900000002", WRITTEN) == []


def test_a_person_is_told_what_is_kept_of_them(story: Tenant, other_tenant: Tenant) -> None:
    customer = the_person(story)
    services.add_note(customer, "喜欢茶", User.objects.get(username="wangfang"))
    a_call(story, "c1")
    a_call(story, "c2", "13800000000")
    page = signed_in("huang")
    told = page.get(f"/api/v1/customers/{customer.pk}/data")
    assert told["Content-Disposition"] == f'attachment; filename="customer-{customer.pk}.json"'
    data = told.json()
    assert data["customer"]["name"] == NAME and data["numbers"][0]["number"] == NUMBER and data["tags"] == ["稀客"]
    assert [note["text"] for note in data["notes"]] == ["喜欢茶"]
    assert [call["id"] for call in data["calls"]] == ["c1"] and "退款" in data["calls"][0]["dispositions"][0]["note"]
    assert LogEntry.objects.filter(additional_data__event="customer_told", actor__username="huang").count() == 1
    assert signed_in("wangfang").get(f"/api/v1/customers/{customer.pk}/data").status_code == 403
    assert signed_in("otheradmin").get(f"/api/v1/customers/{customer.pk}/data").status_code == 404


def test_an_agent_merges_nobody(story: Tenant) -> None:
    kept, other = (services.create_customer(story.pk, {"name": name}) for name in ("A", "B"))
    for username, status in (("wangfang", 403), ("huang", 200)):
        address = f"/api/v1/customers/{kept.pk}/merge"
        reply = signed_in(username).post(address, {"other": other.pk}, content_type="application/json")
        assert reply.status_code == status
