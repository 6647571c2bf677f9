"""The websockets of the pages: who may open which, and what they may say.

No channel layer is used: Redis may be away. Whatever a page sends, the answer is a message, never an exception.
Origins are checked in ``apps.config.asgi``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from apps.accounts.models import User
from apps.accounts.sessions import duty, live_users
from apps.core.config import CenterConfig
from apps.core.events import AgentRequest, LateResultGiven
from apps.core.ids import AgentId
from apps.core.texts import LONGEST_KEY
from apps.live import access
from apps.live.floor_commands import PERMISSIONS, parse_floor
from apps.live.hub import Hub, hub
from apps.live.page_commands import Asker, BadMessage, parse
from apps.live.presence import Seat
from apps.live.views_of_state import directory
from apps.queues.selectors import scope_of

log = structlog.get_logger(__name__)


Parse = Callable[[dict[str, Any], Asker, CenterConfig], tuple[str, AgentRequest]]
NO_CONFIG = CenterConfig(version=0)
MAX_MESSAGE = 16_384  # characters
MAX_MESSAGES = 40  # in RATE_WINDOW_S
RATE_WINDOW_S = 2.0
MAX_OUTBOX = 500

CLOSE_NOT_PERMITTED = 4403
CLOSE_SIGNED_OFF = 4401
CLOSE_TOO_MUCH = 4429
CLOSE_TOO_SLOW = 4408
CLOSE_RIGHT_CHANGED = 4409


def _asked(scope: Mapping[str, Any], name: str) -> str:
    """A value of the address's query, or ""."""
    return str(parse_qs(scope.get("query_string", b"").decode("latin-1")).get(name, [""])[0])


