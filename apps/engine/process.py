"""The engine process put together: what is made, in which order it starts, and in which it ends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.db import connections

from apps.calls.services import StoredFact, record_facts
from apps.core.engine import Engine
from apps.core.events import ConfigChanged, EngineRestarted
from apps.engine.clock import EngineClock
from apps.engine.config_source import ConfigWatcher, Loaded, read_cache
from apps.engine.dispatch import Dispatch
from apps.engine.door import Backing, Door
from apps.engine.drivers import Build, Fleet, build_driver
from apps.engine.feed import KEPT_FACTS, Feed
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader
from apps.engine.keeper import Keeper
from apps.engine.metrics import Metrics
from apps.engine.recorder import Recorder
from apps.engine.recovery import recover
from apps.engine.runner import Runner
from apps.engine.watchdog import HUNG_AFTER_S, Watchdog

log = structlog.get_logger(__name__)

LAGGING_S = 1.0
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


class EngineProcess:
    """Made inside a running loop. ``build`` makes a switch's driver, ``write`` puts facts into history."""

    def __init__(
        self,
        options: Options,
        *,
        build: Build = build_driver,
        write: Callable[[Sequence[StoredFact]], object] = record_facts,
    ) -> None:
        """Opens and folds the journal. Raises ``JournalInUse``, ``ValueError`` without a token, ``OSError``."""
        self.options = options
        self.journal = Journal(options.journal_dir)
        state = recover(self.journal)
        self.clock = EngineClock(max(self.journal.last_at_ms, state.now_ms))
        self.metrics = Metrics()
        self.feed = self._new_feed()
        self.dispatch = Dispatch(lambda event: self.runner.inbox.emit(event))
        if (ahead_ms := -self.clock.behind_wall_ms()) > CLOCK_AHEAD_MS:
            log.warning("clock_ahead_of_wall", ahead_ms=ahead_ms)  # it runs slower until the wall has caught up
        core = Engine(state)
        self.runner = Runner(core, self.clock, self.journal, self.dispatch, self.feed, self.metrics)
        self.fleet = Fleet(self.dispatch, self.runner.inbox.emit, build)
        self.recorder = Recorder(options.journal_dir, write)
        self.keeper = Keeper(
            options.journal_dir,
            retention_ms=options.retention_ms,
            least_free_bytes=options.least_free_bytes,
            report_space=self._report_space,
            recorded_seq=lambda: self.recorder.cursor,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )
        self.watchdog = Watchdog(
            self.fleet,
            lambda: self.runner.beat_s,
            notify_socket=options.notify_socket,
            hung_after_s=options.hung_after_s,
        )
        self.door = Door(self._backing(), host=options.host, port=options.port, token=options.token)
        self._loop = asyncio.get_running_loop()
        self._cached = read_cache(options.journal_dir)
        self.config = ConfigWatcher(options.journal_dir, self._cached, self._config_changed)
        self._stop = asyncio.Event()

    def _new_feed(self) -> Feed:
        feed = Feed(self.journal.epoch, self.journal.last_seq)
        reader = JournalReader(self.options.journal_dir)
        try:
            feed.preload(reader.last(KEPT_FACTS))
        finally:
            reader.close()
        return feed

    # --- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, or ``request_stop``; a second signal ends the process the hard way."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        await self.start()
        try:
            await self._stop.wait()
        finally:
            await self.stop()

    def _signalled(self, number: int) -> None:
        log.info("engine_stopping", signal=signal.Signals(number).name)
        self._loop.remove_signal_handler(number)
        self.request_stop()

    def request_stop(self) -> None:
        self._stop.set()

    async def start(self) -> None:
        """Returns when the door is open; calls are taken as soon as there is a configuration."""
        run = self.journal.new_run()
        log.info("engine_starting", run=run, epoch=self.journal.epoch, seq=self.journal.last_seq)
        self.runner.start()
        # Drivers first: what is overdue since the last run makes commands at once, and they must find their switch.
        if self._cached is not None:
            self.fleet.apply(self._cached.switches)
            self.runner.process([EngineRestarted(run=run), ConfigChanged(config=self._cached.config)])
            self._lead()
        else:
            self.runner.process([EngineRestarted(run=run)])
            log.info("engine_waits_for_config")
        await self.door.start()
        for worker in (self.watchdog, self.recorder, self.keeper, self.config):
            worker.start()

    async def stop(self) -> None:
        """Let go of the switches, then end; calls go on by their dialplan and the next engine finds them."""
        self.dispatch.close_gate("stopping")
        self.config.stop(timeout_s=0.0)
        self.watchdog.stop()
        await asyncio.to_thread(self.fleet.stop)
        self.runner.stop()
        await self.door.stop()
        await asyncio.to_thread(self.recorder.drain, self.journal.last_seq, DRAIN_S)
        for worker in (self.recorder, self.keeper, self.config):
            await asyncio.to_thread(worker.stop)
        if self.journal.trouble is None:
            self.runner.checkpoint()
        self.journal.close()
        log.info("engine_stopped", seq=self.journal.last_seq)

    # --- configuration ---------------------------------------------------------------------------------------------

    def _config_changed(self, loaded: Loaded) -> None:
        """In the watcher's thread, which waits: one configuration is in force before the next comes."""
        if not self._stop.is_set():
            asyncio.run_coroutine_threadsafe(self._apply(loaded), self._loop).result(APPLY_TIMEOUT_S)

    async def _apply(self, loaded: Loaded) -> None:
        self.runner.process([ConfigChanged(config=loaded.config)])
        # Not in the loop: a driver that is replaced is waited for, so that its port is free again.
        await asyncio.to_thread(self.fleet.apply, loaded.switches)
        if not self.door.leading and not self._stop.is_set():
            self._lead()

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
            refresh_metrics=self._refresh_metrics,
            health=self._health,
        )

    def _refresh_metrics(self) -> None:
        metrics, recorder = self.metrics, self.recorder
        metrics.count_state(self.runner.core.state)
        metrics.inbox.set(len(self.runner.inbox))
        metrics.dropped.set(self.runner.inbox.dropped.total())
        metrics.journal_depth.set(self.journal.last_seq - recorder.cursor)
        metrics.journal_pending.set(self.journal.pending)
        metrics.journal_lost.set(self.journal.lost)
        metrics.disk_free.set(self.keeper.free_bytes)
        metrics.recorder_lag.set(recorder.lag_s(self.clock.now_ms()))
        metrics.recorder_refused.set(recorder.refused)
        metrics.gate.set(not self.dispatch.closed_for)

    def _health(self) -> tuple[bool, dict[str, Any]]:
        """Healthy: new calls are taken, a switch is reached and the loop keeps up. Degraded: something is not well."""
        state, journal, recorder = self.runner.core.state, self.journal, self.recorder
        links = {switch: link.up for switch, link in state.switches.items()}
        healthy = not self.dispatch.closed_for and any(links.values()) and self.runner.lag_s < LAGGING_S
        fine = healthy and all(links.values()) and not (recorder.trouble or self.config.trouble or recorder.refused)
        trouble = journal.trouble
        data = {
            "status": "ok" if fine else "degraded" if healthy else "down",
            "run": state.run,
            "epoch": journal.epoch,
            "seq": journal.last_seq,
            "closed_for": self.dispatch.closed_for,
            "links": links,
            "clock_ahead_ms": -self.clock.behind_wall_ms(),
            "loop_lag_ms": round(self.runner.lag_s * 1000, 1),
            "journal": {
                "trouble": trouble.detail if trouble is not None else "",
                "depth": journal.last_seq - recorder.cursor,
                "pending": journal.pending,
                "lost": journal.lost,
            },
            "disk": {"free_bytes": self.keeper.free_bytes, "low": self.runner.low_on_space},
            "recorder": {
                "cursor": recorder.cursor,
                "lag_s": round(recorder.lag_s(self.clock.now_ms()), 1),
                "trouble": recorder.trouble,
                "refused": recorder.refused,
            },
            "config": {"version": state.config.version, "trouble": self.config.trouble},
            "alarms": sorted(state.alarms),
        }
        return healthy, data


def use_plain_connections() -> None:
    """Two threads with a connection each need no pool, and a pool's own back-off would delay them after an outage."""
    for settings in connections.databases.values():
        settings.get("OPTIONS", {}).pop("pool", None)
        settings["CONN_MAX_AGE"] = None
