"""A real door over a state that the test moves: what the web process sees of an engine, without a switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from apps.core import facts as f
from apps.core.events import Event
from apps.core.state import State
from apps.engine.door import Backing, Door
from apps.engine.feed import Feed
from apps.engine.inbox import Inbox
from apps.engine.journal import Stored, encode
from apps.engine.metrics import Metrics
from tests.apps.live.centre import START_MS, configured

TOKEN = "test-token"


class Engine:
    """Applies and publishes facts as the engine does; ``asked`` are the requests that came in."""

    def __init__(self, epoch: str = "e1", port: int = 0) -> None:
        self.state: State = configured()
        self.asked: list[Event] = []
        self.now_ms = START_MS + 1_000_000
        self._seq = 10
        self.feed = Feed(epoch, self._seq)
        inbox = Inbox(lambda: asyncio.get_running_loop().call_soon(self._take))
        self._inbox = inbox
        backing = Backing(
            inbox=inbox,
            feed=self.feed,
            metrics=Metrics(),
            now_ms=lambda: self.now_ms,
            state=lambda: self.state,
            refresh_metrics=lambda: None,
            health=lambda: (True, {}),
        )
        self.door = Door(backing, host="127.0.0.1", port=port, token=TOKEN)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    def say(self, *facts: f.Fact) -> None:
        for fact in facts:
            self.state.apply(fact)
            self._seq += 1
            stored = Stored(seq=self._seq, epoch=self.feed.epoch, fact=fact, data=encode(fact))
            self.feed.publish([stored])

    def _take(self) -> None:
        self.asked += self._inbox.take(1000)


@asynccontextmanager
async def running(epoch: str = "e1", port: int = 0) -> AsyncIterator[Engine]:
    engine = Engine(epoch, port)
    await engine.door.start()
    engine.door.leading = True
    try:
        yield engine
    finally:
        await engine.door.stop()


async def until(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not (result := condition()):
        assert asyncio.get_running_loop().time() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(0.01)
    return result
