"""What lies beside the journal: checkpoints, so that a restart folds little, and the recorder's cursor."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from apps.core import codec
from apps.core.codec import CodecError
from apps.core.facts import Fact
from apps.core.state import State
from apps.engine.journal_reader import JournalReader

log = structlog.get_logger(__name__)

KEPT = 2
EVERY_FACTS = 5_000
"""A checkpoint costs about what it costs to fold so many again."""
CURSOR_FILE = "recorded.seq"
FOLD_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``state`` is the fold of all facts up to ``seq``."""

    seq: int
    state: State


def write(directory: Path, seq: int, state: State) -> None:
    """Atomically: a torn file is never found. Raises ``OSError``."""
    write_file(_path(directory, seq), orjson.dumps({"seq": seq, "state": state.to_data()}))
    for old in _paths(directory)[KEPT:]:
        old.unlink(missing_ok=True)


def begin_anew(directory: Path, seq: int, state: State) -> None:
    """Instead of all there is. Raises ``OSError``."""
    cut_back(directory, -1)
    write(directory, seq, state)


def cut_back(directory: Path, seq: int) -> None:
    """Forget what is later than ``seq``: the journal has been cut there. Raises ``OSError``."""
    for path in _paths(directory):
        if _seq_of(path) > seq:
            path.unlink(missing_ok=True)
    if read_cursor(directory) > seq:
        write_cursor(directory, max(0, seq))


def newest(directory: Path) -> Checkpoint:
    """The newest that can be read; an empty state at 0 when there is none."""
    for path in _paths(directory):
        try:
            data = orjson.loads(path.read_bytes())
            return Checkpoint(data["seq"], State.from_data(data["state"]))
        except (OSError, ValueError, KeyError, TypeError) as error:  # CodecError and JSON errors are ValueErrors
            log.warning("checkpoint_unusable", file=path.name, detail=str(error))
    return Checkpoint(0, State())


def newest_seq(directory: Path) -> int:
    """Of the newest file, 0 when there is none."""
    paths = _paths(directory)
    return _seq_of(paths[0]) if paths else 0


def oldest_seq(directory: Path) -> int:
    """Of the oldest file kept in reserve: facts after it are still needed. 0 when there is none."""
    paths = _paths(directory)
    return _seq_of(paths[-1]) if paths else 0


def fold(
    start: Checkpoint, reader: JournalReader, *, up_to: int | None = None, pause: Callable[[], object] | None = None
) -> Checkpoint:
    """``start`` with the facts after it applied (in place). ``pause`` is called between chunks."""
    seq = start.seq
    while rows := reader.after(seq, FOLD_CHUNK):
        for row_seq, _, data in rows:
            if up_to is not None and row_seq > up_to:
                return Checkpoint(seq, start.state)
            fact = decoded(row_seq, data)
            if fact is not None:
                start.state.apply(fact)
            seq = row_seq
        if pause is not None:
            pause()
    return Checkpoint(seq, start.state)


def decoded(seq: int, data: bytes) -> Fact | None:
    """The fact, or nothing when it was written by a version whose facts we no longer know."""
    try:
        fact = codec.decode(orjson.loads(data))
    except (CodecError, orjson.JSONDecodeError) as error:
        log.error("fact_unreadable", seq=seq, detail=str(error))
        return None
    if not isinstance(fact, Fact):
        log.error("fact_unreadable", seq=seq, detail=f"{type(fact).__name__} is not a fact")
        return None
    return fact


def read_cursor(directory: Path) -> int:
    """Up to which ``seq`` PostgreSQL has the facts; 0 when unknown."""
    try:
        return int((directory / CURSOR_FILE).read_text())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("cursor_unusable", detail=str(error))
        return 0


def write_cursor(directory: Path, seq: int) -> None:
    """Raises ``OSError``."""
    write_file(directory / CURSOR_FILE, str(seq).encode())


def write_file(path: Path, data: bytes) -> None:
    """Replace ``path`` in one step, readable by this user only. Raises ``OSError``."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _path(directory: Path, seq: int) -> Path:
    return directory / f"checkpoint-{seq:016d}.json"


def _paths(directory: Path) -> list[Path]:
    """Newest first."""
    return sorted(directory.glob("checkpoint-*.json"), reverse=True)


def _seq_of(path: Path) -> int:
    return int(path.stem.removeprefix("checkpoint-"))
