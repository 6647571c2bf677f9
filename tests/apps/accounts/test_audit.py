"""The audit log: actor, address, tenant; no secrets; and what is not audited is so by decision."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.test import Client

from apps.accounts.audit import NOT_AUDITED, audited_models, secret_fields
from apps.accounts.models import Tenant, User
from apps.accounts.passwords import set_password
from apps.queues.models import Queue
from apps.telephony.models import SipAccount, Switch, Trunk
from tests.apps.conftest import signed_in
from tests.apps.test_admin import change

pytestmark = pytest.mark.django_db


def test_a_change_is_kept_with_who_what_and_from_where(story: Tenant, admin_page: Client) -> None:
    queue = Queue.objects.get(code="sales")
    assert change(admin_page, queue, name="Sales").status_code == 302
    entry = LogEntry.objects.get(object_pk=str(queue.pk), changes__has_key="name")
    assert entry.changes["name"] == ["销售", "Sales"]
    assert entry.actor.username == "admin" and entry.remote_addr == "127.0.0.1"
    assert entry.additional_data == {"tenant": story.pk}
    page = admin_page.get("/admin/auditlog/logentry/").content.decode()
    assert "销售 → Sales" in page and "127.0.0.1" in page
    assert admin_page.get(f"/admin/auditlog/logentry/{entry.pk}/change/").status_code == 200


def test_who_serves_a_queue_is_in_the_log_though_it_is_no_column(story: Tenant, admin_page: Client) -> None:
    queue = Queue.objects.get(code="sales")
    kept = list(queue.members.values_list("pk", flat=True))[:2]
    assert change(admin_page, queue, agents=kept).status_code == 302
    entries = LogEntry.objects.filter(object_pk=str(queue.pk))
    assert any("members" in entry.changes for entry in entries)


def test_an_address_that_a_header_claims_is_not_believed(story: Tenant) -> None:
    client = signed_in("admin")
    client.defaults["HTTP_X_FORWARDED_FOR"] = "203.0.113.99"
    change(client, Queue.objects.get(code="sales"), name="Sales")
    assert not LogEntry.objects.filter(remote_addr="203.0.113.99").exists()
    assert LogEntry.objects.filter(remote_addr="127.0.0.1").exists()


@pytest.mark.parametrize(
    ("model", "field"),
    [(SipAccount, "secret"), (Trunk, "password"), (Switch, "event_socket_password")],
)
def test_a_secret_is_never_in_the_log_but_that_it_changed_is(story: Tenant, model: Any, field: str) -> None:
    row = model.objects.first()
    old, new = getattr(row, field), "new-secret-0123456789"
    setattr(row, field, new)
    row.save()
    entry = LogEntry.objects.get(object_pk=str(row.pk), changes__has_key=field)
    assert set(entry.changes[field]) <= {"***", ""}
    text = " ".join(str(item.changes) + str(item.serialized_data) for item in LogEntry.objects.all())
    assert new not in text and (not old or old not in text)


def test_a_new_password_is_in_the_log_and_its_hash_is_not(story: Tenant) -> None:
    user = User.objects.get(username="huang")
    set_password(user, "another-good-one", by_owner=True)
    entry = LogEntry.objects.get(object_pk=str(user.pk), changes__has_key="password")
    assert entry.changes["password"] == ["***", "***"] and user.password not in str(entry.changes)


def test_every_secret_column_is_known() -> None:
    """A column that holds a secret is masked, whatever model it is added to."""
    for model in audited_models():
        for field in model._meta.concrete_fields:
            if any(word in field.name for word in ("password", "secret", "token")) and field.max_length:
                assert field.name in secret_fields(model), (model, field.name)


def test_what_can_be_edited_in_the_admin_is_audited_or_left_out_by_decision() -> None:
    audited = {model._meta.label for model in audited_models()}
    for model, page in admin.site._registry.items():
        if model.__module__.startswith("apps.") and page.__class__.has_change_permission.__qualname__[:8] != "ReadOnly":
            assert model._meta.label in audited | NOT_AUDITED.keys(), model
