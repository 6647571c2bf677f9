"""Rows of cells out of a CSV or xlsx file, one after the other: a file of any length takes the memory of one row."""

from __future__ import annotations

import codecs
import csv
import datetime
import itertools
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from apps.customers.imports import limits
from apps.customers.imports.limits import FileRefused

ZIP_MARK, OLE_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
DELIMITERS = (",", "\t", ";", "|", ",")
LINES_LOOKED_AT = 30
SHEETS = "xl/worksheets/"
LOOKED_THROUGH = 1 << 20
ROW_END, ANY_ROW_END = b"</row>", re.compile(rb"</\w+:row>")  # some programs write a prefix
csv.field_size_limit(1 << 20)

Row = tuple[int, list[str]]  # the row's number as a spreadsheet counts it, and its cells


@dataclass(frozen=True, slots=True)
class Shape:
    """How to read a file."""

    kind: str  # csv or xlsx
    encoding: str = ""
    delimiter: str = ""


def kind_of(file: BinaryIO) -> str:
    """``csv`` or ``xlsx`` by its first bytes; a name proves nothing. Raises ``FileRefused``."""
    file.seek(0)
    start = file.read(8)
    file.seek(0)
    if not start.strip(b"\0\r\n\t "):
        raise FileRefused("empty")
    if start.startswith(OLE_MARK):
        raise FileRefused("old_excel")  # .xls, or an xlsx with a password
    return "xlsx" if start.startswith(ZIP_MARK) else "csv"


def rows_of(file: BinaryIO, shape: Shape) -> Iterator[Row]:
    """Every row, empty ones too. Raises ``FileRefused`` where the file breaks off or turns out to be something else."""
    file.seek(0)
    rows = _xlsx_rows(file) if shape.kind == "xlsx" else _csv_rows(file, shape)
    for number, cells in rows:
        if len(cells) > limits.MOST_COLUMNS and any(cells[limits.MOST_COLUMNS :]):
            raise FileRefused("too_many_columns", most=limits.MOST_COLUMNS, row=number)
        yield number, [cell[: limits.MOST_CELL_CHARACTERS] for cell in cells[: limits.MOST_COLUMNS]]


def delimiter_of(file: BinaryIO, encoding: str) -> str:
    """What splits most of the first lines into the same number of cells, the more the better; else a comma."""
    file.seek(0)
    lines = list(itertools.islice(codecs.getreader(encoding)(file), LINES_LOOKED_AT))
    file.seek(0)
    best, score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            counts = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            continue
        common = max(set(counts), key=counts.count, default=1)
        found = (common - 1) * counts.count(common) / max(len(counts), 1)
        if found > score:
            best, score = delimiter, found
    return best


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv_rows(file: BinaryIO, shape: Shape) -> Iterator[Row]:
    text = codecs.getreader(shape.encoding)(file, "replace")
    reader = csv.reader(_lines(text), delimiter=shape.delimiter or ",")
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileRefused("broken_csv", row=number) from error
        yield number, cells


def _lines(text: Any) -> Iterator[str]:
    """Lines by their line ends only: ``StreamReader`` also breaks at U+2028 and friends, which are text in a cell."""
    rest = ""
    while piece := text.read(1 << 16):
        parts = (rest + piece).split("\n")
        rest = parts.pop()
        if len(rest) > 1 << 21:
            raise FileRefused("not_text")
        for part in parts:
            yield part + "\n"
    if rest:
        yield rest


# --- xlsx -----------------------------------------------------------------------------------------------------------


def _xlsx_rows(file: BinaryIO) -> Iterator[Row]:
    check_zip(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise FileRefused("empty")
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, [_text(value) for value in values]
        book.close()
    except FileRefused:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, TypeError) as error:
        raise FileRefused("broken_xlsx") from error
    except Exception as error:  # zlib.error, ParseError, whatever else a hostile file brings openpyxl to raise
        raise FileRefused("broken_xlsx") from error


def check_zip(file: BinaryIO) -> None:
    """Raises ``FileRefused`` for what is no workbook, or would be too much when unpacked.

    The sizes are those the archive states; ``zipfile`` unpacks no more of an entry than that.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_sizes(entries)
            for entry in entries:
                if entry.filename.startswith(SHEETS) and entry.file_size > limits.MOST_ROW_BYTES:
                    _check_rows(archive, entry)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise FileRefused("broken_xlsx") from error
    file.seek(0)


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if "xl/workbook.xml" not in {entry.filename for entry in entries}:
        raise FileRefused("broken_xlsx")
    shared = sum(entry.file_size for entry in entries if not entry.filename.startswith(SHEETS))
    sheets = sum(entry.file_size for entry in entries if entry.filename.startswith(SHEETS))
    if (
        len(entries) > limits.MOST_ZIP_ENTRIES
        or shared > limits.MOST_SHARED_TEXT_BYTES
        or sheets > limits.MOST_SHEET_BYTES
    ):
        raise FileRefused("too_large_unpacked")


def _check_rows(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Raises ``FileRefused`` for a sheet with a row (a single cell, mostly) that is a bomb of its own."""
    since = 0
    with archive.open(entry) as sheet:
        while piece := sheet.read(LOOKED_THROUGH):
            end = piece.rfind(ROW_END)
            if end < 0:
                end = max((match.start() for match in ANY_ROW_END.finditer(piece)), default=-1)
            since = since + len(piece) if end < 0 else len(piece) - end
            if since > limits.MOST_ROW_BYTES:
                raise FileRefused("too_large_unpacked")


def _text(value: Any) -> str:
    """A cell as a person reads it. A number typed into Excel must not become 1.39555E+10."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)
