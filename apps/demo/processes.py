"""The demo's processes: started, checked, watched, and stopped in the reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from apps.demo.screen import Screen

STOP_S = 6.0
CRASH_WINDOW_S = 60.0
CRASHES_ALLOWED = 3


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what would help."""


class Child:
    """One process with its own log. ``restart`` says whether the demo goes on when it ends by itself."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        ready: Callable[[], bool],
        restart: bool,
    ) -> None:
        self.name = name
        self.log = log
        self.restart = restart
        self._command = list(command)
        self._environment = dict(environment)
        self._directory = directory
        self._ready = ready
        self._crashes: list[float] = []
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo; it stops the rest in its own order
            )

    def wait_until_ready(self, timeout_s: float) -> None:
        """Raises ``DemoError`` when it ends or does not come up in time."""
        deadline = time.monotonic() + timeout_s
        while not self._ready():
            if self.ended():
                raise DemoError(f"{self.name} ended with code {self.code()} while starting")
            if time.monotonic() > deadline:
                raise DemoError(f"{self.name} was not ready after {timeout_s:.0f} s")
            time.sleep(0.1)

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def code(self) -> int | None:
        return self.process.returncode if self.process is not None else None

    def may_restart(self) -> bool:
        """Whether it may be started again: not when it keeps crashing."""
        now = time.monotonic()
        self._crashes = [at for at in self._crashes if now - at < CRASH_WINDOW_S] + [now]
        return self.restart and len(self._crashes) <= CRASHES_ALLOWED

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Politely, then not; its own children go with it."""
        if self.process is None:
            return
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):  # then whatever is left of its group is killed
            self.process.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Family:
    """The children, in the order in which they were started."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._children: list[Child] = []

    def start(self, child: Child) -> None:
        """Do not wait: others may start beside it."""
        self._children.append(child)
        child.start()

    def wait_for(self, name: str, timeout_s: float = 60.0) -> None:
        """Until it answers. Raises ``DemoError``, its last log lines shown."""
        child = next(child for child in self._children if child.name == name)
        try:
            child.wait_until_ready(timeout_s)
        except DemoError:
            self._screen.say()
            self._screen.tail(child.log)
            raise

    def look_after(self) -> None:
        """Report who ended by itself; start them again, or raise ``DemoError``."""
        for child in self._children:
            if not child.ended():
                continue
            self._screen.say(f"✗ {child.name} ended by itself (code {child.code()}); its last lines:")
            self._screen.tail(child.log)
            if not child.may_restart():
                raise DemoError(f"without {child.name} the demo cannot go on")
            child.start()
            self._screen.say(f"  {child.name} was started again")

    def stop(self) -> None:
        """Whoever was started last stops first."""
        for child in reversed(self._children):
            child.stop()
            self._screen.say(f"  {child.name} stopped")
        self._children.clear()
