"""This web process's line to the engine's door: follows its facts, keeps a copy of its state, hands it requests.

One task per process. It takes a snapshot, folds the facts that follow, and begins anew on a gap, a new epoch or a
broken line. While the engine is away the last state stays, with its age.

Where there are several engines, one of them leads and the others' doors say that they stand by: then it looks for the
leader from door to door, and a request waits for one for a moment. A request that two engines get is done once: its
``cmd_id`` is known to both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import orjson
import structlog

from apps.config.outages import Outage
from apps.core.codec import CodecError, decode, encode
from apps.core.events import Request
from apps.core.facts import Fact
from apps.core.state import State

log = structlog.get_logger(__name__)

SILENCE_S = 3.0  # the door beats every second
RETRY_S = 0.5
LOOK_FOR_LEADER_S = 0.2
SEND_TIMEOUT_S = 3.0
MAX_FRAME = 64 * 1024 * 1024  # a configuration travels whole

Listener = Callable[[Sequence[Fact] | None], None]
"""Called after the state moved by these facts; None: it was replaced."""


class EngineUnreachable(ConnectionError):
    """The door did not take a request."""


class EngineRefused(ValueError):
    """The door took the request for malformed; the message is the door's."""


class OutOfStep(Exception):
    """The stream does not continue what we have: a new snapshot is needed."""


class EngineClient:
    def __init__(self, url: str, token: str, listener: Listener) -> None:
        """``url``: the door's, or those of all engines, comma separated."""
        self.doors = url.split(",")
        self.door = self.doors[0]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._listener = listener
        self._session: aiohttp.ClientSession | None = None
        self.state: State | None = None
        self.epoch = ""
        self.seq = 0
        self.reachable = False
        self._line = Outage(log, "engine_awaited")
        self._heard_s = time.monotonic()
        self._engine_ahead_ms = 0

    # --- what the pages ask ---

    @property
    def age_s(self) -> float:
        """Seconds since the engine was last heard."""
        return time.monotonic() - self._heard_s

    def now_ms(self) -> int:
        """The engine's clock, as far as we know."""
        return time.time_ns() // 1_000_000 + self._engine_ahead_ms

    async def send(self, requests: Sequence[Request]) -> None:
        """Hand requests to the engine; outcomes come back as facts. Raises ``EngineUnreachable``, ``EngineRefused``."""
        body = orjson.dumps([encode(request) for request in requests])
        until_s = time.monotonic() + SEND_TIMEOUT_S
        door = self.door
        while True:
            try:
                return await self._post(door, body, max(0.1, until_s - time.monotonic()) / len(self.doors))
            except EngineUnreachable:
                if len(self.doors) == 1 or time.monotonic() + LOOK_FOR_LEADER_S > until_s:
                    raise
            door = self._next_to(door)
            if door == self.door:
                await asyncio.sleep(LOOK_FOR_LEADER_S)

    async def _post(self, door: str, body: bytes, timeout_s: float) -> None:
        headers = {**self._headers, "Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._open().post(f"{door}/inputs", data=body, headers=headers, timeout=timeout) as reply:
                if reply.status == 202:
                    return
                text = (await reply.text())[:300]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineUnreachable(str(error) or type(error).__name__) from error
        if 400 <= reply.status < 500 and reply.status not in (401, 403, 429):
            raise EngineRefused(text)
        raise EngineUnreachable(f"{reply.status}: {text}")

    def _next_to(self, door: str) -> str:
        return self.doors[(self.doors.index(door) + 1) % len(self.doors)]

    # --- following ---

    async def run(self) -> None:
        """Follow for ever; ends only when cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except (aiohttp.ClientError, TimeoutError, OutOfStep, CodecError, orjson.JSONDecodeError) as error:
                    self._line.lasts(door=self.door, error=str(error) or type(error).__name__)
                except Exception:  # whatever came from there, every page of this process hangs on this loop
                    log.exception("engine_line_broken")
                was_reachable, self.reachable = self.reachable, False
                self.door = self._next_to(self.door)
                if not (was_reachable and len(self.doors) > 1):
                    await asyncio.sleep(RETRY_S if len(self.doors) == 1 else LOOK_FOR_LEADER_S)
        finally:
            await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def _follow(self) -> None:
        await self._take_snapshot()
        url = f"{self.door}/facts?after={self.seq}&epoch={self.epoch}"
        async with self._open().ws_connect(url, headers=self._headers, max_msg_size=MAX_FRAME) as socket:
            self.reachable = True
            self._line = Outage(log, "engine_line_lost")
            log.info("engine_line_up", epoch=self.epoch, seq=self.seq)
            while True:
                facts = self._take_frame(await socket.receive(timeout=SILENCE_S))
                if facts:
                    self._listener(facts)
                    # receive() does not yield while frames are buffered; the pages must get their turn in a burst.
                    if self.seq % 100 == 0:
                        await asyncio.sleep(0)

    async def _take_snapshot(self) -> None:
        timeout = aiohttp.ClientTimeout(total=10, sock_read=SILENCE_S * 2)
        async with self._open().get(f"{self.door}/snapshot", headers=self._headers, timeout=timeout) as reply:
            reply.raise_for_status()
            data = orjson.loads(await reply.read())
        self.state = State.from_data(data["state"])
        self.epoch, self.seq = data["epoch"], data["seq"]
        self._heard(data["now_ms"])
        self._listener(None)

    def _take_frame(self, frame: aiohttp.WSMessage) -> list[Fact]:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise OutOfStep(f"the door closed the stream ({frame.type.name.lower()} {frame.data})")
        message = orjson.loads(frame.data)
        items = message if isinstance(message, list) else [message]
        return [fact for item in items if (fact := self._take_item(item)) is not None]

    def _take_item(self, item: dict[str, Any]) -> Fact | None:
        if "heartbeat" in item:
            self._take_heartbeat(item)
            return None
        if "resync" in item:
            raise OutOfStep("the door asked for a resync")
        seq = item.pop("seq", None)
        if seq != self.seq + 1:
            raise OutOfStep(f"expected fact {self.seq + 1}, got {seq}")
        fact: Fact = decode(item)
        assert self.state is not None
        self.state.apply(fact)
        self.seq = seq
        self._heard_s = time.monotonic()
        return fact

    def _take_heartbeat(self, beat: dict[str, Any]) -> None:
        if beat["epoch"] != self.epoch or beat["seq"] != self.seq:
            raise OutOfStep(f"the door is at {beat['epoch']}/{beat['seq']}, we are at {self.epoch}/{self.seq}")
        self._heard(beat["now_ms"])

    def _heard(self, engine_now_ms: int) -> None:
        self._heard_s = time.monotonic()
        self._engine_ahead_ms = engine_now_ms - time.time_ns() // 1_000_000
