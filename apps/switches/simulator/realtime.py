"""Drives virtual time at the speed of the wall clock, inside an asyncio loop."""

from __future__ import annotations

import asyncio
import time

from apps.switches.simulator.clock import Scheduler


class RealTime:
    """``catch_up`` before and after anything from outside; one timer stands for the next thing due."""

    def __init__(self, clock: Scheduler) -> None:
        self.clock = clock
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = False
        self._base_ms = clock.now_ms
        self._started = time.monotonic()

    def now_ms(self) -> int:
        return self._base_ms + int((time.monotonic() - self._started) * 1000)

    def catch_up(self) -> None:
        if not self._stopped:
            self.clock.run_until(self.now_ms())
            self._arm()

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        due_ms = self.clock.next_due_ms()
        if due_ms is not None:
            delay_s = max(0.0, self._started + (due_ms - self._base_ms) / 1000 - time.monotonic())
            self._handle = self._loop.call_later(delay_s, self.catch_up)

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
