"""Lets go of the switches when the engine's own loop hangs, and tells a supervisor that we live."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import structlog

from apps.engine.drivers import Fleet
from apps.engine.worker import Worker

log = structlog.get_logger(__name__)

HUNG_AFTER_S = 3.0
DRIVER_SILENT_MS = 5_000
LOOK_EVERY_S = 0.25
LATE_S = 1.5


class Watchdog(Worker):
    """In a thread of its own. A hung engine holds callers whom its switch would serve by the ladder or the fallback."""

    name = "watchdog"

    def __init__(
        self,
        fleet: Fleet,
        beat_s: Callable[[], float],
        *,
        notify_socket: str = "",
        hung_after_s: float = HUNG_AFTER_S,
    ) -> None:
        """``beat_s`` is the monotonic time of the loop's last beat."""
        super().__init__()
        self._fleet = fleet
        self._beat_s = beat_s
        self._hung_after_s = hung_after_s
        self._notify = _Notifier(notify_socket)
        self._looked_s = time.monotonic()
        self.hung = False

    def step(self) -> float:
        now = time.monotonic()
        late, self._looked_s = now - self._looked_s > LATE_S, now
        if late:
            return LOOK_EVERY_S  # the whole process stood still (a suspended machine): the loop gets its turn first
        silent_s = now - self._beat_s()
        if silent_s > self._hung_after_s and not self.hung:
            self.hung = True
            log.critical("loop_hangs", silent_s=round(silent_s, 1))
            self._fleet.let_go()
        elif silent_s <= self._hung_after_s and self.hung:
            self.hung = False
            log.warning("loop_beats_again")
            self._fleet.take_up()
        if not self.hung:
            self._notify("WATCHDOG=1")
            self._fleet.replace_silent(DRIVER_SILENT_MS)
        return LOOK_EVERY_S

    def ready(self) -> None:
        self._notify("READY=1")

    def close(self) -> None:
        self._notify("STOPPING=1")


class _Notifier:
    """systemd's readiness and watchdog protocol: a datagram to ``NOTIFY_SOCKET``; nothing where there is none."""

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def __call__(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto(message.encode(), self._address)
        except OSError as error:
            log.warning("supervisor_not_told", detail=str(error))
