"""Customers as CSV, one row after the other, fit to be opened in a spreadsheet (``csv_cells``).

An import takes the apostrophe off a number again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.customers.models import Customer, PhoneNumber
from apps.reports.csv_cells import BOM, csv_line

FETCHED_AT_ONCE = 500


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a CSV file, each cell safe. The first carries the mark."""
    for index, row in enumerate(rows):
        yield (BOM if index == 0 else "") + csv_line(row)


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
        numbers = ";".join(_written(number) for number in customer.numbers.all())
        tags = ";".join(tag.name for tag in customer.tags.all())
        yield (
            customer.external_id, customer.name, customer.company, numbers, customer.email, customer.address,
            customer.level, customer.language, tags, customer.remark,
        )  # fmt: skip


def _written(number: PhoneNumber) -> str:
    return f"{number.number}x{number.extension}" if number.extension else number.number
