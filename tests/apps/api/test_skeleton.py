"""What holds for every address of the interface: errors, tokens, sessions, limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Tenant, User
from apps.api import throttling
from apps.api.models import ApiToken
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.conftest import signed_in


def test_a_token_says_who_it_is(program: Program) -> None:
    me = program.get("/me").json()
    assert me["username"] == "admin" and me["tenant"]["code"] == "cloudbridge"
    assert me["token"] == program.secret[:13]
    token = ApiToken.objects.get()
    assert token.last_used_at is not None
    secret = program.secret.removeprefix(f"{token.prefix}_")
    assert len(secret) == 43 and secret not in str(ApiToken.objects.values().get()), "a row does not tell its token"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"revoked_at": timezone.now()}, "token_revoked"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "token_expired"),
        ({"secret_hash": "0" * 64}, "invalid_token"),
    ],
)
def test_a_token_that_is_no_longer_good(program: Program, change: dict[str, Any], code: str) -> None:
    ApiToken.objects.update(**change)
    response = program.get("/me")
    problem(response, 401, code)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_token_dies_with_its_person(program: Program) -> None:
    User.objects.filter(username="admin").update(is_active=False)
    problem(program.get("/me"), 401, "invalid_token")


def test_a_token_is_bound_to_addresses(story: Tenant) -> None:
    assert program_of("admin", networks=["127.0.0.0/8"]).get("/me").status_code == 200
    problem(program_of("admin", networks=["203.0.113.0/24"]).get("/me"), 403, "address_not_allowed")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic YTpi", "Bearer tl_aaaaaaaaaa_" + "x" * 43, "Bearer \x7f"]
)
def test_hostile_authorization(program: Program, header: str) -> None:
    problem(program.get("/me", authorization=header), 401, "invalid_token")


def test_nobody_is_asked_to_sign_in_with_a_page(story: Tenant) -> None:
    response = Client().get("/api/v1/me")
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="trunkline"'


def test_a_session_needs_the_csrf_token_to_change_anything(story: Tenant) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(User.objects.get(username="admin"))
    assert page.get("/api/v1/me").status_code == 200
    problem(page.post("/api/v1/tokens", {}, content_type="application/json"), 403, "csrf_failed")


def test_a_token_cannot_make_tokens(program: Program) -> None:
    problem(program.post("/tokens", {"name": "x", "scopes": ["calls:read"]}), 403, "pages_only")


def test_a_person_makes_and_revokes_a_token(admin_page: Client) -> None:
    data = {"name": "CRM", "scopes": ["calls:read"], "networks": ["10.0.0.0/8", "::1"]}
    made = admin_page.post("/api/v1/tokens", data, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["token"] not in admin_page.get("/api/v1/tokens").content.decode()
    problem(Program(made.json()["token"]).get("/me"), 403, "address_not_allowed")
    assert admin_page.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
    problem(Program(made.json()["token"]).get("/me"), 401, "token_revoked")


@pytest.mark.parametrize(
    "data",
    [
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["all"]},
        {"name": "x" * 65_536, "scopes": ["calls:read"]},
        {"name": "x", "scopes": ["calls:read"], "networks": ["10.0.0.0/99"]},
        {"name": "x", "scopes": ["calls:read"], "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "x", "scopes": ["calls:read"], "rate_per_min": "many"},
        {"name": {"x": 1}, "scopes": "calls:read"},
    ],
)
def test_a_token_that_cannot_be(admin_page: Client, data: dict[str, Any]) -> None:
    found = problem(admin_page.post("/api/v1/tokens", data, content_type="application/json"), 400, "invalid")
    assert found["errors"][0]["pointer"].startswith("/")


def test_tokens_of_another_tenant_and_of_lesser_roles(admin_page: Client, other_tenant: Tenant) -> None:
    program_of("otheradmin")
    token = ApiToken.objects.get()
    assert admin_page.get("/api/v1/tokens").json()["results"] == []
    problem(admin_page.delete(f"/api/v1/tokens/{token.pk}"), 404, "not_found")
    problem(signed_in("wangfang").get("/api/v1/tokens"), 403, "permission_denied")


@pytest.mark.parametrize(
    "path", ["/nothing", "/nothing/at/all/", "/me/", "/../v2", "/tokens/%00", "/tokens/" + "9" * 60]
)
def test_unknown_addresses(admin_page: Client, path: str) -> None:
    response = admin_page.get("/api/v1" + path)
    assert problem(response, response.status_code, response.json()["code"])["status"] in (400, 404)


def test_wrong_methods_types_and_bodies(admin_page: Client) -> None:
    def send(body: bytes, content_type: str = "application/json") -> Any:
        return admin_page.generic("POST", "/api/v1/tokens", body, content_type)

    response = admin_page.put("/api/v1/me", b"{}", content_type="application/json")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response["Allow"]
    problem(send(b"a=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
    problem(send(b"<x/>", "text/xml"), 415, "unsupported_media_type")
    problem(admin_page.get("/api/v1/me", headers={"accept": "application/xml"}), 406, "not_acceptable")
    for body in (b"{", b"\xff\xfe{}", b'{"a": NaN}', b'{"a":1,"a":2}', "{'a'}".encode("gb18030"), b"1" * 5000):
        problem(send(body), 400, "malformed")
    problem(send(b"[" * 200_000), 400, "too_deep")
    problem(send(b"[" * 40 + b"]" * 40), 400, "too_deep")
    problem(send(b'{"name": "' + b"x" * 1_100_000 + b'"}'), 413, "too_large")
    for text in (b'"\\u0000"', b'"\\ud800"', b'"\\udfff x"'):
        found = problem(send(b'{"name": ' + text + b"}"), 400, "invalid")
        assert found["errors"][0]["pointer"] == "/name"
    problem(admin_page.get("/api/v1/me?a=%00"), 400, "malformed")


def test_errors_speak_the_language_of_the_asker(program: Program) -> None:
    chinese = program.get("/nothing", accept_language="zh-hans").json()
    english = program.get("/nothing", accept_language="en").json()
    assert chinese["code"] == english["code"] and chinese["title"] != english["title"] == "Not found"


def test_a_fault_of_ours_is_a_problem_with_an_id(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("apps.api.resources.me.scopes_of", broken)
    response = program.get("/me", x_request_id="my-id.1")
    assert problem(response, 500, "internal_error")["request_id"] == "my-id.1"
    assert "secret" not in response.content.decode()


def test_a_wrong_host_name_is_a_problem_too(story: Tenant) -> None:
    problem(Client().get("/api/v1/me", headers={"host": "evil.example"}), 400, "malformed")


def test_too_many_requests(story: Tenant, redis_url: str) -> None:
    program = program_of("admin", rate_per_min=2)
    answers = [program.get("/me") for _ in range(5)]  # the minute may turn in between: five, not three
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and answers[0]["RateLimit-Limit"] == "2"
    problem(refused[0], 429, "throttled")
    assert 1 <= int(refused[0]["Retry-After"]) <= 60


def test_without_redis_this_process_counts(story: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "_counters", throttling.Counters("redis://127.0.0.1:1/0"))
    program = program_of("admin", rate_per_min=2)
    statuses = [program.get("/me").status_code for _ in range(5)]
    assert 200 in statuses and 429 in statuses and 500 not in statuses


def test_lists_go_on_by_cursor(admin_page: Client) -> None:
    for _ in range(5):
        program_of("admin")
    seen = []
    page = admin_page.get("/api/v1/tokens?limit=2").json()
    while True:
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = admin_page.get(page["next"]).json()
    assert len(seen) == len(set(seen)) == 5
    assert [row["id"] for row in admin_page.get(page["previous"]).json()["results"]] == seen[2:4]


def test_a_cursor_outlives_the_rows_that_it_was_made_of(admin_page: Client) -> None:
    for _ in range(4):
        program_of("admin")
    page = admin_page.get("/api/v1/tokens?limit=2").json()
    ApiToken.objects.filter(pk__in=[row["id"] for row in page["results"]]).delete()
    rest = admin_page.get(page["next"]).json()
    assert {row["id"] for row in rest["results"]} == set(ApiToken.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=" + "9" * 99])
def test_a_limit_that_is_none(admin_page: Client, query: str) -> None:
    problem(admin_page.get(f"/api/v1/tokens?{query}"), 400, "invalid")


@pytest.mark.parametrize("cursor", ["", "x", "cD0x", "WzAsMCwiMSJd:x:y", "x" * 3000, "%F0%9F%98%80"])
def test_a_cursor_that_is_none(admin_page: Client, cursor: str) -> None:
    problem(admin_page.get(f"/api/v1/tokens?cursor={cursor}"), 400, "bad_cursor")


def test_the_document_is_there(story: Tenant) -> None:
    response = Client().get("/api/v1/schema/", headers={"accept": "application/json"})
    assert response.status_code == 200 and b'"openapi"' in response.content