class LivePage(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One open page: an outbox, a limit on what comes in, and the messages every page may send."""

    channel_layer_alias = ""  # none: nothing here may wait for Redis
    page_id = ""
    right_changed = False
    asker: Asker

    async def connect(self) -> None:
        self.user_id = ""
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._window: list[float] = []
        if not (await database_sync_to_async(self.admitted)() and await self.permitted()):
            await self.accept()  # a close code reaches the page only after the handshake
            await self.close(CLOSE_NOT_PERMITTED)
            return
        self.user_id = self.whose()
        self.hub: Hub = hub()
        await self.accept()
        self._sender = asyncio.create_task(self._send_outbox())
        self.join()

    def admitted(self) -> bool:
        """Whether the session counts and nothing must be done first; and what it may follow. Reads the database."""
        self.session_key = str(self.scope["session"].session_key or "")
        user = live_users([self.session_key]).get(self.session_key)
        if user is None or duty(user):
            return False
        self.scope["user"] = user
        self.granted = self.right(user)
        return True

    def stands(self, users: Mapping[str, User]) -> bool:
        """The session still counts, and gives the same right as when the page opened."""
        user = users.get(self.session_key)
        if user is None:
            return False
        self.right_changed = self.right(user) != self.granted
        return not self.right_changed

    def right(self, user: User) -> object:
        """What ``user`` may follow here; the page closes when the answer becomes another. Reads the database."""
        raise NotImplementedError

    async def permitted(self) -> bool:
        raise NotImplementedError

    def whose(self) -> str:
        """By whom the page is closed when their session or right ends."""
        return str(self.scope["user"].pk)

    def join(self) -> None:
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        if self._sender is not None:
            self._sender.cancel()
            self.hub.pages.close(self)

    # --- out ---

    def deliver(self, text: str) -> None:
        if self._outbox.qsize() < MAX_OUTBOX:
            self._outbox.put_nowait(text)
        else:
            self._end(CLOSE_TOO_SLOW)  # it comes back and takes a snapshot

    def expel(self) -> None:
        """Whose right became another comes back, and is shown what that one gives."""
        self._end(CLOSE_RIGHT_CHANGED if self.right_changed else CLOSE_SIGNED_OFF)

    def _end(self, code: int) -> None:
        """Close, once: from here on nothing is said and nothing heard."""
        if self._sender is None:
            return
        self._sender.cancel()
        self._sender = None
        self.hub.pages.close(self)
        self._closing = asyncio.create_task(self.close(code))

    async def _send_outbox(self) -> None:
        while True:
            await self.send(await self._outbox.get())

    def reply(self, **message: Any) -> None:
        self.deliver(orjson.dumps(message).decode())

    # --- in ---

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._sender is None:
            return
        if not self._within_rate():
            self._end(CLOSE_TOO_MUCH)
            return
        if text_data is None or len(text_data) > MAX_MESSAGE:
            self.reply(type="error", code="too_large", detail=f"text of at most {MAX_MESSAGE} characters, please")
            return
        try:
            message = orjson.loads(text_data)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            self.reply(type="error", code="malformed", detail="not JSON")
            return
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            self.reply(type="error", code="malformed", detail="expected an object with a type")
            return
        await self.take(message["type"], message)

    def _within_rate(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        self._window = [at_s for at_s in self._window if now_s - at_s < RATE_WINDOW_S]
        self._window.append(now_s)
        return len(self._window) <= MAX_MESSAGES

    async def take(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "resync":
            self.hub.pages.greet(self)
        elif kind == "beat":
            self.beat()
        else:
            self.reply(type="error", code="unknown_type", detail="unknown message type")

    def beat(self) -> None:
        """The page answered a heartbeat."""

    async def command(self, message: dict[str, Any], parse_it: Parse) -> None:
        """Hand the request of a command to the engine if it is permitted; its outcome comes later."""
        state = self.hub.client.state
        try:
            cmd_id, request = parse_it(message, self.asker, state.config if state is not None else NO_CONFIG)
        except BadMessage as error:
            if error.cmd_id is None:
                self.reply(type="error", code="malformed", detail=str(error))
            else:
                self.reply(type="outcome", cmd_id=error.cmd_id, ok=False, code="malformed", reason=str(error))
            return
        try:
            code, reason = await self.why_not(message, request)
        except DatabaseError as error:
            log.warning("request_not_checked", error=str(error).strip())
            code, reason = "rejected", "the database is away, so this cannot be checked; try again"
        if code:
            self.reply(type="outcome", cmd_id=cmd_id, ok=False, code=code, reason=reason)
        else:
            await self.hub.outcomes.ask(self, cmd_id, request)

    async def why_not(self, message: dict[str, Any], request: AgentRequest) -> tuple[str, str]:
        """Code and reason of a refusal; two empty texts when it may be asked. Reads the database."""
        return "", ""


class AgentPage(LivePage):
    """``/ws/agent/``: the signed-in agent's own state, and their commands."""

    def right(self, user: User) -> Seat | None:
        return access.seat_of(user)

    async def permitted(self) -> bool:
        if not isinstance(self.granted, Seat):
            return False
        user = self.scope["user"]
        self.seat = seat = self.granted
        self.asker = Asker(user_id=str(user.pk), user_name=user.get_username(), tenant=seat.tenant, agent=seat.agent)
        # The id by which this page claims the sound; a page that has none may leave it out.
        self.page_id = _asked(self.scope, "page")[:LONGEST_KEY]
        return True

    def join(self) -> None:
        self.hub.open_agent(self.seat, self)

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self._sender is not None and self.page_id:
            self.hub.page_left(self.seat, self.page_id)

    def beat(self) -> None:
        self.hub.presence.beat(self.seat, asyncio.get_running_loop().time())

    async def take(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "command":
            await self.command(message, parse)
        elif kind == "directory":
            state = self.hub.client.state
            targets = directory(state, self.seat.tenant, self.seat.agent) if state is not None else {}
            self.reply(type="directory", **targets)
        else:
            await super().take(kind, message)

    async def why_not(self, message: dict[str, Any], request: AgentRequest) -> tuple[str, str]:
        if not isinstance(request, LateResultGiven):
            return "", ""
        owed = await database_sync_to_async(access.owes_result)(self.seat, request.call)
        return ("", "") if owed else ("not_found", "no result of yours is missing there")


class WallPage(LivePage):
    """``/ws/wall/``: one tenant's floor, or of it the teams one leads. ``?tenant=<id>`` for a superuser."""

    def right(self, user: User) -> access.Floor | None:
        tenant = access.floor_of(user, _asked(self.scope, "tenant"))
        return access.Floor(tenant, scope_of(user)) if tenant is not None else None

    async def permitted(self) -> bool:
        if not isinstance(self.granted, access.Floor):
            return False
        self.tenant, self.scope_of_page = self.granted
        user = self.scope["user"]
        self.asker = Asker(user_id=str(user.pk), user_name=user.get_username(), tenant=self.tenant, agent=AgentId(""))
        return True

    def join(self) -> None:
        self.hub.open_wall(self.tenant, self, self.scope_of_page)

    async def take(self, kind: str, message: dict[str, Any]) -> None:
        if kind == "command":
            await self.command(message, parse_floor)
        else:
            await super().take(kind, message)

    async def why_not(self, message: dict[str, Any], request: AgentRequest) -> tuple[str, str]:
        """Rights are read anew: they may have been taken since the page was opened."""
        code = PERMISSIONS[message["action"]]
        permitted = await database_sync_to_async(access.may)(self.scope["user"], code, request.agent)
        return ("", "") if permitted else ("not_permitted", "you may not do this")
