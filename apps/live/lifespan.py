"""Starts the hub with the web process, before any page: agents whose page does not come back must be missed."""

from __future__ import annotations

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, LifespanScope

from apps.live.hub import hub


async def lifespan(scope: LifespanScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """The ASGI lifespan protocol: one start, one stop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            hub()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await hub().stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
