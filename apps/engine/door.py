"""The engine's door: requests in, snapshot and facts out, health and metrics. HTTP on loopback unless told otherwise.

``POST /inputs``   one encoded ``Request`` or a list; 202 ``{"cmd_ids": [...]}``; the outcome of each is a fact.
``GET /snapshot``  ``{"epoch", "seq", "now_ms", "state"}``: the state after fact ``seq``.
``WS /facts?after=SEQ&epoch=EPOCH``  text frames: ``{"heartbeat": true, "hello": true, "epoch", "seq", "now_ms"}``, then
arrays of facts ``{"seq", "type", "at_ms", ...}`` in order without a hole, and a heartbeat each second, whose
``seq`` is the last fact sent. ``{"resync": true}`` and close code 4000: take a snapshot and come again.
``GET /health``, ``GET /metrics``  without a token: numbers only.
``POST /step-down``  let the standby lead; 409 when there is none that has every fact.

Where this engine stands by, another door has all that: 503 with ``{"standby": true}``. One that is not sure whether it
still leads takes nothing and begins to tell nobody: what it knows may be over. A standby (``standby=NUMBER``) it tells.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiohttp import WSMsgType, web

from apps.core import codec, events
from apps.core.codec import CodecError
from apps.core.events import Request
from apps.core.state import State
from apps.engine.feed import Behind, Feed
from apps.engine.inbox import Inbox, InboxFull
from apps.engine.metrics import Metrics
from apps.engine.replication import Asked, Standbys
from apps.engine.snapshot import SnapshotWriter

log = structlog.get_logger(__name__)

LARGEST_BODY = 256 * 1024
MOST_REQUESTS = 500
LONGEST_CMD_ID = 64
HEARTBEAT_S = 1.0
SLOW_READER_S = 5.0
SNAPSHOT_REUSE_S = 0.5
CLOSE_RESYNC = 4000
CLOSE_SLOW = 4008
CLOSE_GOING = 1001
OPEN_TO_ALL = ("/health", "/metrics")
ABSTRACT = (events.Request, events.AgentRequest, events.CallRequest)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadInput(ValueError):
    """Not a request of ours. ``path`` says where."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path, self.reason = path, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What the door shows; callables run in the loop and return at once."""

    inbox: Inbox
    feed: Feed
    metrics: Metrics
    now_ms: Callable[[], int]
    state: Callable[[], State]
    refresh_metrics: Callable[[], None]
    health: Callable[[], tuple[bool, dict[str, Any]]]
    standbys: Standbys | None = None
    may_act: Callable[[], bool] = lambda: True
    step_down: Callable[[], object] = lambda: None


