"""Tokens in the admin: made with what their owner may do, shown once, revoked for ever."""

from __future__ import annotations

import re

import pytest

from apps.accounts.models import Role, Tenant, User
from apps.api.models import ApiToken
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db
TOKENS = "/admin/api/apitoken/"


def form(story: Tenant, **fields: object) -> dict[str, object]:
    return {"tenant": story.pk, "name": "CRM", "scopes": ["calls:read"], "rate_per_min": 60, "networks": "", **fields}


def test_one_is_made_works_and_is_revoked_by_a_button(story: Tenant) -> None:
    client = signed_in("admin")
    made = client.post(f"{TOKENS}add/", form(story))
    token = ApiToken.objects.get()
    secret = re.search(r'data-testid="secret">([^<]+)<', made.content.decode())[1]  # type: ignore[index]
    assert token.user.username == "admin" and "no-store" in made["Cache-Control"]
    program = Program(secret)
    assert program.get("/calls").status_code == 200
    problem(program.get("/agents"), 403, "insufficient_scope")
    page = client.get(f"{TOKENS}{token.pk}/change/").content.decode()
    assert secret not in page and token.secret_hash not in page and "press/revoke/" in page
    assert client.post(f"{TOKENS}{token.pk}/press/revoke/").status_code == 302
    problem(program.get("/calls"), 401, "token_revoked")
    assert client.post(f"{TOKENS}{token.pk}/press/revoke/").status_code == 404, "once is for ever"
    assert client.get(f"{TOKENS}{token.pk}/delete/").status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scopes", "everything"), ("networks", "10.0.0.0/8, home"), ("rate_per_min", 0), ("rate_per_min", 60_000),
        ("name", ""), ("networks", ",".join(f"10.0.0.{n}" for n in range(33))),
    ],
)  # fmt: skip
def test_one_that_cannot_be_is_refused_beside_its_field(story: Tenant, field: str, value: object) -> None:
    reply = signed_in("admin").post(f"{TOKENS}add/", form(story, **{field: value}))
    assert list(reply.context["adminform"].form.errors) == [field] and not ApiToken.objects.exists()


def test_nobody_gives_a_token_more_than_its_owner_may(story: Tenant) -> None:
    User.objects.create(username="robot", tenant=story, role=Role.AGENT)
    program_of("robot", "customers:read")
    token = ApiToken.objects.get()
    data = form(story, scopes=["webhooks:manage"])
    reply = signed_in("admin").post(f"{TOKENS}{token.pk}/change/", data)
    assert list(reply.context["adminform"].form.errors) == ["scopes"]


def test_tokens_are_found_by_state(story: Tenant) -> None:
    for number, state in enumerate(("good", "expired", "revoked")):
        program_of("admin", "calls:read")
        token = ApiToken.objects.order_by("pk").last()
        assert token is not None
        changes = {"expired": {"expires_at": "2020-01-01T00:00Z"}, "revoked": {"revoked_at": "2020-01-01T00:00Z"}}
        ApiToken.objects.filter(pk=token.pk).update(name=state, **changes.get(state, {}))
        assert number == ApiToken.objects.count() - 1
    for state in ("good", "expired", "revoked"):
        found = signed_in("admin").get(TOKENS, {"state": state}).context["cl"].queryset
        assert [token.name for token in found] == [state]
