"""The demo's processes: started, checked, watched, and stopped in the reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from apps.demo.screen import Screen

STOP_S = 6.0
CRASH_WINDOW_S = 60.0
CRASHES_ALLOWED = 3


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what would help."""


class Member(Protocol):
    """Whatever runs beside the demo: a process of ours, or a private service."""

    name: str
    log: Path

    def start(self) -> object: ...

    def ended(self) -> bool: ...

    def code(self) -> int | None: ...

    def stop(self) -> None: ...


class Child:
    """One process of ours with its own log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        ready: Callable[[], bool],
        inherits: Sequence[int] = (),
    ) -> None:
        """``inherits``: file descriptors that it gets from us."""
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = dict(environment)
        self._directory = directory
        self._ready = ready
        self._inherits = inherits
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
                pass_fds=self._inherits,
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
    """Everything that was started, in that order."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._members: list[Member] = []
        self._crashes: dict[str, list[float]] = {}
        self._irreplaceable: set[str] = set()

    def start(self, child: Child, *, restart: bool = True) -> None:
        """Do not wait: others may start beside it. ``restart``: the demo goes on when it ends by itself."""
        self._members.append(child)
        if not restart:
            self._irreplaceable.add(child.name)
        child.start()

    def adopt(self, service: Member) -> None:
        """Look after what is started by somebody else."""
        self._members.append(service)

    def wait_for(self, name: str, timeout_s: float = 60.0) -> None:
        """Until it answers. Raises ``DemoError``, its last log lines shown."""
        child = next(member for member in self._members if member.name == name and isinstance(member, Child))
        try:
            child.wait_until_ready(timeout_s)
        except DemoError:
            self._screen.say()
            self._screen.tail(child.log)
            raise

    def look_after(self) -> None:
        """Report who ended by itself; start them again, or raise ``DemoError``."""
        for member in self._members:
            if not member.ended():
                continue
            self._screen.say(f"✗ {member.name} ended by itself (code {member.code()}); its last lines:")
            self._screen.tail(member.log)
            if not self._may_restart(member.name):
                raise DemoError(f"without {member.name} the demo cannot go on")
            member.start()
            self._screen.say(f"  {member.name} was started again")

    def _may_restart(self, name: str) -> bool:
        """Not when it keeps crashing."""
        now = time.monotonic()
        recent = [at for at in self._crashes.get(name, []) if now - at < CRASH_WINDOW_S]
        self._crashes[name] = [*recent, now]
        return name not in self._irreplaceable and len(recent) < CRASHES_ALLOWED

    def stop(self) -> None:
        """Whoever was started last stops first."""
        for member in reversed(self._members):
            member.stop()
            self._screen.say(f"  {member.name} stopped")
        self._members.clear()
