"""From the journal into PostgreSQL, in a thread: nothing here can hold up a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from psycopg.errors import ProgramLimitExceeded

from apps.calls.services import StoredFact
from apps.engine import checkpoint
from apps.engine.journal import FORMER
from apps.engine.journal_reader import DATABASE, JournalReader
from apps.engine.worker import Worker

log = structlog.get_logger(__name__)

BATCH_FACTS = 500
GATHER_S = 0.25
"""Between batches that are not full: a transaction costs as much for three facts as for a hundred, and its work keeps
the loop's thread waiting for the interpreter."""
REFUSED_FILE = "refused.jsonl"
TRIES_OF_ONE = 3
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0

Write = Callable[[Sequence[StoredFact]], object]
Row = tuple[int, str, bytes]


class Recorder(Worker):
    """Keeps a cursor in a file beside the journal; ``write`` is idempotent, so a lost cursor costs only work.

    PostgreSQL down: the journal grows and we try again. A fact that PostgreSQL refuses on its own (a bug) must not
    stop all history behind it: after a few tries it goes to ``refused.jsonl`` beside the journal, counted and logged.
    """

    name = "recorder"

    def __init__(self, directory: Path, write: Write) -> None:
        super().__init__()
        self._directory = directory
        self._write = write
        self._reader: JournalReader | None = None
        self._pause_s = FIRST_PAUSE_S
        self._limit = BATCH_FACTS
        self._tries = 0
        self.cursor = checkpoint.read_cursor(directory)
        self.refused = 0
        self.trouble = ""
        self.oldest_waiting_ms: int | None = None

    def step(self) -> float:
        if self._reader is None:
            self._reader = JournalReader(self._directory)
            self._take_former()
        rows = self._reader.after(self.cursor, self._limit)
        if not rows:
            self.oldest_waiting_ms = None
            return GATHER_S
        facts = _stored_facts(rows)
        if facts:
            self.oldest_waiting_ms = facts[0].fact.at_ms
        return self._record(rows, facts)

    def _take_former(self) -> None:
        """Journals that were set aside. What history has already counts once; each is removed when all of it is there.

        Raises what ``write`` does; the next start tries again.
        """
        for path in sorted(self._directory.glob(f"{FORMER}-*-{DATABASE}")):
            reader, seq = JournalReader(self._directory, path.name), 0
            try:
                while rows := reader.after(seq, BATCH_FACTS):
                    self._write(_stored_facts(rows))
                    seq = rows[-1][0]
            except Exception:  # the facts of today must not wait for those of yesterday
                log.exception("former_journal_not_recorded", file=path.name)
                continue
            finally:
                reader.close()
            log.info("former_journal_recorded", file=path.name, last_seq=seq)
            for part in self._directory.glob(f"{path.name}*"):
                part.unlink(missing_ok=True)

    def _record(self, rows: list[Row], facts: list[StoredFact]) -> float:
        try:
            close_old_connections()
            if facts:
                self._write(facts)
        except (OperationalError, InterfaceError) as error:
            if isinstance(error.__cause__, ProgramLimitExceeded):  # too large for an index: waiting would not help
                return self._narrow_down(rows, error)
            return self._database_away(error)
        except Exception as error:  # noqa: BLE001 whatever is wrong with one fact, the others must get through
            return self._narrow_down(rows, error)
        full = len(rows) >= self._limit
        self._advance(rows[-1][0])
        return 0.0 if full else GATHER_S

    def _advance(self, seq: int) -> None:
        if self.trouble:
            log.info("recorder_back", cursor=seq)
        self.cursor, self.trouble, self._tries = seq, "", 0
        self._pause_s, self._limit = FIRST_PAUSE_S, BATCH_FACTS
        try:
            checkpoint.write_cursor(self._directory, seq)
        except OSError as error:
            log.warning("cursor_not_kept", cursor=seq, detail=str(error))

    def _database_away(self, error: Exception) -> float:
        if not self.trouble:
            log.warning("recorder_waits", detail=str(error).strip())
        self.trouble = str(error).strip() or type(error).__name__
        connection.close()
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def _narrow_down(self, rows: list[Row], error: Exception) -> float:
        connection.close()
        self.trouble = f"{type(error).__name__}: {error}"
        if len(rows) > 1:
            self._limit = max(1, len(rows) // 2)
            return 0.0
        self._tries += 1
        if self._tries < TRIES_OF_ONE:
            return FIRST_PAUSE_S
        seq, epoch, data = rows[0]
        log.error("fact_refused", seq=seq, epoch=epoch, detail=self.trouble, exc_info=error)
        with (self._directory / REFUSED_FILE).open("ab") as file:
            file.write(b'{"seq":%d,"epoch":"%s",' % (seq, epoch.encode()) + data[1:] + b"\n")
        self.refused += 1
        self._advance(seq)
        return 0.0

    def lag_s(self, now_ms: int) -> float:
        """Age of the oldest fact that waits for PostgreSQL."""
        oldest = self.oldest_waiting_ms
        return 0.0 if oldest is None else max(0.0, (now_ms - oldest) / 1000.0)

    def drain(self, up_to_seq: int, timeout_s: float) -> None:
        """Give the thread a little time to catch up, for an orderly end."""
        limit = time.monotonic() + timeout_s
        while self.cursor < up_to_seq and not self.trouble and time.monotonic() < limit:
            self.wake()
            time.sleep(0.02)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        connection.close()


def _stored_facts(rows: list[Row]) -> list[StoredFact]:
    facts = []
    for seq, epoch, data in rows:
        fact = checkpoint.decoded(seq, data)
        if fact is not None:
            facts.append(StoredFact(epoch=epoch, seq=seq, fact=fact))
    return facts
