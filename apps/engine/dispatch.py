"""From a command to the driver of its switch, and the gate for arriving calls that all drivers share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from apps.core.commands import Command, OriginateLeg, RequestSnapshot
from apps.core.events import HangupCause, LegHungUp, SwitchEvent
from apps.core.ids import SwitchId
from apps.switches.base import SwitchDriver

log = structlog.get_logger(__name__)


class Dispatch:
    """Never raises into the loop: a driver's fault costs one command, and says so in the log."""

    def __init__(self, emit: Callable[[SwitchEvent], None]) -> None:
        """``emit`` takes the events we must make up for a switch that is not there."""
        self._emit = emit
        self._lock = threading.Lock()
        self._drivers: dict[SwitchId, SwitchDriver] = {}
        self._closed_for: set[str] = {"starting"}
        self.failures = 0

    # --- commands --------------------------------------------------------------------------------------------------

    def send(self, commands: Iterable[Command]) -> None:
        """In order. The outcome of each is a later event."""
        for command in commands:
            driver = self._drivers.get(command.switch)
            if driver is None:
                self._undeliverable(command)
            elif isinstance(command, RequestSnapshot):
                self._call(driver.request_snapshot, command.switch)
            else:
                self._call(driver.execute, command.switch, command)

    def request_snapshot(self, switch: SwitchId) -> None:
        driver = self._drivers.get(switch)
        if driver is not None:
            self._call(driver.request_snapshot, switch)

    def _undeliverable(self, command: Command) -> None:
        log.warning("command_without_switch", switch=command.switch, command=type(command).__name__, leg=command.leg)
        self.failures += 1
        if isinstance(command, OriginateLeg):
            # The agent must not wait for a ring that never comes.
            gone = LegHungUp(
                switch=command.switch, leg=command.leg, cause=HangupCause.UNREACHABLE, raw="NO_SUCH_SWITCH"
            )
            self._emit(gone)

    def _call(self, method: Callable[..., object], switch: SwitchId, *arguments: Any) -> None:
        try:
            method(*arguments)
        except Exception:  # a driver's bug must not stop the other switches' calls
            self.failures += 1
            log.exception("driver_failed", switch=switch, method=method.__name__, arguments=arguments)

    # --- drivers ---------------------------------------------------------------------------------------------------

    def add(self, driver: SwitchDriver) -> None:
        """Start a driver, with the gate as it stands."""
        with self._lock:
            self._drivers[driver.switch] = driver
            self._call(driver.accept_calls, driver.switch, not self._closed_for)
            self._call(driver.start, driver.switch, self._emit)

    def remove(self, switch: SwitchId) -> None:
        """Let go of a switch; its calls are not touched."""
        with self._lock:
            driver = self._drivers.pop(switch, None)
        if driver is not None:
            self._call(driver.stop, switch)

    def drivers(self) -> list[SwitchDriver]:
        return list(self._drivers.values())

    # --- arriving calls --------------------------------------------------------------------------------------------

    @property
    def closed_for(self) -> list[str]:
        """Why no calls are taken just now; empty when they are."""
        return sorted(self._closed_for)

    def close_gate(self, reason: str) -> None:
        """From any thread: switches take their next ladder step or their fallback."""
        self._turn_gate(reason, closed=True)

    def open_gate(self, reason: str) -> None:
        """Takes ``reason`` back; calls come again when no other is left."""
        self._turn_gate(reason, closed=False)

    def _turn_gate(self, reason: str, *, closed: bool) -> None:
        with self._lock:
            before = bool(self._closed_for)
            (self._closed_for.add if closed else self._closed_for.discard)(reason)
            after = bool(self._closed_for)
            if before == after:
                return
            log.warning("arrivals_gate", open=not after, reason=reason)
            for driver in self._drivers.values():
                self._call(driver.accept_calls, driver.switch, not after)
