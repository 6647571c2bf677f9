from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from apps.accounts.models import Tenant
from apps.webhooks import outbox
from apps.webhooks.models import Endpoint, EventType
from tests.apps.api.conftest import program, story  # noqa: F401
from tests.apps.webhooks.receiver import Receiver, receiver


@pytest.fixture(autouse=True)
def _loopback(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers are on this machine, and the worker is run by hand."""
    settings.WEBHOOK_NETWORKS = (ip_network("127.0.0.0/8"),)
    monkeypatch.setattr(outbox, "wake", lambda: None)


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def endpoint(story: Tenant, crm: Receiver) -> Endpoint:  # noqa: F811
    return endpoint_to(crm, story)


def endpoint_to(running: Receiver, tenant: Tenant, *events: EventType) -> Endpoint:
    wanted = [str(event) for event in events or EventType]
    return Endpoint.objects.create(tenant=tenant, url=running.url, events=wanted)
