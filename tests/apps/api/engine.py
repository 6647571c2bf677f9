"""A real engine behind a real door, and this process's hub on it, in a thread as the web process has it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.calls.services import StoredFact, record_facts
from apps.core.events import ConfigChanged, Event
from apps.engine import checkpoint
from apps.engine.door import Backing, Door
from apps.engine.journal_reader import JournalReader
from apps.engine.metrics import Metrics
from apps.live.hub import hub
from apps.telephony.center_config import compile_center_config
from tests.engine.rig import Host

TOKEN = "test-token"


class Centre:
    """The engine, and what a test does to it from its own thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._recorded = 0
        self.loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.host: Host
        self.door: Door

    async def _live(self, settings: Any, config: Any, started: threading.Event) -> None:
        self.host = Host(self._directory)
        runner = self.host.runner
        backing = Backing(
            inbox=runner.inbox,
            feed=self.host.feed,
            metrics=Metrics(),
            now_ms=lambda: time.time_ns() // 1_000_000,
            state=lambda: self.host.core.state,
            refresh_metrics=lambda: None,
            health=lambda: (True, {}),
        )
        self.door = Door(backing, host="127.0.0.1", port=0, token=TOKEN)
        runner.start()
        await self.door.start()
        self.door.leading = True
        settings.ENGINE_URL, settings.ENGINE_TOKEN = f"http://127.0.0.1:{self.door.port}", TOKEN
        runner.inbox.emit(ConfigChanged(config=config))
        line = hub()
        while not (line.client.reachable and line.client.state is not None and line.client.state.config.version):
            await asyncio.sleep(0.01)
        started.set()
        await self._stop.wait()
        await line.stop()
        await self.door.stop()
        self.host.stop()

    def tell(self, *events: Event) -> None:
        """Give the engine events as a driver or the host would."""
        for event in events:
            self.loop.call_soon_threadsafe(self.host.runner.inbox.emit, event)

    def see(self, look: Callable[[Any], Any], timeout_s: float = 5.0) -> Any:
        """Wait until ``look(state)`` is true for the web process's copy of the state."""
        deadline = time.monotonic() + timeout_s
        while True:

            async def looked() -> Any:
                return look(hub().client.state)

            found = asyncio.run_coroutine_threadsafe(looked(), self.loop).result(5)
            if found:
                return found
            assert time.monotonic() < deadline, "the state did not come to this"
            time.sleep(0.01)

    def record(self) -> int:
        """What the recorder does: everything in the journal into PostgreSQL. Returns how many facts were new."""
        reader = JournalReader(self._directory)
        facts = []
        for seq, epoch, data in reader.after(self._recorded, 10_000):
            fact = checkpoint.decoded(seq, data)
            self._recorded = seq
            if fact is not None:
                facts.append(StoredFact(epoch=epoch, seq=seq, fact=fact))
        reader.close()
        return record_facts(facts)

    def shut_the_door(self) -> None:
        asyncio.run_coroutine_threadsafe(self.door.stop(), self.loop).result(5)


@contextmanager
def centre(directory: Path, settings: Any) -> Iterator[Centre]:
    """With the configuration that is in the database."""
    running = Centre(directory)
    started = threading.Event()
    main = running._live(settings, compile_center_config(1), started)
    thread = threading.Thread(target=running.loop.run_until_complete, args=(main,), daemon=True)
    thread.start()
    assert started.wait(10), "the engine did not start"
    try:
        yield running
    finally:
        running.loop.call_soon_threadsafe(running._stop.set)
        thread.join(10)
        running.loop.close()
