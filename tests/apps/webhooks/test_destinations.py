"""Where messages may go."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.accounts.models import Tenant
from apps.webhooks import delivering
from apps.webhooks.destinations import may_reach, validate_url
from apps.webhooks.models import Endpoint
from tests.apps.webhooks.test_delivering import record

INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:db8::1",
)  # fmt: skip


@pytest.fixture
def _no_networks(settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = ()


@pytest.mark.parametrize("text", INSIDE)
def test_addresses_inside(_no_networks: None, text: str) -> None:
    assert not may_reach(ipaddress.ip_address(text), "https")


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_addresses_outside(_no_networks: None, text: str) -> None:
    assert may_reach(ipaddress.ip_address(text), "https") or "ffff" in text
    assert not may_reach(ipaddress.ip_address(text), "http")


def test_a_listed_network(settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = (ipaddress.ip_network("10.20.0.0/16"),)
    assert may_reach(ipaddress.ip_address("10.20.1.1"), "http")
    assert may_reach(ipaddress.ip_address("::ffff:10.20.1.1"), "https")
    assert not may_reach(ipaddress.ip_address("10.21.1.1"), "https")


@pytest.mark.parametrize(
    "url",
    [
        "", "crm", "ftp://x.example/", "https://", "https:///x", "javascript:alert(1)", "file:///etc/passwd",
        "https://user:pw@crm.example.com/", "https://crm.example.com/#x", "https://crm.example.com:99999/",
        "https://crm.example.com/a b", "https://crm.example.com/\r\nX: y", "https://[::1", "https://[::1]/",
        "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
        "http://crm.example.com/", "https://169.254.169.254/latest/meta-data/", "https://" + "a" * 300 + ".com/",
    ],
)  # fmt: skip
def test_urls_that_are_refused(_no_networks: None, url: str) -> None:
    with pytest.raises(ValidationError):
        validate_url(url)


@pytest.mark.parametrize(
    "url", ["https://crm.example.com/hooks?a=b", "https://例え.jp/", "https://93.184.215.14:8443/x"]
)
def test_urls_that_are_taken(_no_networks: None, url: str) -> None:
    validate_url(url)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", [["127.0.0.1"], ["93.184.215.14", "10.0.0.5"]])
def test_a_name_that_leads_inside_is_found_out_when_it_is_used(
    _no_networks: None, story: Tenant, where: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was innocent when it was entered."""
    Endpoint.objects.create(tenant=story, url="https://rebound.example/", events=["call.ended"])

    def lookup(host: str, port: int, *_args: Any, **_kwargs: Any) -> list[Any]:
        assert host == "rebound.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)) for text in where]

    record(story)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    outcome = delivering.send(delivering.claim(delivering.timezone.now()))  # type: ignore[arg-type]
    assert outcome.status is None and "not a public address" in outcome.error and outcome.latency_ms < 2000
