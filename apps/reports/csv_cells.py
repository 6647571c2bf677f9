"""CSV that spreadsheets open as text and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

BOM = "\ufeff"
"""Excel takes a file without it for the system's own encoding, and Chinese for noise."""
_STARTS_FORMULA = tuple("=+-@\t\r\n=+-@|%")


def cell(value: object) -> str:
    """A value as a cell. Texts that a spreadsheet would run as a formula get an apostrophe (CWE-1236)."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value).replace("\x00", "")
    return f"'{text}" if text.lstrip(" \u3000\ufeff").startswith(_STARTS_FORMULA) else text


def csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([cell(value) for value in values])
    return line.getvalue()
