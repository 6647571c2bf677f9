"""The page of customers over HTTP: who gets it, and what it says they may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User


def page(username: str, path: str = "/customers/", language: str = "en") -> Any:
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(username=username))
    return client.get(path)


@pytest.mark.parametrize("path", ["/customers/", "/customers/7/", "/customers/import/", "/customers/import/7/"])
def test_a_stranger_is_asked_to_sign_in(centre: dict[str, Any], path: str) -> None:
    reply = Client().get(path)
    assert reply.status_code == 302 and reply["Location"].startswith("/login/")
    assert page("supervisor-a", path).status_code == 200
    assert page("agent-a", path).status_code == (403 if "import" in path else 200)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("agent", {"edit": True, "import": False, "export": False, "delete": False}),
        ("supervisor", {"edit": True, "import": True, "export": True, "delete": False}),
        ("admin", {"edit": True, "import": True, "export": True, "delete": True}),
    ],
)
def test_the_page_offers_what_one_may(centre: dict[str, Any], role: str, may: dict[str, bool]) -> None:
    text = page(f"{role}-a").content.decode()
    data = json.loads(re.search(r'<script id="page" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    assert {name: data["may"][name] for name in may} == may
    assert "王芳" not in text, "rows come over REST, with its checks"


@pytest.mark.parametrize(("language", "word"), [("en", "Customers"), ("zh-hans", "客户")])
def test_the_page_speaks_both_languages(centre: dict[str, Any], language: str, word: str) -> None:
    assert f"<title>{word} ·" in page("admin-a", language=language).content.decode()
