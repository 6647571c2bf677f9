"""The recorder in a process of its own, so that it takes no turn of the interpreter that decides about calls.

The engine starts it when it leads, and anew when it dies. It reads the journal's file and keeps its own cursor beside
it, so either may be killed at any moment: what is recorded twice counts once. It ends with the engine, however that
ends: its standard input is a pipe from there (a line: look now), and the journal stays locked until it has ended, so
that no later engine replaces the file under its hands. To standard output it says how far it is, a line of JSON each
time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import orjson
import structlog

from apps.calls.services import record_facts
from apps.config.env import BASE_DIR
from apps.engine import checkpoint
from apps.engine.recorder import Progress, Recorder
from apps.engine.worker import Worker

log = structlog.get_logger(__name__)

RESTART_S = 1.0
END_S = 2.0
NICENESS = 5


class RecorderProcess(Worker):
    """The engine's side: a thread that waits for what the process says."""

    name = "recorder"

    def __init__(self, directory: Path, lock: int) -> None:
        """``lock`` is the descriptor that holds the journal."""
        super().__init__()
        self._directory = directory
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._refused_before = 0
        self.progress = Progress(checkpoint.read_cursor(directory))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def step(self) -> float:
        if self._process is None:
            self._process = self._launch()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            return self._ended(self._process)
        self.progress = Progress(**orjson.loads(line))
        self.progress.refused += self._refused_before
        return 0.0

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(BASE_DIR / "manage.py"), "recorder", "--journal", str(self._directory)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(self._lock,))

    def _ended(self, process: subprocess.Popen[bytes]) -> float:
        code = process.wait()
        self._process = None
        if not self.stopping:
            log.error("recorder_ended", pid=process.pid, code=code)
            last = self.progress
            since_ms = last.oldest_waiting_ms or time.time_ns() // 1_000_000
            self._refused_before = last.refused
            self.progress = Progress(last.cursor, last.refused, f"the recorder ended ({code})", since_ms)
        return RESTART_S

    def wake(self) -> None:
        """From any thread: there are facts that should not wait."""
        super().wake()
        process = self._process
        if process is not None and process.stdin is not None:
            try:
                os.write(process.stdin.fileno(), b"\n")
            except (OSError, ValueError):
                log.debug("recorder_not_woken", pid=process.pid)  # it has ended, and is started anew

    def drain(self, up_to_seq: int, timeout_s: float) -> None:
        """Give it a little time to catch up, for an orderly end."""
        limit = time.monotonic() + timeout_s
        while self.progress.cursor < up_to_seq and not self.progress.trouble and time.monotonic() < limit:
            self.wake()
            time.sleep(0.02)

    def stop(self, timeout_s: float = END_S) -> None:
        """It ends at once; what it had in hand is recorded anew by the next."""
        self._stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        super().stop(timeout_s)
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def serve(directory: Path) -> None:
    """The process itself, until its standard input ends. Does not return."""
    _take_what_is_left()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # meant for the engine, which lets us catch up first
    recorder = Recorder(directory, record_facts, _tell)
    recorder.start()
    for _line in sys.stdin.buffer:
        recorder.wake()
    os._exit(0)  # now: the thread may be waiting for PostgreSQL, and its transaction is undone as by any crash


def _take_what_is_left() -> None:
    """History may come a moment later where a caller would wait. PostgreSQL has no real-time priority either."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.nice(NICENESS)


def _tell(progress: Progress) -> None:
    sys.stdout.buffer.write(orjson.dumps(asdict(progress)) + b"\n")
    sys.stdout.buffer.flush()
