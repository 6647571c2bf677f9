"""From the journal back to a state: the newest checkpoint and the facts after it."""

from __future__ import annotations

import sqlite3
import time

import structlog

from apps.core.state import State
from apps.engine import checkpoint
from apps.engine.checkpoint import Checkpoint
from apps.engine.journal import Journal
from apps.engine.journal_reader import JournalReader

log = structlog.get_logger(__name__)


def recover(journal: Journal, *, checkpoint_facts: int = checkpoint.EVERY_FACTS) -> State:
    """The state as it was at the last stored fact. A damaged journal gives what could be read of it.

    What took ``checkpoint_facts`` to fold is kept as a checkpoint at once: an engine that dies young (the keeper has
    not come to it) must not leave the next one a longer way back, and that one a longer way still.
    """
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
    if point.seq - first_seq >= checkpoint_facts:
        _keep(journal, point)
    log.info(
        "journal_folded",
        checkpoint_seq=first_seq,
        seq=journal.last_seq,
        calls=len(point.state.calls),
        agents=len(point.state.agents),
        took_ms=round((time.perf_counter() - started) * 1000),
    )
    return point.state


def _keep(journal: Journal, point: Checkpoint) -> None:
    """Without it the next start takes longer; a full disk must not keep this one from starting."""
    try:
        checkpoint.write(journal.directory, point.seq, point.state)
    except OSError as error:
        log.warning("checkpoint_not_kept", seq=point.seq, detail=str(error))
