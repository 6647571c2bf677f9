"""Every address of the web process, asked by everybody: an address without a line here fails.

A line says what each of ``WHO`` gets: a stranger, an agent, a supervisor, an integrator and an administrator of the
tenant whose rows are asked for, and the administrator of another. The admin has a walk of its own
(``accounts/test_admin_scope.py``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from apps.accounts.models import Role, Tenant, User
from apps.api import tokens
from tests.apps.accounts.rows import row_of
from tests.apps.conftest import signed_in
from tests.apps.who_gets_in import EXPECTED

WHO = ("-", "wangfang", "huang", "robot", "admin", "otheradmin")
# Which row an address is about, by the first part of its name.
ROWS = {
    "agent": "agents.Agent", "call": "calls.Call", "callback": "calls.Callback", "importjob": "customers.ImportJob",
    "customers-import-job": "customers.ImportJob", "customer": "customers.Customer", "did": "telephony.Did",
    "disposition": "agents.Disposition", "pausereason": "agents.PauseReason", "queue": "queues.Queue",
    "recording": "recordings.Recording", "apitoken": "api.ApiToken",
    "endpoint": "webhooks.Endpoint", "delivery": "webhooks.Delivery", "api-command": "api.Command",
}  # fmt: skip

FIXED = {"token": "no-such-token", "name": "zh-1-1.wav"}
SHELLS = {"customer", "customers-import-job"}
"""Pages without a row in them: their scripts ask the REST interface, which does not find it."""


def addresses() -> Iterator[tuple[str, list[str], list[str]]]:
    """``(name, its arguments, methods)`` of all but the admin's."""

    def walk(resolver: Any, before: list[str]) -> Iterator[Any]:
        for pattern in resolver.url_patterns:
            arguments = [*before, *pattern.pattern.regex.groupindex]
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, arguments) if pattern.namespace != "admin" else ()
            elif pattern.name:
                yield pattern, arguments

    for pattern, arguments in walk(get_resolver(), []):
        actions = getattr(pattern.callback, "actions", None) or {"get": ""}
        yield pattern.name, arguments, sorted(method.upper() for method in actions if method != "head")


def arguments_of(name: str, names: list[str], tenant: Tenant) -> dict[str, Any]:
    label = ROWS.get(name) or ROWS.get(name.partition("-")[0])
    row = row_of(apps.get_model(label), tenant) if label and names else None
    values: dict[str, Any] = {}
    for argument in names:
        if argument in FIXED:
            values[argument] = FIXED[argument]
        elif argument == "webhook":
            values[argument] = row_of(apps.get_model("webhooks.Endpoint"), tenant).pk
        elif argument == "note":
            values[argument] = row_of(apps.get_model("customers.Note"), tenant).pk
        else:
            values[argument] = row.pk if row is not None else 1
    return values


@pytest.fixture
def everybody(story: Tenant, other_tenant: Tenant, redis_url: str) -> dict[str, Client]:
    User.objects.create(username="robot", tenant=story, role=Role.INTEGRATOR)
    return {who: Client() if who == "-" else signed_in(who) for who in WHO}


def answer(client: Client, method: str, path: str) -> str:
    """The status; what it changed is taken back."""
    cache.clear()
    with transaction.atomic():
        data = {} if method == "GET" else {"data": "{}", "content_type": "application/json"}
        reply = getattr(client, method.lower())(path, **data)
        transaction.set_rollback(True)
    signing_in = reply.status_code == 302 and "/login/" in reply["Location"]
    return "login" if signing_in else str(reply.status_code)


def test_every_address_lets_in_whom_it_should(story: Tenant, everybody: dict[str, Client]) -> None:
    wrong = []
    for name, names, methods in addresses():
        path = reverse(name, kwargs=arguments_of(name, names, story))
        for method in methods:
            got = " ".join(answer(everybody[who], method, path) for who in WHO)
            if EXPECTED.get(f"{name} {method}") != got:
                wrong.append(f'    "{name} {method}": "{got}",')
    assert wrong == [], "\n" + "\n".join(wrong)


