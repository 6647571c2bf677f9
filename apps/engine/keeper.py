"""Tends the journal from a thread: syncs it, watches the disk's room, writes checkpoints, prunes what is not needed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from apps.config.outages import Outage
from apps.engine import checkpoint
from apps.engine.journal import keep_reserve
from apps.engine.journal_reader import JournalReader
from apps.engine.worker import Worker

log = structlog.get_logger(__name__)

EVERY_S = 1.0
FIRST_AFTER_S = 10.0
"""A restarted engine has better things to do at first; a long way back it has put behind it in ``recover``."""
PRUNE_CHUNKS = 20


class Keeper(Worker):
    """``report_space`` gets the detail of the alarm when the disk has less than ``least_free_bytes``, else ""."""

    name = "keeper"

    def __init__(
        self,
        directory: Path,
        *,
        retention_ms: int,
        least_free_bytes: int,
        report_space: Callable[[str], None],
        recorded_seq: Callable[[], int],
        now_ms: Callable[[], int],
        checkpoint_facts: int = checkpoint.EVERY_FACTS,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._retention_ms = retention_ms
        self._least_free_bytes = least_free_bytes
        self._report_space = report_space
        self._recorded_seq = recorded_seq
        self._now_ms = now_ms
        self._checkpoint_facts = checkpoint_facts
        self._reader: JournalReader | None = None
        self._not_before_s = time.monotonic() + FIRST_AFTER_S
        self._folded_seq = 0
        self._at_work = threading.Lock()
        self._outage = Outage(log, "journal_not_tended", "journal_tended")
        self.free_bytes = 0

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """For whoever puts another journal in this one's place, or cuts it back: not under our hands."""
        with self._at_work:
            yield
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self._folded_seq = 0

    def step(self) -> float:
        with self._at_work:
            return self._tend()

    def _tend(self) -> float:
        if self._reader is None:
            self._reader = JournalReader(self._directory)
        low = self._look_at_space(self._reader)
        try:
            if not low:
                keep_reserve(self._directory)
            self._reader.sync()
            if time.monotonic() >= self._not_before_s:
                self._checkpoint(self._reader)
                self._prune(self._reader, low=low)
            self._outage.over()
        except (sqlite3.Error, OSError) as error:
            self._outage.lasts(detail=str(error))
            self._reader.close()
            self._reader = None
        return EVERY_S

    def _look_at_space(self, reader: JournalReader) -> bool:
        self.free_bytes = shutil.disk_usage(self._directory).free + reader.reusable_bytes()
        low = self.free_bytes < self._least_free_bytes
        wanted = f"{self.free_bytes >> 20} MB free under {self._directory}, {self._least_free_bytes >> 20} MB wanted"
        self._report_space(f"{wanted}: free some disk; new calls are not taken until then" if low else "")
        return low

    def _checkpoint(self, reader: JournalReader) -> None:
        """Fold the journal as a restart would; the loop is not asked for its state, so it is not held up."""
        last_seq = reader.bounds()[1]
        if self._folded_seq == 0:
            self._folded_seq = checkpoint.newest_seq(self._directory)
        if last_seq - self._folded_seq < self._checkpoint_facts:
            return
        point = checkpoint.newest(self._directory)
        point = checkpoint.fold(point, reader, up_to=last_seq, pause=lambda: time.sleep(0.005))
        checkpoint.write(self._directory, point.seq, point.state)
        self._folded_seq = point.seq

    def _prune(self, reader: JournalReader, *, low: bool) -> None:
        """Facts that a checkpoint covers and PostgreSQL has. Kept for ``retention_ms`` unless the disk is short."""
        up_to = min(checkpoint.oldest_seq(self._directory), self._recorded_seq())
        before_ms = self._now_ms() - (0 if low else self._retention_ms)
        for _ in range(PRUNE_CHUNKS):
            if self.stopping or not reader.prune(up_to, before_ms):
                return
            time.sleep(0.005)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
