"""The journal's file, and reading and tending it from threads other than the loop's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

DATABASE = "journal.sqlite3"


def open_database(directory: Path, name: str = DATABASE) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are said explicitly."""
    connection = sqlite3.connect(directory / name, isolation_level=None, timeout=1.0, check_same_thread=False)
    # The keeper moves the log into the file from its own thread: a sync must never stop the loop.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0", "journal_size_limit=16777216"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class JournalReader:
    """Reads and tends the journal from another thread."""

    def __init__(self, directory: Path, name: str = DATABASE) -> None:
        self._connection = open_database(directory, name)

    def after(self, seq: int, limit: int) -> list[tuple[int, str, bytes]]:
        """``(seq, epoch, data)`` of the next facts in order."""
        query = "SELECT seq, epoch, data FROM facts WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._connection.execute(query, (seq, limit)).fetchall()

    def last(self, limit: int) -> list[tuple[int, str, bytes]]:
        """The newest facts, in order."""
        query = "SELECT seq, epoch, data FROM facts ORDER BY seq DESC LIMIT ?"
        return self._connection.execute(query, (limit,)).fetchall()[::-1]

    def bounds(self) -> tuple[int, int]:
        """First and last ``seq``; zeros when empty."""
        low, high = self._connection.execute("SELECT min(seq), max(seq) FROM facts").fetchone()
        return low or 0, high or 0

    def sync(self) -> None:
        """Move the write-ahead log into the file, without holding up the writer."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def reusable_bytes(self) -> int:
        """Room inside the file that new facts take before they need disk."""
        free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size")
        )
        return int(free) * int(size)

    def prune(self, up_to_seq: int, before_ms: int, limit: int = 500) -> int:
        """Delete up to ``limit`` of the oldest facts, never the newest; few at a time: the writer waits meanwhile."""
        query = (
            "DELETE FROM facts WHERE seq IN (SELECT seq FROM (SELECT seq, at_ms FROM facts WHERE seq <= ?"
            " AND seq < (SELECT max(seq) FROM facts) ORDER BY seq LIMIT ?) WHERE at_ms < ?)"
        )
        return self._connection.execute(query, (up_to_seq, limit, before_ms)).rowcount

    def close(self) -> None:
        self._connection.close()
