"""The engine process put together: what is made, in which order it starts, and in which it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from apps.core.engine import Engine
from apps.core.events import ConfigChanged, EngineRestarted
from apps.core.state import State
from apps.engine import status
from apps.engine.clock import EngineClock
from apps.engine.config_source import ConfigWatcher, Loaded, read_cache
from apps.engine.dispatch import Dispatch
from apps.engine.door import Backing, Door
from apps.engine.drivers import Build, Fleet, build_driver
from apps.engine.duty import Duty
from apps.engine.feed import KEPT_FACTS, Feed
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader
from apps.engine.keeper import Keeper
from apps.engine.leadership import Claim
from apps.engine.metrics import Metrics
from apps.engine.recording import RecorderProcess
from apps.engine.recovery import recover
from apps.engine.replication import Source, Standbys
from apps.engine.runner import Runner
from apps.engine.watchdog import HUNG_AFTER_S, Watchdog

log = structlog.get_logger(__name__)

CLOCK_AHEAD_MS = 5_000
DRAIN_S = 3.0
APPLY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    host: str
    port: int
    token: str
    journal_dir: Path
    retention_ms: int = 24 * 3_600_000
    least_free_bytes: int = 512 << 20
    notify_socket: str = ""
    hung_after_s: float = HUNG_AFTER_S
    number: int = 1
    doors: tuple[str, ...] = ()
    """Of all engines, in order; this is the ``number``-th. Fewer than two: it is alone and leads at once."""


class EngineProcess:
    """Made inside a running loop. ``build`` makes a switch's driver."""

    def __init__(self, options: Options, *, build: Build = build_driver) -> None:
        """Opens and folds the journal. Raises ``JournalInUse``, ``ValueError`` without a token, ``OSError``."""
        self.options = options
        if options.doors and options.number > len(options.doors):
            raise ValueError(f"ENGINE_NUMBER is {options.number}, and ENGINE_URL names {len(options.doors)} engines")
        self.journal = Journal(options.journal_dir)
        state = recover(self.journal)
        self.clock = EngineClock(max(self.journal.last_at_ms, state.now_ms))
        self.metrics = Metrics()
        self.feed = self._new_feed()
        self.dispatch = Dispatch(lambda event: self.runner.inbox.emit(event))
        if (ahead_ms := -self.clock.behind_wall_ms()) > CLOCK_AHEAD_MS:
            log.warning("clock_ahead_of_wall", ahead_ms=ahead_ms)  # it runs slower until the wall has caught up
        self.runner = Runner(Engine(state), self.clock, self.journal, self.dispatch, self.feed, self.metrics)
        self.fleet = Fleet(self.dispatch, self.runner.inbox.emit, build)
        self.recorder = self._new_recorder()
        self.keeper = Keeper(
            options.journal_dir,
            retention_ms=options.retention_ms,
            least_free_bytes=options.least_free_bytes,
            report_space=self._report_space,
            recorded_seq=self._recorded,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        self.watchdog = Watchdog(
            self.fleet,
            lambda: self.runner.beat_s,
            notify_socket=options.notify_socket,
            hung_after_s=options.hung_after_s,
        )
        self.duty = self._new_duty(state) if len(options.doors) > 1 else None
        self.standbys = Standbys(self._source())
        self.door = Door(self._backing(), host=options.host, port=options.port, token=options.token)
        self._loop = asyncio.get_running_loop()
        self._loaded = read_cache(options.journal_dir)
        self.config = ConfigWatcher(options.journal_dir, self._loaded, self._config_changed, engine=options.number)
        self._stop = asyncio.Event()
        self._again = False
        self._led = self.duty is None

    def _new_feed(self) -> Feed:
        feed = Feed(self.journal.epoch, self.journal.last_seq)
        reader = JournalReader(self.options.journal_dir)
        try:
            feed.preload(reader.last(KEPT_FACTS))
        finally:
            reader.close()
        return feed

    def _new_recorder(self) -> RecorderProcess:
        return RecorderProcess(self.options.journal_dir, self.journal.lock)

    def _new_duty(self, state: State) -> Duty:
        options = self.options
        duty = Duty(
            self.journal,
            state,
            number=options.number,
            doors=options.doors,
            token=options.token,
            take_over=self._take_over,
            confirmed=self.runner.resume,
            ended=self.step_down,
            replacing=self.keeper.replacing,
        )
        self.runner.may_act = lambda: duty.sure
        return duty

    # --- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> bool:
        """Until SIGTERM or SIGINT, or ``request_stop``; a second signal ends the process the hard way.

        True: it led and does not any more, and another life of this engine is to stand by.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        await self.start()
        try:
            await self._stop.wait()
        finally:
            await self.stop()
        return self._again

    def _signalled(self, number: int) -> None:
        log.info("engine_stopping", signal=signal.Signals(number).name)
        self._loop.remove_signal_handler(number)
        self.request_stop()

    def request_stop(self) -> None:
        self._again = False
        self._stop.set()

    def step_down(self) -> None:
        """Lead no longer, but stand by."""
        if not self._stop.is_set():
            self._again = True
            self._stop.set()

    async def start(self) -> None:
        """Returns when the door is open; calls are taken as soon as there is a configuration, and we lead."""
        self.runner.start()
        if self.duty is None:
            self._begin(self._loaded)
            self.recorder.start()
        else:
            self.door.standing_by = True
            self.duty.start()
            self._settle(self._loaded)
            self.watchdog.ready()
        await self.door.start()
        for worker in (self.watchdog, self.keeper, self.config):
            worker.start()

    def _begin(self, loaded: Loaded | None) -> None:
        """A run begins: what this engine decides from here on is its own."""
        run = self.journal.new_run()
        log.info("engine_starting", run=run, epoch=self.journal.epoch, seq=self.journal.last_seq)
        # Drivers first: what is overdue since the last run makes commands at once, and they must find their switch.
        if loaded is not None:
            self.fleet.apply(loaded.switches)
            self.runner.process([EngineRestarted(run=run), ConfigChanged(config=loaded.config)])
            self._lead()
        else:
            self.runner.process([EngineRestarted(run=run)])
            log.info("engine_waits_for_config")

    def _take_over(self, claim: Claim, state: State) -> None:
        """The lead is ours. What the last leader told is our state; it may have told others more."""
        self._led = True
        self.feed.begin(self.journal.begin_epoch(), self.journal.last_seq)
        self.clock.not_before(max(self.journal.last_at_ms, state.now_ms))
        self.runner.core = Engine(state)
        self.fleet.guard = claim.guard
        self.recorder = self._new_recorder()
        self._begin(self._loaded)
        self.door.standing_by = False
        self.recorder.start()

    async def stop(self) -> None:
        """Let go of the switches, then end; calls go on by their dialplan and the next engine finds them."""
        self.dispatch.close_gate("stopping")
        self.config.stop(timeout_s=0.0)
        self.watchdog.stop()
        await asyncio.to_thread(self.fleet.stop)
        self.runner.stop()
        lost = self.duty is not None and bool(self.duty.lost)
        if self.duty is not None:
            await self.duty.stop()  # the standby has all facts by now, and leads from here on
        await self.door.stop()
        if self._led:
            await asyncio.to_thread(self.recorder.drain, self.journal.last_seq, DRAIN_S)
        for worker in (self.recorder, self.keeper, self.config):
            await asyncio.to_thread(worker.stop)
        if self.journal.trouble is None and self._led and not lost:
            self.runner.checkpoint()
        self.journal.close()
        log.info("engine_stopped", seq=self.journal.last_seq)

    # --- configuration ---------------------------------------------------------------------------------------------

    def _config_changed(self, loaded: Loaded) -> None:
        """In the watcher's thread, which waits: one configuration is in force before the next comes."""
        if not self._stop.is_set():
            asyncio.run_coroutine_threadsafe(self._apply(loaded), self._loop).result(APPLY_TIMEOUT_S)

    async def _apply(self, loaded: Loaded) -> None:
        self._settle(loaded)
        if self.duty is not None and not self.duty.leads:
            return
        self.runner.process([ConfigChanged(config=loaded.config)])
        # Not in the loop: a driver that is replaced is waited for, so that its port is free again.
        await asyncio.to_thread(self.fleet.apply, loaded.switches)
        if not self.door.leading and not self._stop.is_set():
            self._lead()

    def _settle(self, loaded: Loaded | None) -> None:
        self._loaded = loaded
        if self.duty is not None and loaded is not None:
            self.duty.decide_at(loaded.switches)

    def _lead(self) -> None:
        self.door.leading = True
        self.dispatch.open_gate("starting")
        self.watchdog.ready()
        log.info("engine_ready", version=self.runner.core.state.config.version)

    # --- what the door shows ---------------------------------------------------------------------------------------

    def _report_space(self, detail: str) -> None:
        self.runner.low_on_space = detail

    def _backing(self) -> Backing:
        return Backing(
            inbox=self.runner.inbox,
            feed=self.feed,
            metrics=self.metrics,
            now_ms=self.clock.now_ms,
            state=lambda: self.runner.core.state,
            refresh_metrics=lambda: status.refresh_metrics(self),
            health=lambda: status.health(self),
            standbys=self.standbys,
            may_act=lambda: self.runner.may_act(),
            step_down=self.step_down,
        )

    def _source(self) -> Source:
        return Source(journal=self.journal, feed=self.feed, now_ms=self.clock.now_ms, standing=self._standing)

    def _standing(self) -> dict[str, Any]:
        duty = self.duty
        return {
            "term": duty.term if duty is not None else 0,
            "holds": duty is None or duty.sure,
            "recorded": self.recorder.progress.cursor,
        }

    def _recorded(self) -> int:
        following = self.duty is not None and not self.duty.leads
        return self.duty.follower.recorded if self.duty is not None and following else self.recorder.progress.cursor
