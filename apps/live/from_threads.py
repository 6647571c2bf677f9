"""The hub for code that runs in a thread, such as a REST view: the engine's state, a request to it, the open pages.

The hub's data belongs to its event loop, so everything here runs there and only the answer crosses. A process without
a running hub (no ASGI lifespan) has no engine (``EngineUnreachable``) and no page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from apps.core.events import Request
from apps.core.state import State
from apps.live import hub as hubs
from apps.live.engine_client import SEND_TIMEOUT_S, EngineUnreachable
from apps.live.hub import Hub
from apps.reports.alarms.watch import Alarm, Shelf

Answer = TypeVar("Answer")

READ_TIMEOUT_S = 2.0
LOOK_AGAIN_S = 0.03


def read(look: Callable[[State], Answer]) -> tuple[Answer, float]:
    """What ``look`` makes of the state, and how many seconds old that is. Raises ``EngineUnreachable``."""

    async def on_loop(hub: Hub) -> tuple[Answer, float]:
        if hub.client.state is None:
            raise EngineUnreachable("the engine has not been reached yet")
        return look(hub.client.state), hub.client.age_s

    return _run(on_loop, READ_TIMEOUT_S)


def send(request: Request) -> None:
    """Hand a request to the engine; its outcome comes later. Raises ``EngineUnreachable``, ``EngineRefused``."""

    async def on_loop(hub: Hub) -> None:
        await hub.client.send([request])

    _run(on_loop, SEND_TIMEOUT_S + 1.0)


def outcome(cmd_id: str, wait_s: float) -> str | None:
    """The outcome as the state holds it: empty when done, else the refusal's code; None: not within ``wait_s``.

    Raises ``EngineUnreachable``.
    """

    async def on_loop(hub: Hub) -> str | None:
        deadline_s = asyncio.get_running_loop().time() + wait_s
        while True:
            state = hub.client.state
            if state is not None and cmd_id in state.requests:
                return state.requests[cmd_id]
            if asyncio.get_running_loop().time() >= deadline_s:
                return None
            await asyncio.sleep(LOOK_AGAIN_S)

    return _run(on_loop, wait_s + READ_TIMEOUT_S)


def open_pages() -> int:
    """How many pages of this process follow something."""
    hub = hubs.running()
    return hub.pages.count() if hub is not None else 0


def expel_user(user_id: str) -> None:
    """Close the open pages of a user who signed off."""
    _soon(lambda hub: hub.expel_user(user_id))


def alarm_acknowledged(tenant: int, alarm: Alarm) -> None:
    """Show at once who takes an alarm on; other web processes see it in the rows."""
    _soon(lambda hub: hub.alarms.acknowledged(tenant, alarm))


def alarm_shelved(tenant: int, alarm_id: str, shelf: Shelf | None) -> None:
    """As ``alarm_acknowledged``: put aside, or taken back."""
    _soon(lambda hub: hub.alarms.shelved(tenant, alarm_id, shelf))


def _soon(on_loop: Callable[[Hub], None]) -> None:
    """Where no hub runs there is no page, and nothing to do."""
    hub = hubs.running()
    if hub is not None:
        hub.loop.call_soon_threadsafe(on_loop, hub)


def _run(on_loop: Callable[[Hub], Coroutine[Any, Any, Answer]], timeout_s: float) -> Answer:
    hub = hubs.running()
    if hub is None:
        raise EngineUnreachable("this process is not connected to an engine")
    future = asyncio.run_coroutine_threadsafe(on_loop(hub), hub.loop)
    try:
        return future.result(timeout_s)
    except TimeoutError as error:
        future.cancel()
        raise EngineUnreachable("no answer in time") from error
