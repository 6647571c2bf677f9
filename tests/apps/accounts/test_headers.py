"""What browsers are told a page may do."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts.models import Tenant
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/login/", "/wall/", "/calls/", "/account/password/", "/account/second-factor/"])
def test_a_console_runs_no_script_or_style_that_stands_in_its_page(story: Tenant, path: str) -> None:
    reply = (Client() if path == "/login/" else signed_in("huang")).get(path)
    policy = dict(part.strip().split(" ", 1) for part in reply["Content-Security-Policy"].split(";") if part.strip())
    assert policy["script-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["frame-ancestors"] == "'none'"
    page = reply.content.decode()
    inline = [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag and "application/json" not in tag]
    assert not inline and not re.search(r"<style|\sstyle=|\son[a-z]+=", page), (
        "nothing there that the policy would stop"
    )


def test_the_other_headers(story: Tenant) -> None:
    reply = signed_in("huang").get("/wall/")
    assert reply["Permissions-Policy"].startswith("microphone=(self), camera=()")
    assert reply["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply["Referrer-Policy"] == "same-origin"
    assert reply["X-Frame-Options"] == "DENY"
    assert reply["X-Content-Type-Options"] == "nosniff"


def test_the_admin_allows_what_its_theme_needs_and_no_more(story: Tenant) -> None:
    policy = signed_in("admin").get("/admin/")["Content-Security-Policy"]
    directives = {directive.strip() for directive in policy.split(";")}  # in no order that could be relied on
    assert {"script-src 'self' 'unsafe-eval'", "style-src 'self' 'unsafe-inline'"} <= directives
