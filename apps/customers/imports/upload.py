"""A file as it arrives: looked at, measured, and kept in pieces. Nothing of it is imported yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction

from apps.accounts.models import User
from apps.customers import cleaning
from apps.customers.imports import columns, encoding, limits, tables
from apps.customers.imports.limits import FileRefused
from apps.customers.imports.tables import Shape
from apps.customers.models import ImportChunk, ImportJob, ImportStatus
from apps.customers.models.imports import OPEN
from apps.customers.numbers import read
from apps.customers.selectors import plan_of

CHUNK = 1 << 20
IN_MEMORY = 4 << 20
LOOKED_AT_FOR_WIDTH = 50
COUNTED_AT_ONCE = 2000
"""Rows read while somebody waits for the answer: a tenth of a second of CSV, a few tenths of xlsx."""


def receive(tenant_id: int, user: User | None, name: str, file: BinaryIO, size: int) -> ImportJob:
    """A draft of an import, its columns guessed. Raises ``FileRefused``."""
    if size > limits.MOST_BYTES:
        raise FileRefused("too_large", most_mb=limits.MOST_BYTES // 1024**2)
    under_way = ImportJob.objects.filter(tenant_id=tenant_id, status__in=(ImportStatus.DRAFT, *OPEN))
    if under_way.count() >= limits.MOST_UNDER_WAY:
        raise FileRefused("too_many_files", most=limits.MOST_UNDER_WAY)
    shape = look_at(file)
    job = ImportJob(
        tenant_id=tenant_id,
        created_by=user,
        file_name=cleaning.line(name)[:200] or "-",
        size_bytes=size,
        kind=shape.kind,
        encoding=shape.encoding,
        delimiter=shape.delimiter,
    )
    _measure(job, file, shape)
    job.mapping = columns.guess(job.headers) if job.has_headings else _guess_by_content(job, file, shape)
    with transaction.atomic():
        job.save()
        file.seek(0)
        for sequence, data in enumerate(iter(lambda: file.read(CHUNK), b"")):
            ImportChunk.objects.create(job=job, sequence=sequence, data=data)
    return job


def look_at(file: BinaryIO) -> Shape:
    kind = tables.kind_of(file)
    if kind == "xlsx":
        tables.check_zip(file)
        return Shape(kind)
    found = encoding.detect(file)
    return Shape(kind, found, tables.delimiter_of(file, found))


def shape_of(job: ImportJob) -> Shape:
    return Shape(job.kind, job.encoding, job.delimiter)


def read_again(job: ImportJob, *, encoding_name: str, delimiter: str, has_headings: bool | None) -> None:
    """The same file read in another way, as somebody who knows it better asked. Raises ``FileRefused``."""
    job.encoding, job.delimiter = encoding_name or job.encoding, delimiter or job.delimiter
    with opened(job) as file:
        _measure(job, file, shape_of(job), has_headings)
        job.mapping = columns.guess(job.headers) if job.has_headings else _guess_by_content(job, file, shape_of(job))
    job.save()


@contextmanager
def opened(job: ImportJob) -> Iterator[BinaryIO]:
    """The file put together again, in memory when small, else on disk."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for chunk in job.chunks.order_by("sequence").iterator(chunk_size=1):
            file.write(bytes(chunk.data))
        file.seek(0)
        yield file  # type: ignore[misc]


def data_rows(job: ImportJob, file: BinaryIO) -> Iterator[tables.Row]:
    """The rows below the headings."""
    rows = tables.rows_of(file, shape_of(job))
    if job.has_headings:
        next(rows, None)
    return rows


def _measure(job: ImportJob, file: BinaryIO, shape: Shape, has_headings: bool | None = None) -> None:
    """Headings and number of rows, from the first rows: somebody waits. The worker counts the rest (``count``)."""
    tally = Tally()
    rows = tables.rows_of(file, shape)
    for number, cells in rows:
        tally.take(number, cells)
        if number >= COUNTED_AT_ONCE and tally.last:
            break
    job.counted = next(rows, None) is None
    first = tally.first
    if first is None or tally.last == 0:
        raise FileRefused("empty")
    job.has_headings = columns.is_heading(first, plan_of(job.tenant_id)) if has_headings is None else has_headings
    names = [cleaning.line(cell)[:100] for cell in first] if job.has_headings else []
    letters = columns.letters(tally.width)
    job.headers = [name or letter for name, letter in zip(_padded(names, tally.width), letters, strict=True)]
    job.rows_total = tally.rows(job)


def count(job: ImportJob, file: BinaryIO) -> Iterator[int]:
    """Reads the whole file once, so that a broken one is known before a row of it is written.

    Yields how many rows there are until now, every ``COUNTED_AT_ONCE`` and at the end. Raises ``FileRefused``.
    """
    tally = Tally()
    for number, cells in tables.rows_of(file, shape_of(job)):
        tally.take(number, cells)
        if number % COUNTED_AT_ONCE == 0 and tally.last:
            yield max(0, tally.last - job.has_headings)
    yield tally.rows(job)


@dataclass(slots=True)
class Tally:
    """What was seen of a file: its first row, how wide it is, and the last row in which something stands."""

    first: list[str] | None = None
    width: int = 0
    last: int = 0

    def take(self, number: int, cells: list[str]) -> None:
        """Raises ``FileRefused`` for a row too many."""
        if self.first is None:
            self.first = cells
        if any(cells):
            self.last = number
            self.width = max(self.width, len(cells)) if number <= LOOKED_AT_FOR_WIDTH else self.width
        if number > limits.MOST_ROWS + 1:
            raise FileRefused("too_many_rows", most=limits.MOST_ROWS)

    def rows(self, job: ImportJob) -> int:
        """Below the headings. Raises ``FileRefused`` where there is none."""
        if self.last <= job.has_headings:
            raise FileRefused("no_rows")
        return self.last - job.has_headings


def _padded(names: list[str], width: int) -> list[str]:
    return [*names, *[""] * (width - len(names))][:width]


def _guess_by_content(job: ImportJob, file: BinaryIO, shape: Shape) -> list[str]:
    """Without headings: numbers and e-mail addresses show themselves, the first other text is taken for the name."""
    plan = plan_of(job.tenant_id)
    _number, cells = next(tables.rows_of(file, shape))
    found: list[str] = []
    for cell in _padded(cells, len(job.headers)):
        if "@" in cell:
            found.append("email" if "email" not in found else "")
        elif len(read(cell, plan).number) > 6:
            found.append("number")
        else:
            found.append("name" if cell.strip() and "name" not in found else "")
    return found
