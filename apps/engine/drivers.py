"""Which switches there are, as plain data that can be cached, and the drivers that run them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import structlog

from apps.core.events import LinkDown, SwitchEvent
from apps.core.ids import SwitchId, TrunkId
from apps.engine.dispatch import Dispatch
from apps.switches.base import SwitchDriver
from apps.switches.freeswitch.driver import FreeSwitchDriver
from apps.switches.freeswitch.ports import Counters
from apps.switches.freeswitch.settings import FreeSwitchSettings

log = structlog.get_logger(__name__)

HUNG = "hung"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSpec:
    """What a driver is built from: a Switch row and its trunks, decoded by ``codec.from_plain``."""

    switch: SwitchId
    name: str
    host: str
    port: int
    password: str = field(repr=False)
    arrival_host: str
    arrival_port: int
    domain: str
    sounds_dir: str
    recordings_dir: str
    gateways: Mapping[str, TrunkId] = field(default_factory=dict)
    guard: str = ""  # the leader's term, where there is a standby

    def connection(self) -> tuple[str | int, ...]:
        """What a running driver cannot be told: a change of it takes a new driver."""
        return (
            self.host, self.port, self.password, self.arrival_host, self.arrival_port, self.domain,
            self.sounds_dir, self.recordings_dir,
        )  # fmt: skip


@runtime_checkable
class Threaded(Protocol):
    """A driver with a thread of its own that can hang or die."""

    def alive_ms_ago(self) -> int: ...


@runtime_checkable
class Counted(Protocol):
    """A driver that counts what happens to it."""

    switch: SwitchId
    counters: Counters


Build = Callable[[SwitchSpec, Mapping[str, TrunkId]], SwitchDriver]


def build_driver(spec: SwitchSpec, gateways: Mapping[str, TrunkId]) -> SwitchDriver:
    """FreeSWITCH and the simulator alike: both speak Event Socket. ``gateways`` may change while the driver runs."""
    return FreeSwitchDriver(
        FreeSwitchSettings(
            switch=spec.switch,
            host=spec.host,
            port=spec.port,
            password=spec.password,
            arrival_host=spec.arrival_host,
            arrival_port=spec.arrival_port,
            domain=spec.domain,
            sounds_dir=spec.sounds_dir,
            recordings_dir=spec.recordings_dir,
            gateways=gateways,
            guard=spec.guard,
        )
    )


class Fleet:
    """Starts, changes and stops drivers as configuration says, and lets go of all of them when the engine hangs."""

    def __init__(self, dispatch: Dispatch, emit: Callable[[SwitchEvent], None], build: Build = build_driver) -> None:
        self._dispatch = dispatch
        self._emit = emit
        self._build = build
        self._lock = threading.Lock()
        self._specs: dict[SwitchId, SwitchSpec] = {}
        # Shared with the drivers: a new trunk must not cost a new link and with it every waiting caller's socket.
        self._gateways: dict[SwitchId, dict[str, TrunkId]] = {}
        self._released = False
        self.guard = ""
        """The term under which drivers command their switches; set before the first one is started."""

    def apply(self, specs: Iterable[SwitchSpec]) -> None:
        """Make the running drivers those of ``specs``."""
        wanted = {spec.switch: spec for spec in specs}
        with self._lock:
            for switch in self._specs.keys() - wanted.keys():
                log.info("switch_removed", switch=switch)
                self._stop(switch, "removed from the configuration")
                del self._specs[switch], self._gateways[switch]
            for switch, spec in wanted.items():
                self._put(switch, spec)

    def _put(self, switch: SwitchId, spec: SwitchSpec) -> None:
        known = self._specs.get(switch)
        self._specs[switch] = spec
        gateways = self._gateways.setdefault(switch, {})
        if gateways != dict(spec.gateways):
            gateways.clear()
            gateways.update(spec.gateways)
        if known is not None and known.connection() == spec.connection():
            return
        if known is not None:
            self._stop(switch, "its settings changed")
        if not self._released:
            self._start(spec)

    def _start(self, spec: SwitchSpec) -> None:
        log.info("switch_started", switch=spec.switch, name=spec.name, host=spec.host, port=spec.port)
        try:
            driver = self._build(replace(spec, guard=self.guard), self._gateways[spec.switch])
        except Exception:  # one unusable switch row must not keep the others from starting
            log.exception("switch_unusable", switch=spec.switch, name=spec.name)
            return
        self._dispatch.add(driver)

    def _stop(self, switch: SwitchId, reason: str) -> None:
        self._dispatch.remove(switch)
        self._emit(LinkDown(switch=switch, reason=reason))

    def stop(self) -> None:
        """Let go of every switch, for an orderly end; calls are not touched."""
        with self._lock:
            for switch in self._specs:
                self._dispatch.remove(switch)
            self._specs.clear()

    # --- the watchdog's, from its thread -----------------------------------------------------------------------------

    def replace_silent(self, silent_ms: int) -> None:
        """A driver whose thread died or hangs cannot come back by itself; it no longer serves its sockets either."""
        for driver in self._dispatch.drivers():
            if isinstance(driver, Threaded) and driver.alive_ms_ago() > silent_ms:
                log.critical("driver_silent", switch=driver.switch, silent_ms=driver.alive_ms_ago())
                with self._lock:
                    self._stop(driver.switch, "its driver hung or died")
                    if driver.switch in self._specs and not self._released:
                        self._start(self._specs[driver.switch])

    def let_go(self) -> None:
        """Close every socket: a switch whose socket is gone goes on with the call by itself, a held one would wait."""
        self._dispatch.close_gate(HUNG)
        with self._lock:
            self._released = True
            for switch in self._specs:
                self._stop(switch, "the engine hangs")

    def take_up(self) -> None:
        """New links; with each comes a snapshot that says what happened meanwhile."""
        with self._lock:
            self._released = False
            for spec in self._specs.values():
                self._start(spec)
        self._dispatch.open_gate(HUNG)
