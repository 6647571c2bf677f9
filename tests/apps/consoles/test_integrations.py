"""The integrators' page and the reference: who may open them, and what they are made of."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from tests.apps.conftest import signed_in


def test_integrators_and_administrators_open_it(story: Tenant) -> None:
    User.objects.create(username="crm", tenant=story, role=Role.INTEGRATOR)
    for username in ("admin", "crm"):
        page = signed_in(username).get("/integrations/")
        assert page.status_code == 200 and b'id="integrations"' in page.content
        assert "calls:read" in page.content.decode()


@pytest.mark.parametrize("username", ["wangfang", "huang"])
def test_agents_and_supervisors_do_not(story: Tenant, username: str) -> None:
    assert signed_in(username).get("/integrations/").status_code == 403


def test_it_speaks_chinese(story: Tenant) -> None:
    page = signed_in("admin", "zh-hans").get("/integrations/").content.decode()
    assert "集成" in page and "\\u8bfb\\u53d6\\u547c\\u53eb" in page  # 读取呼叫, as JSON writes it


def test_the_reference_comes_from_our_own_files(story: Tenant) -> None:
    assert Client().get("/api/v1/docs/").status_code == 302
    page = signed_in("admin").get("/api/v1/docs/").content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any("swagger-ui-bundle.js" in source for source in sources)
    assert all(source.startswith(("/", "#")) and not source.startswith("//") for source in sources)
    assert "<script>" not in page and "style=" not in page
