"""Customers as CSV, one row after the other, fit to be opened in a spreadsheet.

A cell that begins as a formula does is given an apostrophe: a spreadsheet would run it (OWASP, CSV injection). An
import takes the apostrophe off a number again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.customers.models import Customer, PhoneNumber

MARK = "\ufeff"  # so that Excel reads it as UTF-8
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FETCHED_AT_ONCE = 500


class _Echo:
    def write(self, text: str) -> str:
        return text


def safe(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a CSV file, each cell safe. The first carries the mark."""
    writer = csv.writer(_Echo())
    for index, row in enumerate(rows):
        line: str = writer.writerow([safe(cell) for cell in row])
        yield MARK + line if index == 0 else line


def headings() -> list[str]:
    """Such that an import recognises every column again, in either language."""
    return [
        _("external id"), pgettext("person", "name"), _("company"), _("number"), _("e-mail"), _("address"), _("level"),
        _("language"), _("tags"), _("remark"),
    ]  # fmt: skip


def customer_rows(customers: QuerySet[Customer], names: Sequence[str]) -> Iterator[Sequence[object]]:
    """``names`` are the headings: by the time that this runs, the request's language is forgotten."""
    yield names
    found = customers.prefetch_related("numbers", "tags").order_by("pk")
    for customer in found.iterator(chunk_size=FETCHED_AT_ONCE):
        numbers = ";".join(
            number.number + (f"x{number.extension}" if number.extension else "") for number in customer.numbers.all()
        )
        tags = ";".join(tag.name for tag in customer.tags.all())
        yield (
            customer.external_id, customer.name, customer.company, numbers, customer.email, customer.address,
            customer.level, customer.language, tags, customer.remark,
        )  # fmt: skip


def _written(number: PhoneNumber) -> str:
    return f"{number.number}x{number.extension}" if number.extension else number.number
