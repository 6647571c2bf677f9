"""Open pages, as their browsers hold them, and the people who open them."""

from __future__ import annotations

from typing import Any

import orjson
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from apps.agents.models import Agent
from apps.config.asgi import application
from tests.apps.live.centre import agents_of

PATIENCE_S = 30
"""On a busy machine; a test that passes does not wait for it."""


def populate() -> None:
    """Rows with the ids of ``centre.py``: an agent and a supervisor for each tenant."""
    for tenant in ("1", "2"):
        Tenant.objects.create(pk=int(tenant), code=f"t{tenant}", name=f"Tenant {tenant}")
        User.objects.create(username=f"boss{tenant}", tenant_id=int(tenant), role=Role.SUPERVISOR)
        user = User.objects.create(username=f"agent{tenant}", tenant_id=int(tenant), role=Role.AGENT)
        agent = int(agents_of(tenant)[0])
        Agent.objects.create(pk=agent, tenant_id=int(tenant), user=user, name="A", number="10")
    User.objects.create(username="nobody", tenant_id=1, role=Role.INTEGRATOR)


class Tab(ApplicationCommunicator):
    """An open page."""

    async def connect(self) -> bool:
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(timeout=PATIENCE_S))["type"] == "websocket.accept"

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = orjson.loads((await self.receive_output(timeout=PATIENCE_S))["text"])
        return message

    async def read(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; others are passed over."""
        while True:
            message = await self.receive()
            if message["type"] == kind:
                return message

    async def closing_code(self) -> int:
        while (output := await self.receive_output(timeout=PATIENCE_S))["type"] != "websocket.close":
            continue
        return int(output["code"])

    async def send(self, **data: Any) -> None:
        await self.send_input({"type": "websocket.receive", **data})

    async def say(self, message: Any) -> None:
        await self.send(text=orjson.dumps(message).decode())

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=PATIENCE_S)


async def open_tab(path: str, username: str | None, origin: str = "http://localhost") -> Tab:
    headers = [(b"origin", origin.encode()), (b"host", b"localhost")]
    if username is not None:
        browser = Client()
        user = await User.objects.aget(username=username)
        await sync_to_async(browser.force_login)(user)
        headers.append((b"cookie", f"sessionid={browser.cookies['sessionid'].value}".encode()))
    address, _, query = path.partition("?")
    scope = {
        "type": "websocket",
        "path": address,
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
    }
    return Tab(application, scope)


async def opened(path: str, username: str) -> Tab:
    tab = await open_tab(path, username)
    assert await tab.connect()
    return tab