class Door:
    def __init__(self, backing: Backing, *, host: str, port: int, token: str) -> None:
        """``port`` 0 takes a free one, found in ``port`` after ``start``. Raises ``ValueError`` without a token."""
        if not token:
            raise ValueError("ENGINE_TOKEN is empty: the door would be open to anybody on this machine")
        self._backing = backing
        self._host, self.port = host, port
        self._token = b"Bearer " + token.encode()
        self._runner: web.AppRunner | None = None
        self._followers: dict[web.WebSocketResponse, web.Request] = {}
        self._snapshot: tuple[float, bytes] | None = None
        self._writer = SnapshotWriter()
        self.leading = False
        self.standing_by = False

    async def start(self) -> None:
        """Listen. Raises ``OSError`` when the address is taken."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/inputs", self._inputs),
                web.get("/snapshot", self._get_snapshot),
                web.get("/facts", self._facts),
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.post("/step-down", self._step_down),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        log.info("door_open", host=self._host, port=self.port)

    async def stop(self) -> None:
        self.leading = False
        followers = self._followers.items()
        await asyncio.gather(
            *[_close(socket, request, CLOSE_GOING, "the engine stops") for socket, request in followers]
        )
        if self._runner is not None:
            await self._runner.cleanup()

    # --- guard -----------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_TO_ALL and not self._authentic(request):
            return _error(401, "", "a bearer token is needed (ENGINE_TOKEN)")
        if self.standing_by and request.path not in OPEN_TO_ALL:
            return _json(503, {"error": "this engine stands by; ask the one that leads", "path": "", "standby": True})
        if not self._backing.may_act() and request.path not in OPEN_TO_ALL and "standby" not in request.query:
            return _error(503, "", "this engine is not sure whether it still leads; try again")
        try:
            return await handler(request)
        except BadInput as error:
            return _error(400, error.path, error.reason)
        except web.HTTPRequestEntityTooLarge:
            return _error(413, "", f"at most {LARGEST_BODY} bytes")
        except web.HTTPException as error:
            return _error(error.status, "", error.reason)

    def _authentic(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._token)

    # --- inputs ----------------------------------------------------------------------------------------------------

    async def _inputs(self, request: web.Request) -> web.Response:
        if not self.leading:
            return _error(503, "", "this engine does not lead (starting, standing by or stopping); try again")
        inputs = read_inputs(await request.read())
        try:
            self._backing.inbox.submit(inputs)
        except InboxFull:
            return _error(503, "", "the engine is behind; try again")
        return _json(202, {"cmd_ids": [item.cmd_id for item in inputs]})

    # --- snapshot, health, metrics ---------------------------------------------------------------------------------

    async def _get_snapshot(self, request: web.Request) -> web.Response:
        """A snapshot may be a moment old: its ``seq`` says which facts come after it."""
        now = time.monotonic()
        if self._snapshot is None or now - self._snapshot[0] > SNAPSHOT_REUSE_S:
            self._snapshot = (now, self._new_snapshot())
        return web.Response(body=self._snapshot[1], content_type="application/json")

    def _new_snapshot(self) -> bytes:
        backing = self._backing
        data = {
            "epoch": backing.feed.epoch,
            "seq": backing.feed.seq,
            "now_ms": backing.now_ms(),
            "state": self._writer.write(backing.state()),
        }
        return orjson.dumps(data)

    async def _health(self, request: web.Request) -> web.Response:
        healthy, data = self._backing.health()
        return _json(200 if healthy else 503, data)

    async def _metrics(self, request: web.Request) -> web.Response:
        self._backing.refresh_metrics()
        self._backing.metrics.followers.set(len(self._followers))
        return web.Response(body=self._backing.metrics.page(), content_type="text/plain", charset="utf-8")

    async def _step_down(self, request: web.Request) -> web.Response:
        standbys = self._backing.standbys
        engines = standbys.level if standbys is not None else []
        if not engines:
            return _error(409, "", "no other engine has every fact: calls would have to wait")
        self._backing.step_down()
        return _json(202, {"next": engines})

    # --- facts -----------------------------------------------------------------------------------------------------

    async def _facts(self, request: web.Request) -> web.StreamResponse:
        feed = self._backing.feed
        after, epoch = _seq(request.query.get("after", "")), request.query.get("epoch", feed.epoch)
        socket = web.WebSocketResponse(heartbeat=None, compress=False, max_msg_size=4096)
        await socket.prepare(request)
        reading = asyncio.create_task(_ignore_incoming(socket))
        reading.add_done_callback(lambda _: feed.wake())  # closed, by either side: not seen while it waits for a fact
        self._followers[socket] = request
        try:
            if engine := request.query.get("standby", "")[:16]:
                if not await self._serve_standby(socket, request, Asked(engine, epoch, after)):
                    await self._resync(socket, request)
            elif feed.can_follow(epoch, after):
                await self._stream(socket, after)
            else:
                await self._resync(socket, request)
        except Behind:
            await self._resync(socket, request)
        except TimeoutError:
            log.warning("follower_cut_off", peer=request.remote, after=after)
            await _close(socket, request, CLOSE_SLOW, "too slow")
        except ConnectionError:
            log.debug("follower_gone", peer=request.remote)
        finally:
            del self._followers[socket]
            reading.cancel()
        return socket

    async def _serve_standby(self, socket: web.WebSocketResponse, request: web.Request, asked: Asked) -> bool:
        standbys = self._backing.standbys
        if standbys is None or not isinstance(request.transport, asyncio.Transport):
            raise ConnectionError("closed")
        return await standbys.serve(socket, request.transport, asked)

    async def _stream(self, socket: web.WebSocketResponse, after: int) -> None:
        """A reader's own pace: only this task waits for it. Raises ``TimeoutError`` when it does not read."""
        feed = self._backing.feed
        await self._say(socket, self._beat(after, hello=True))
        next_beat = time.monotonic() + HEARTBEAT_S
        while not socket.closed:
            messages = feed.read(after)
            if messages:
                await self._say(socket, b"[" + b",".join(messages) + b"]")
                after += len(messages)
            now = time.monotonic()
            if now >= next_beat:
                await self._say(socket, self._beat(after))
                next_beat = now + HEARTBEAT_S
            await feed.wait(after, max(0.0, next_beat - now))

    def _beat(self, seq: int, *, hello: bool = False) -> bytes:
        beat = {"heartbeat": True, "epoch": self._backing.feed.epoch, "seq": seq, "now_ms": self._backing.now_ms()}
        return orjson.dumps(beat | {"hello": True} if hello else beat)

    async def _resync(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        try:
            await self._say(socket, b'{"resync":true}')
        except (TimeoutError, ConnectionError):
            log.debug("follower_gone_before_resync")
        await _close(socket, request, CLOSE_RESYNC, "resync")

    @staticmethod
    async def _say(socket: web.WebSocketResponse, frame: bytes) -> None:
        await asyncio.wait_for(socket.send_frame(frame, WSMsgType.TEXT), SLOW_READER_S)


def read_inputs(body: bytes) -> list[Request]:
    """The requests of one body. Raises ``BadInput``; then none of them counts."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput("", f"not JSON: {error}") from None
    items = data if isinstance(data, list) else [data]
    if not 1 <= len(items) <= MOST_REQUESTS:
        raise BadInput("", f"1 to {MOST_REQUESTS} requests at a time, not {len(items)}")
    several = isinstance(data, list)
    return [_read_one(item, f"[{index}]" if several else "") for index, item in enumerate(items)]


def _read_one(item: Any, place: str) -> Request:
    name = item.get("type") if isinstance(item, dict) else None
    cls = codec.TYPES.get(name) if isinstance(name, str) else None
    if cls is not None and (not issubclass(cls, Request) or cls in ABSTRACT):
        raise BadInput(place, f"{name} is not a request")
    try:
        value = codec.decode(item)
    except CodecError as error:
        where, _, reason = str(error).rpartition(": ")
        raise BadInput(" ".join(filter(None, (place, where))), reason) from None
    assert isinstance(value, Request)
    _check_text(value, place)
    return value


def _check_text(value: Request, place: str) -> None:
    """What the codec's types cannot say: an id that is one, and text that every store can hold."""
    path = f"{place} {type(value).__name__}".strip()
    if not (0 < len(value.cmd_id) <= LONGEST_CMD_ID and value.cmd_id.isascii() and value.cmd_id.isprintable()):
        raise BadInput(f"{path}.cmd_id", f"must be 1 to {LONGEST_CMD_ID} printable ASCII characters")
    for name in value.__dataclass_fields__:
        held = getattr(value, name)
        texts = [held] if isinstance(held, str) else [*held, *held.values()] if isinstance(held, Mapping) else []
        if any("\x00" in text for text in texts):
            raise BadInput(f"{path}.{name}", "must not hold a NUL character")


def _seq(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadInput("after", "must be the seq of the last fact you have")
    return int(text)


def _json(status: int, data: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(data), content_type="application/json")


def _error(status: int, path: str, reason: str) -> web.Response:
    data = {"error": f"{path}: {reason}" if path else reason, "path": path}
    return _json(status, data)


async def _ignore_incoming(socket: web.WebSocketResponse) -> None:
    """Reading is what notices that the other side closed; what it says is not for us."""
    async for _ in socket:
        continue


async def _close(socket: web.WebSocketResponse, request: web.Request, code: int, message: str) -> None:
    """Say why, but not for long: a peer that does not read is cut off."""
    try:
        await asyncio.wait_for(socket.close(code=code, message=message.encode(), drain=False), 1.0)
    except (TimeoutError, ConnectionError):
        log.debug("close_not_said", code=code)
    if request.transport is not None:
        request.transport.abort()
