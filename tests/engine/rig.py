"""A running engine's parts around the real core, with a driver that records what it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from apps.core.commands import Command
from apps.core.engine import Engine
from apps.core.events import CallArrived, SwitchEvent
from apps.core.facts import Anomaly, Fact
from apps.core.ids import LegId, SwitchId
from apps.engine.clock import EngineClock
from apps.engine.dispatch import Dispatch
from apps.engine.feed import Feed
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader
from apps.engine.metrics import Metrics
from apps.engine.recovery import recover
from apps.engine.runner import Runner
from apps.switches.base import Emit

SWITCH = SwitchId("1")


class RecordingDriver:
    """A switch that does nothing but remember, in order, with what the journal held at that moment."""

    def __init__(self, journal: Path | None = None) -> None:
        self.switch = SWITCH
        self.emit: Emit | None = None
        self.commands: list[Command] = []
        self.stored_at_command: list[int] = []
        self.gate: list[bool] = []
        self.snapshots = 0
        self.stopped = 0
        self._reader = JournalReader(journal) if journal is not None else None

    def start(self, emit: Emit) -> None:
        self.emit = emit

    def execute(self, command: Command) -> None:
        self.commands.append(command)
        if self._reader is not None:
            self.stored_at_command.append(self._reader.bounds()[1])

    def request_snapshot(self) -> None:
        self.snapshots += 1

    def accept_calls(self, accept: bool) -> None:
        self.gate.append(accept)

    def stop(self) -> None:
        self.stopped += 1


class Host:
    """Journal, core and runner as the process puts them together, without its threads."""

    def __init__(self, directory: Path, *, buffer_limit: int = 1000) -> None:
        self.journal = Journal(directory, buffer_limit=buffer_limit)
        state = recover(self.journal)
        self.core = Engine(state)
        self.feed = Feed(self.journal.epoch, self.journal.last_seq)
        self.dispatch = Dispatch(lambda event: self.runner.inbox.emit(event))
        self.driver = RecordingDriver(directory)
        clock = EngineClock(self.journal.last_at_ms)
        self.runner = Runner(self.core, clock, self.journal, self.dispatch, self.feed, Metrics())
        self.dispatch.add(self.driver)
        self.dispatch.open_gate("starting")

    def emit(self, event: SwitchEvent) -> None:
        self.runner.inbox.emit(event)

    def stop(self) -> None:
        self.runner.stop()
        self.journal.close()


def arrival(leg: str, did: str = "4000") -> CallArrived:
    return CallArrived(switch=SWITCH, leg=LegId(leg), did=did, caller_number="13800000000")


def note(at_ms: int, detail: str = "") -> Fact:
    return Anomaly(at_ms=at_ms, tenant=None, event="Test", subject="", state="", detail=detail)


async def until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait for a condition, with a deadline."""
    limit = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < limit, "it did not come about in time"
        await asyncio.sleep(0.01)


def wait_until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    limit = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < limit, "it did not come about in time"
        time.sleep(0.01)