def test_no_line_is_about_an_address_that_is_gone() -> None:
    known = {f"{name} {method}" for name, _names, methods in addresses() for method in methods}
    assert EXPECTED.keys() <= known, EXPECTED.keys() - known
    assert not [line for line in EXPECTED.items() if " 500" in line[1]], "a mistake is nobody's expectation"


def test_another_tenants_rows_are_not_found_by_anybody_of_this_one(story: Tenant, everybody: dict[str, Client]) -> None:
    """The table's last column, said as a law: nothing of another tenant is answered with success.

    400 is one, too: refused before it was looked for.
    """
    for name, names, methods in addresses():
        if not FIXED.keys().isdisjoint(names) or not names or name in SHELLS:
            continue
        path = reverse(name, kwargs=arguments_of(name, names, story))
        for method in methods:
            assert answer(everybody["otheradmin"], method, path) >= "300", (name, method)


def test_an_unknown_command_is_nobodys(story: Tenant, everybody: dict[str, Client]) -> None:
    assert answer(everybody["admin"], "GET", reverse("api-command", kwargs={"pk": uuid.uuid4()})) == "404"


# --- over the whole interface: tokens, pages' security token, sessions ----------------------------------------------


OPEN_TO_EVERY_TOKEN = {"api-me", "api-command", "api-schema", "api-docs"}


def operations(tenant: Tenant) -> Iterator[tuple[str, str, str]]:
    """``(name, method, path)`` of every operation of the REST interface."""
    for name, names, methods in addresses():
        path = reverse(name, kwargs=arguments_of(name, names, tenant))
        if path.startswith("/api/v1/"):
            yield from ((name, method, path) for method in methods)


def sent(client: Client, method: str, path: str, **headers: str) -> Any:
    cache.clear()
    data = {} if method == "GET" else {"data": "{}", "content_type": "application/json"}
    return getattr(client, method.lower())(path, headers=headers, **data)


def test_a_token_without_a_scope_reaches_no_operation(story: Tenant, redis_url: str) -> None:
    """Whatever its owner may do, and whether the row is there or not. Each operation names the scope it wants."""
    admin = User.objects.get(username="admin")
    _token, secret = tokens.issue(story, admin, name="nothing", scopes=[], rate_per_min=1_000_000)
    asked = 0
    for name, method, path in operations(story):
        if name in OPEN_TO_EVERY_TOKEN:
            continue
        reply = sent(Client(), method, path, authorization=f"Bearer {secret}")
        assert reply.status_code == 403, (name, method, reply.content)
        problem = reply.json()
        assert problem["code"] in ("insufficient_scope", "pages_only"), (name, method, problem)
        if problem["code"] == "insufficient_scope":
            assert f'scope="{problem["scope"]}"' in reply["WWW-Authenticate"], (name, method)
        asked += 1
    assert asked > 50, "the interface was walked"


def test_a_page_without_its_security_token_changes_nothing_anywhere(story: Tenant, redis_url: str) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(User.objects.get(username="admin"))
    for name, method, path in operations(story):
        if method != "GET":
            reply = sent(page, method, path)
            assert (reply.status_code, reply.json()["code"]) == (403, "csrf_failed"), (name, method)


def test_an_ended_session_reaches_nothing(story: Tenant, redis_url: str) -> None:
    page = signed_in("admin")
    assert sent(page, "GET", "/api/v1/me").status_code == 200
    UserSession.objects.update(created_at=timezone.now() - timedelta(days=40))
    for name, method, path in operations(story):
        if name not in ("api-schema", "api-docs"):
            reply = sent(page, method, path)
            assert (reply.status_code, reply.json()["code"]) == (401, "not_authenticated"), (name, method)
    assert answer(page, "GET", "/customers/") == "login"
