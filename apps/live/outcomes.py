"""Requests that pages made, until the engine's word on each has reached its page."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from apps.core.events import AgentRequest
from apps.core.state import State
from apps.live.engine_client import EngineClient, EngineRefused, EngineUnreachable
from apps.live.open_pages import Page, text

WAIT_S = 30.0


class _Asked(NamedTuple):
    cmd_id: str  # the page's own
    page: Page
    at_s: float


class Outcomes:
    """By the engine's ``cmd_id``. Call everything on the event loop."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._asked: dict[str, _Asked] = {}

    async def ask(self, page: Page, cmd_id: str, request: AgentRequest) -> None:
        """Pass a request on; its outcome reaches ``page`` as a message with the page's own ``cmd_id``."""
        self._asked[request.cmd_id] = _Asked(cmd_id, page, asyncio.get_running_loop().time())
        try:
            await self._client.send([request])
        except EngineUnreachable as error:
            self.take(request.cmd_id, "engine_unreachable", str(error))
        except EngineRefused as error:
            self.take(request.cmd_id, "rejected", str(error))

    def take(self, engine_cmd_id: str, code: str, reason: str) -> None:
        """``code`` is empty when it was done."""
        asked = self._asked.pop(engine_cmd_id, None)
        if asked is not None:
            told = {"type": "outcome", "cmd_id": asked.cmd_id, "ok": not code, "code": code, "reason": reason}
            asked.page.deliver(text(told))

    def take_from(self, state: State | None) -> None:
        """After a new snapshot: outcomes whose facts we did not see are in the state."""
        known = state.requests if state is not None else {}
        for engine_cmd_id in [key for key in self._asked if key in known]:
            self.take(engine_cmd_id, known[engine_cmd_id], "")

    def forget_old(self, now_s: float) -> None:
        self._asked = {key: asked for key, asked in self._asked.items() if now_s - asked.at_s <= WAIT_S}
