"""The audit log: actor, address, tenant; no secrets; and what is not audited is so by decision."""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib import admin
from django.test import Client

from apps.accounts.audit import NOT_AUDITED, audited_models, secret_fields
from apps.accounts.audit_events import Event
from apps.accounts.models import Tenant, User
from apps.accounts.passwords import set_password
from apps.api import tokens
from apps.customers import services
from apps.customers.imports import running, upload
from apps.queues.models import Queue
from apps.telephony.models import SipAccount, Switch, Trunk
from tests.apps.api.conftest import program_of
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


def test_who_serves_a_queue_and_what_is_asked_of_them_is_in_the_log(story: Tenant, admin_page: Client) -> None:
    queue = Queue.objects.get(code="support")
    names = {"memberships-0-DELETE": "on", "memberships-1-position": 7, "needs-1-level": 4, "rings-0-DELETE": "on"}
    assert change(admin_page, queue, **names).status_code == 302
    entries = LogEntry.objects.filter(additional_data={"tenant": story.pk})
    told = {(entry.content_type.model, entry.get_action_display(), *sorted(entry.changes)) for entry in entries}
    assert ("queuemembership", "update", "position") in told and ("queueskill", "update", "level") in told
    assert {row[:2] for row in told} >= {("queuemembership", "delete"), ("queuering", "delete")}


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


# --- what is no change of a row ---------------------------------------------------------------------------------------


def events(*wanted: Event) -> list[LogEntry]:
    entries = LogEntry.objects.filter(additional_data__event__in=[event.value for event in wanted])
    return list(entries.order_by("timestamp", "pk"))


def post_sign_in(username: str, password: str, client: Client | None = None) -> None:
    (client or Client()).post("/login/", {"username": username, "password": password})


def test_who_came_who_went_and_who_could_not(story: Tenant) -> None:
    set_password(User.objects.get(username="huang"), "her-good-password", by_owner=True)
    client = Client(headers={"user-agent": "Firefox"})
    post_sign_in("huang", "wrong", client)
    post_sign_in("huang", "her-good-password", client)
    client.post("/logout/")
    post_sign_in("my-password-by-mistake", "x")
    failed, came, went, unknown = events(Event.SIGN_IN_FAILED, Event.SIGNED_IN, Event.SIGNED_OUT)
    assert [entry.additional_data["event"] for entry in (failed, came, went)] == [
        "sign_in_failed", "signed_in", "signed_out",
    ]  # fmt: skip
    for entry in (failed, came, went):
        assert entry.object_pk == str(User.objects.get(username="huang").pk) and entry.remote_addr == "127.0.0.1"
        assert entry.additional_data["tenant"] == story.pk
    assert failed.actor is None and came.actor.username == went.actor.username == "huang"
    assert came.changes == {"browser": ["Firefox"]}
    assert unknown.object_repr == "my-…" and unknown.additional_data["tenant"] is None
    page = signed_in("admin").get("/admin/auditlog/logentry/", {"what": "signed_in", "q": "Firefox"}).content.decode()
    assert "signed in" in page and "browser: Firefox" in page
    assert "my-…" not in signed_in("admin").get("/admin/auditlog/logentry/").content.decode()


def test_a_lock_is_told_once_however_long_somebody_tries(story: Tenant) -> None:
    for _ in range(9):
        post_sign_in("wangfang", "wrong")
    assert [entry.additional_data["event"] for entry in events(Event.SIGN_IN_FAILED, Event.LOCKED_OUT)] == [
        *["sign_in_failed"] * 4, "locked_out",
    ]  # fmt: skip
    user = User.objects.get(username="wangfang")
    signed_in("admin").post("/admin/accounts/user/", {"action": "unlock", "_selected_action": [user.pk]})
    (entry,) = events(Event.UNLOCKED)
    assert entry.actor.username == "admin" and entry.object_pk == str(user.pk)


