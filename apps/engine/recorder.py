"""From the journal into PostgreSQL: nothing here can hold up a call. See ``recording`` for where it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from psycopg.errors import ProgramLimitExceeded

from apps.calls.services import StoredFact
from apps.engine import checkpoint
from apps.engine.journal import FORMER
from apps.engine.journal_reader import DATABASE, JournalReader
from apps.engine.stored import placed
from apps.engine.worker import Worker

log = structlog.get_logger(__name__)

BATCH_FACTS = 500
GATHER_S = 0.25
"""Between batches that are not full: a transaction costs nearly as much for three facts as for a hundred."""
REFUSED_FILE = "refused.jsonl"
TRIES_OF_ONE = 3
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0

Write = Callable[[Sequence[StoredFact]], object]
Row = tuple[int, str, bytes]


@dataclass(slots=True)
class Progress:
    """How far history is: ``cursor`` is the last fact it has. ``trouble`` is "" while all is well."""

    cursor: int
    refused: int = 0
    trouble: str = ""
    oldest_waiting_ms: int | None = None

    def lag_s(self, now_ms: int) -> float:
        """Age of the oldest fact that waits for PostgreSQL."""
        oldest = self.oldest_waiting_ms
        return 0.0 if oldest is None else max(0.0, (now_ms - oldest) / 1000.0)


class Recorder(Worker):
    """Keeps a cursor in a file beside the journal; ``write`` is idempotent, so a lost cursor costs only work.

    PostgreSQL down: the journal grows and we try again. A fact that PostgreSQL refuses on its own (a bug) must not
    stop all history behind it: after a few tries it goes to ``refused.jsonl`` beside the journal, counted and logged.
    """

    name = "recorder"

    def __init__(
        self, directory: Path, write: Write, report: Callable[[Progress], object] = lambda _progress: None
    ) -> None:
        """``report`` is called from the thread when there is progress, and when facts begin to wait."""
        super().__init__()
        self._report = report
        self._directory = directory
        self._write = write
        self._reader: JournalReader | None = None
        self._pause_s = FIRST_PAUSE_S
        self._limit = BATCH_FACTS
        self._tries = 0
        self.progress = Progress(checkpoint.read_cursor(directory))

    def step(self) -> float:
        if self._reader is None:
            self._reader = JournalReader(self._directory)
            self._take_former()
        rows = self._reader.after(self.progress.cursor, self._limit)
        facts = _stored_facts(rows)
        self._waits_since(facts[0].fact.at_ms if facts else None)
        return self._record(rows, facts) if rows else GATHER_S

    def _waits_since(self, at_ms: int | None) -> None:
        if at_ms != self.progress.oldest_waiting_ms:
            self.progress.oldest_waiting_ms = at_ms
            self._report(self.progress)

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
        if self.progress.trouble:
            log.info("recorder_back", cursor=seq)
        self.progress.cursor, self.progress.trouble, self._tries = seq, "", 0
        self._pause_s, self._limit = FIRST_PAUSE_S, BATCH_FACTS
        self._report(self.progress)
        try:
            checkpoint.write_cursor(self._directory, seq)
        except OSError as error:
            log.warning("cursor_not_kept", cursor=seq, detail=str(error))

    def _database_away(self, error: Exception) -> float:
        if not self.progress.trouble:
            log.warning("recorder_waits", detail=str(error).strip())
        self._in_trouble(str(error).strip() or type(error).__name__)
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return pause_s

    def _narrow_down(self, rows: list[Row], error: Exception) -> float:
        self._in_trouble(f"{type(error).__name__}: {error}")
        if len(rows) > 1:
            self._limit = max(1, len(rows) // 2)
            return 0.0
        self._tries += 1
        if self._tries < TRIES_OF_ONE:
            return FIRST_PAUSE_S
        seq, epoch, data = rows[0]
        log.error("fact_refused", seq=seq, epoch=epoch, detail=self.progress.trouble, exc_info=error)
        with (self._directory / REFUSED_FILE).open("ab") as file:
            file.write(placed(data, seq=seq, epoch=epoch) + b"\n")
        self.progress.refused += 1
        self._advance(seq)
        return 0.0

    def _in_trouble(self, detail: str) -> None:
        connection.close()
        self.progress.trouble = detail
        self._report(self.progress)

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
