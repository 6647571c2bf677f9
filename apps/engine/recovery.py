"""From the journal back to a state: the newest checkpoint and the facts after it."""

from __future__ import annotations

import sqlite3
import time

import structlog

from apps.core.state import State
from apps.engine import checkpoint
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader

log = structlog.get_logger(__name__)


def recover(journal: Journal) -> State:
    """The state as it was at the last stored fact. A damaged journal gives what could be read of it."""
    started = time.perf_counter()
    point = checkpoint.newest(journal.directory)
    first_seq = point.seq
    known_seq = max(first_seq, checkpoint.read_cursor(journal.directory))
    if known_seq > journal.last_seq:
        # The file was put back from a backup, or was damaged and is new: its readers are further on.
        log.warning("journal_behind", seq=journal.last_seq, known=known_seq)
        journal.last_seq = known_seq
    reader = JournalReader(journal.directory)
    try:
        point = checkpoint.fold(point, reader)
    except sqlite3.DatabaseError as error:
        journal.begin_anew(error)
        checkpoint.write(journal.directory, journal.last_seq, point.state)
    finally:
        reader.close()
    log.info(
        "journal_folded",
        checkpoint_seq=first_seq,
        seq=journal.last_seq,
        calls=len(point.state.calls),
        agents=len(point.state.agents),
        took_ms=round((time.perf_counter() - started) * 1000),
    )
    return point.state
