"""What the demo says on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TAIL_LINES = 8


class Screen:
    def say(self, text: str = "") -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """``✓ what (detail, seconds)`` when the block ends; what it appends to the list is the detail."""
        started = time.monotonic()
        detail: list[str] = []
        if sys.stdout.isatty():
            sys.stdout.write(f"… {what}")
            sys.stdout.flush()
        try:
            yield detail
        except BaseException:
            self._line(f"✗ {what}")
            raise
        took = f"{time.monotonic() - started:.1f} s"
        self._line(f"✓ {what} ({', '.join([*detail, took])})")

    @staticmethod
    def _line(text: str) -> None:
        clear = "\r\x1b[K" if sys.stdout.isatty() else ""
        sys.stdout.write(f"{clear}{text}\n")
        sys.stdout.flush()

    def tail(self, log: Path) -> None:
        """The last lines of a log, for a process that ended by itself."""
        lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:] if log.exists() else []
        for line in lines:
            self.say(f"    | {line[:300]}")
        self.say(f"    | whole log: {log}")
