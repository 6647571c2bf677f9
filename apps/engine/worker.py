"""A background thread that is asked to stop and can be woken, and whose death is noticed."""

from __future__ import annotations

import threading

import structlog

log = structlog.get_logger(__name__)


class Worker:
    """Calls ``step`` again and again; what it returns is the pause in seconds. A fault pauses it, never ends it."""

    name = "worker"
    fault_pause_s = 1.0

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Ask it to end and wait a little; a thread that hangs in a library call is left behind (it is a daemon)."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def _run(self) -> None:
        try:
            while not self.stopping:
                self._pause(self._guarded_step())
        finally:
            self.close()

    def _guarded_step(self) -> float:
        try:
            return self.step()
        except Exception:  # a background task must outlive any one fault
            log.exception("worker_failed", worker=self.name)
            return self.fault_pause_s

    def _pause(self, seconds: float) -> None:
        if seconds > 0 and not self.stopping:
            self._woken.wait(seconds)
        self._woken.clear()

    def step(self) -> float:
        raise NotImplementedError

    def close(self) -> None:
        """Runs in the thread when it ends."""