def test_a_change_over_rest_is_the_tokens_owners(story: Tenant) -> None:
    program = program_of("admin", "customers:write", "customers:read")
    made = program.post("/customers", {"name": "Zhang"}, x_forwarded_port="99999999999999", x_correlation_id="c" * 400)
    assert made.status_code == 201, made.content
    entry = LogEntry.objects.get(object_pk=str(made.json()["id"]), content_type__model="customer")
    assert (entry.actor.username, entry.remote_addr, entry.remote_port) == ("admin", "127.0.0.1", None)
    assert entry.cid == made["X-Request-ID"]


def test_a_token_from_a_new_address_is_told_once_for_each(story: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_of("admin", "calls:read")
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.1"):
        program._client.defaults["REMOTE_ADDR"] = address
        assert program.get("/calls").status_code == 200
        monkeypatch.setattr(tokens, "_seen", set())  # another process
    assert [entry.remote_addr for entry in events(Event.TOKEN_MOVED)] == ["192.0.2.1", "192.0.2.2"]


def test_a_merge_and_an_import_are_told_as_a_whole(story: Tenant) -> None:
    kept, other = (services.create_customer(story.pk, {"name": name}) for name in ("Zhang", "Zhang San"))
    page = signed_in("admin")
    reply = page.post(f"/api/v1/customers/{kept.pk}/merge", {"other": other.pk}, content_type="application/json")
    assert reply.status_code == 200
    (entry,) = events(Event.CUSTOMERS_MERGED)
    assert (entry.actor.username, entry.object_pk, entry.changes) == (
        "admin",
        str(kept.pk),
        {"other": [f"#{other.pk}"]},
    )
    job = upload.receive(
        story.pk, User.objects.get(username="admin"), "a.csv", io.BytesIO(b"name,phone\nA,13955501100\n"), 26
    )
    running.enqueue(job)
    running.run(job.pk)
    begun, ended = events(Event.IMPORT_STARTED, Event.IMPORT_ENDED)
    assert begun.changes == {"file": ["a.csv"], "rows": ["1"]} and ended.actor.username == "admin"
    assert ended.changes == {"status": ["done"], "created": ["1"], "updated": ["0"], "refused": ["0"]}


SEEN_BY_NOBODY = {
    "apps/agents/services.py SipAccount.update": "follows the agent's device, which is in the log",
    "apps/api/tokens.py ApiToken.update": "its last use",
    "apps/customers/imports/writing.py Customer.bulk_create": "the import is in the log as a whole",
    "apps/customers/imports/writing.py Customer.bulk_update": "the import is in the log as a whole",
    "apps/customers/services.py Customer.update": "part of a merge, which is in the log as a whole",
    "apps/customers/services.py Note.update": "part of a merge",
    "apps/customers/services.py Tag.bulk_create": "made with the customer that has it",
    "apps/operations/management/commands/reseal.py Endpoint.update": "the same secret under another key",
    "apps/telephony/prompts/rendering.py Prompt.update": "what was rendered, not what was decided",
    "apps/webhooks/delivering.py Endpoint.update": "it works again: in the delivery log",
}


def test_no_change_of_many_rows_goes_past_the_log_unless_it_was_decided() -> None:
    """``X.objects….update(…)`` and its like, of any audited model, anywhere in our sources."""
    names = {model.__name__ for model in audited_models()}
    root = Path(__file__).resolve().parents[3]
    found = set()
    for path in sorted((root / "apps").rglob("*.py")):
        if {"migrations", "node_modules", "demo"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            first: Any = node.func
            while isinstance(first, ast.Attribute | ast.Call):
                first = first.value if isinstance(first, ast.Attribute) else first.func
            if node.func.attr in ("update", "bulk_create", "bulk_update") and getattr(first, "id", "") in names:
                found.add(f"{path.relative_to(root)} {first.id}.{node.func.attr}")
    assert found == SEEN_BY_NOBODY.keys()
