"""Deletes what is due, oldest first, a batch a transaction: no lock is held for longer than one batch takes."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from apps.operations.retention import files
from apps.operations.retention.kinds import KINDS, Kind
from apps.operations.retention.periods import Owner, before, owners
from apps.recordings.models import Recording

log = structlog.get_logger(__name__)

BATCH = 500
RUN_LOCK = 0x726574656E74  # any constant of its own
# A task that is killed goes on the next day; one that never ends would meet its own next run.
LONGEST_RUN_S = 2 * 3600.0
Progress = Callable[[str, int, int], None]


class AnotherRuns(RuntimeError):
    """Nothing was done: the other run does it."""


@dataclass(slots=True)
class Line:
    """What of one kind of one owner is or was due. ``limit`` None: kept for ever."""

    owner: str
    kind: str
    days: int | None
    limit: datetime.datetime | None
    due: int = 0
    held: int = 0
    deleted: int = 0
    freed_bytes: int = 0
    trouble: str = ""


def plan(tenant: str = "", now: datetime.datetime | None = None) -> list[Line]:
    """What a run would delete, and delete nothing."""
    return [_line(owner, kind, limit) for owner, kind, limit in _work(tenant, now or timezone.now())]


def run(
    tenant: str = "", now: datetime.datetime | None = None, progress: Progress = lambda kind, done, due: None
) -> list[Line]:
    """Delete what is due. What cannot be deleted is counted in ``trouble`` and stays for the next run.

    Raises ``AnotherRuns``.
    """
    with alone():
        return _run(tenant, now, progress)


@contextmanager
def alone() -> Iterator[None]:
    """One run at a time in the whole installation: a second would take for leftovers what the first is removing.

    The lock is the database session's, so it goes with a process that is killed. Raises ``AnotherRuns``.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [RUN_LOCK])
        if not cursor.fetchone()[0]:
            raise AnotherRuns("another retention run is under way")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [RUN_LOCK])


def _run(tenant: str, now: datetime.datetime | None, progress: Progress) -> list[Line]:
    stop_s = time.monotonic() + LONGEST_RUN_S
    left_over = files.tidy()
    if left_over:
        log.warning("recordings_left_aside", count=left_over)
    lines = []
    for owner, kind, limit in _work(tenant, now or timezone.now()):
        line = _line(owner, kind, limit)
        if limit is not None and line.due:
            for _ in _delete(line, kind, owner, limit):
                progress(kind.name, line.deleted, line.due)
                if time.monotonic() > stop_s:
                    line.trouble = line.trouble or "out of time: the next run goes on"
                    break
        if line.deleted or line.trouble:
            log.info(
                "retention", owner=line.owner, kind=line.kind, deleted=line.deleted, freed_bytes=line.freed_bytes,
                held=line.held, trouble=line.trouble,
            )  # fmt: skip
        lines.append(line)
    return lines


def _work(tenant: str, now: datetime.datetime) -> Iterator[tuple[Owner, Kind, datetime.datetime | None]]:
    for owner in owners():
        if tenant in ("", owner.name):
            for kind in KINDS:
                days = kind.days(owner.periods)
                yield owner, kind, before(days, now) if days is not None else None


def _line(owner: Owner, kind: Kind, limit: datetime.datetime | None) -> Line:
    line = Line(owner.name, kind.name, kind.days(owner.periods), limit)
    if limit is not None:
        line.due = kind.due(owner, limit).count()
        line.held = kind.held(owner, limit).count()
    return line


def _delete(line: Line, kind: Kind, owner: Owner, limit: datetime.datetime) -> Iterator[None]:
    """A batch each time; ends when nothing more is due or nothing moves."""
    stuck: set[object] = set()
    while True:
        due = kind.due(owner, limit)
        batch = list(due.exclude(pk__in=stuck)[:BATCH]) if stuck else list(due[:BATCH])
        if not batch:
            return
        if due.model is Recording:
            stuck |= _remove_recordings(line, batch)
        else:
            line.deleted += _delete_rows(due.model, batch)
        yield


def _delete_rows(model: type[models.Model], batch: Iterable[models.Model]) -> int:
    keys = [row.pk for row in batch]
    with transaction.atomic():
        model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _remove_recordings(line: Line, batch: Iterable[Recording]) -> set[object]:
    """Returns those that stay."""
    stuck: set[object] = set()
    for recording in batch:
        try:
            line.freed_bytes += files.remove(recording)
            line.deleted += 1
        except (files.NotMounted, files.FileStays) as error:
            stuck.add(recording.pk)
            kind = "not mounted: " if isinstance(error, files.NotMounted) else ""
            line.trouble = f"{len(stuck)} stay ({kind}{error})"
    return stuck
