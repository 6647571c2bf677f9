"""Programs with tokens, and people with sessions, against the whole web application in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from apps.api import tokens
from apps.api.scopes import Scope
from apps.demo.story import load_story
from tests.apps.api.engine import Centre, centre

PROBLEM = "application/problem+json"
V1 = "/api/v1"


class Program:
    """An integrator's program: sends JSON and its token."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._client = Client(raise_request_exception=False)

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("authorization", f"Bearer {self.secret}")
        content_type = named.pop("content-type", "application/json")
        return self._client.generic(method, V1 + path, body, content_type, headers=named)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, {} if data is None else data, **headers)


@pytest.fixture
def story(db: None, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Without its customers: they take seconds, and nothing here asks for them."""
    monkeypatch.setattr("apps.demo.story.load_customers", lambda *_args: None)
    load_story()
    tenant = Tenant.objects.get(code="cloudbridge")
    User.objects.create(username="integrator", tenant=tenant, role=Role.INTEGRATOR)
    return tenant


@pytest.fixture
def program(story: Tenant) -> Program:
    """With every scope, made by the story's administrator."""
    return program_of("admin")


def program_of(username: str, *scopes: str, **fields: Any) -> Program:
    user = User.objects.get(username=username)
    assert user.tenant is not None
    wanted = list(scopes) or [str(scope) for scope in Scope]
    return Program(tokens.issue(user.tenant, user, name="test", scopes=wanted, **fields)[1])


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer, checked for what every problem must have."""
    assert (response.status_code, response["Content-Type"]) == (status, PROBLEM), response.content[:500]
    data: dict[str, Any] = response.json()
    assert data["status"] == status and data["code"] == code, data
    assert data["title"] and data["detail"] and data["request_id"] == response["X-Request-ID"]
    return data


@pytest.fixture
def engine(story: Tenant, settings: Any, tmp_path: Path) -> Iterator[Centre]:
    """The story's company on a real engine, which this process follows."""
    with centre(tmp_path / "journal", settings) as running:
        yield running
