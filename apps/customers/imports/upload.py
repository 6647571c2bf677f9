"""A file as it arrives: looked at, measured, and kept in pieces. Nothing of it is imported yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.db import transaction

from apps.accounts.models import User
from apps.customers import cleaning
from apps.customers.imports import columns, encoding, limits, tables
from apps.customers.imports.limits import FileRefused
from apps.customers.imports.tables import Shape
from apps.customers.models import ImportChunk, ImportJob
from apps.customers.numbers import read
from apps.customers.selectors import plan_of

CHUNK = 1 << 20
IN_MEMORY = 4 << 20
LOOKED_AT_FOR_WIDTH = 50


def receive(tenant_id: int, user: User | None, name: str, file: BinaryIO, size: int) -> ImportJob:
    """A draft of an import, its columns guessed. Raises ``FileRefused``."""
    if size > limits.MOST_BYTES:
        raise FileRefused("too_large", most_mb=limits.MOST_BYTES // 1024**2)
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
    """Headings and number of rows; the whole file is read once, so that a broken one is known now."""
    width, first, count, last = 0, None, 0, 0
    for number, cells in tables.rows_of(file, shape):
        if first is None:
            first = cells
        count = number
        if any(cells):
            last = number
            width = max(width, len(cells)) if number <= LOOKED_AT_FOR_WIDTH else width
        if count > limits.MOST_ROWS + 1:
            raise FileRefused("too_many_rows", most=limits.MOST_ROWS)
    if first is None or last == 0:
        raise FileRefused("empty")
    job.has_headings = columns.is_heading(first, plan_of(job.tenant_id)) if has_headings is None else has_headings
    names = [cleaning.line(cell)[:100] for cell in first] if job.has_headings else []
    job.headers = [name or letter for name, letter in zip(_padded(names, width), columns.letters(width), strict=True)]
    job.rows_total = last - 1 if job.has_headings else last
    if job.rows_total <= 0:
        raise FileRefused("no_rows")


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
