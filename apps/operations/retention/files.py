"""A recording goes whole: its file and its row, or neither.

The file is first renamed aside, then the row is deleted, then the file. Whoever is killed in between leaves either the
row with the file aside (``tidy`` puts it back) or no row with the file aside (``tidy`` ends it).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from apps.recordings.models import Recording

log = structlog.get_logger(__name__)

ASIDE = ".going-"


class NotMounted(Exception):
    """The switch's recordings are not here at all: nothing can be said about a file that is missing."""


class FileStays(Exception):
    """The file cannot be removed; then its row stays too."""


def switch_of(recording: Recording) -> str:
    """The directory of the recording's switch below that of all; empty where it names none."""
    return recording.switch.name if recording.switch is not None else ""


def path_of(switch: str, name: str) -> Path | None:
    """Where the file is or would be; None for a path that leaves its directory. Raises ``NotMounted``."""
    root = (Path(settings.RECORDINGS_DIR) / switch).resolve()
    if not root.is_dir():
        raise NotMounted(str(root))
    try:
        path = (root / name).resolve()
    except (OSError, ValueError):  # too long a name, a NUL in it
        return None
    return path if path != root and path.is_relative_to(root) else None


def remove(recording: Recording) -> int:
    """File and row. Returns the bytes set free. Raises ``NotMounted``, ``FileStays``, ``DatabaseError``."""
    path = path_of(switch_of(recording), recording.path)
    aside, size = None, 0
    if path is not None and path.is_file():
        aside, size = path.with_name(ASIDE + path.name), path.stat().st_size
        try:
            path.rename(aside)
        except OSError as error:
            raise FileStays(f"{recording.pk}: {error.strerror}") from error
    try:
        with transaction.atomic():
            Recording.objects.filter(pk=recording.pk).delete()
    except DatabaseError:
        if aside is not None and path is not None:
            aside.rename(path)
        raise
    if aside is not None:
        aside.unlink(missing_ok=True)
    return size


def tidy() -> int:
    """Finish or undo what a killed ``remove`` left. Returns how many files it found.

    Only while nothing else removes (``sweep.alone``): what another run has just put aside is no leftover. A file that
    has come to stand in the old place is never written over.
    """
    found = 0
    root = Path(settings.RECORDINGS_DIR)
    for aside in root.rglob(f"{ASIDE}*") if root.is_dir() else ():
        found += 1
        name = aside.name.removeprefix(ASIDE)
        if Recording.objects.filter(path__endswith=name).filter(path__in=_paths(aside.with_name(name), root)).exists():
            if not aside.with_name(name).exists():
                aside.rename(aside.with_name(name))
        else:
            aside.unlink(missing_ok=True)
    return found


def orphans() -> Iterator[Path]:
    """Sound files that no row knows: a restore of an older backup, or a fact that was refused."""
    root = Path(settings.RECORDINGS_DIR)
    for directory in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ():
        batch: list[Path] = []
        for path in directory.rglob("*.wav"):
            batch.append(path)
            if len(batch) == 500:
                yield from _unknown(batch, root)
                batch = []
        yield from _unknown(batch, root)


def _unknown(files: list[Path], root: Path) -> Iterator[Path]:
    wanted = {path: _paths(path, root) for path in files}
    asked = [name for names in wanted.values() for name in names]
    known = set(Recording.objects.filter(path__in=asked).values_list("path", flat=True))
    yield from (path for path, names in wanted.items() if not known & set(names))


def _paths(path: Path, root: Path) -> list[str]:
    """What a row may call this file: below its switch's directory, or below the root when it names no switch."""
    parts = path.relative_to(root).parts
    return ["/".join(parts[1:]), "/".join(parts)]
