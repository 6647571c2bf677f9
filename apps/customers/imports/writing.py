"""Many rows into customers at once: a handful of queries for hundreds of rows.

Who a row is: whoever has its external id; without one, whoever has one of its numbers **and** its name, so that the
members of a household who share a telephone stay apart. A row without a name is whoever alone has its number. Cells
that are empty leave what is on file; numbers and tags are added, none is taken away.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from apps.customers.imports.rows import Fault, RowData
from apps.customers.models import Customer, PhoneNumber
from apps.customers.services import MOST_NUMBERS, NumberData, tags_named

CHANGEABLE = ("name", "company", "language", "level", "email", "address", "external_id", "remark")


@dataclass(slots=True)
class Outcome:
    created: int = 0
    updated: int = 0
    skipped: int = 0
    faults: list[Fault] = field(default_factory=list)


class Batch:
    """The customers that some rows speak of, as they are and as they become. Nothing is written before ``write``."""

    def __init__(self, tenant_id: int, rows: Sequence[RowData], *, update_existing: bool = True) -> None:
        self.tenant_id = tenant_id
        self.outcome = Outcome()
        self.results: dict[int, str] = {}  # row -> created, updated, skipped; a refused one is among the faults
        self._update_existing = update_existing
        self._new: list[Customer] = []
        self._changed: dict[int, Customer] = {}
        self._numbers: dict[int, dict[tuple[str, str], NumberData]] = defaultdict(
            dict
        )  # added, by id() of the customer
        self._tags: dict[int, list[str]] = defaultdict(list)
        self._touched: dict[int, Customer] = {}  # by id(), whoever gets numbers or tags
        self._read(rows)
        for row in rows:
            self._take(row)

    def _read(self, rows: Sequence[RowData]) -> None:
        """Everybody whom the rows could mean, in three queries."""
        ids = {row.external_id for row in rows if row.external_id}
        wanted = {item.number for row in rows for item in row.numbers}
        on_file = Customer.objects.filter(tenant_id=self.tenant_id, removed_at=None)
        held = list(PhoneNumber.objects.filter(tenant_id=self.tenant_id, number__in=wanted).values_list("customer_id"))
        by_number = on_file.filter(pk__in=[pk for (pk,) in held])
        people = {row.pk: row for row in [*on_file.filter(external_id__in=ids), *by_number]}
        self._by_external_id = {row.external_id: row for row in people.values() if row.external_id}
        self._by_number: dict[str, dict[int, Customer]] = defaultdict(dict)
        self._has: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._has_tags: dict[int, set[str]] = defaultdict(set)
        for item in PhoneNumber.objects.filter(customer_id__in=people):
            customer = people[item.customer_id]
            self._by_number[item.number][id(customer)] = customer
            self._has[id(customer)].add((item.number, item.extension))
        tagged = Customer.tags.through.objects.filter(customer_id__in=people).values_list("customer_id", "tag__name")
        for pk, name in tagged:
            self._has_tags[id(people[pk])].add(name)

    # --- who -------------------------------------------------------------------------------------------------------

    def _take(self, row: RowData) -> None:
        known = self._by_external_id.get(row.external_id) if row.external_id else None
        if known is None:
            found = self._with_number(row)
            if len(found) > 1:
                self.outcome.faults.append(_fault(row, "ambiguous", count=len(found)))
                return
            known = found[0] if found else None
        if known is None:
            self._create(row)
        elif self._update_existing:
            self._update(known, row)
        else:
            self._skip(row)

    def _skip(self, row: RowData) -> None:
        self.outcome.skipped += 1
        self.results[row.row] = "skipped"

    def _with_number(self, row: RowData) -> list[Customer]:
        everybody: dict[int, Customer] = {}
        for item in row.numbers:
            everybody |= self._by_number.get(item.number, {})
        found = [customer for customer in everybody.values() if not row.name or _same(customer.name, row.name)]
        if row.external_id:  # theirs is another one, or they have none yet
            found = [customer for customer in found if not customer.external_id]
        return found

    # --- what ------------------------------------------------------------------------------------------------------

    def _create(self, row: RowData) -> None:
        if not row.name:
            self.outcome.faults.append(_fault(row, "name_missing"))
            return
        if len(row.numbers) > MOST_NUMBERS:
            self.outcome.faults.append(_fault(row, "too_many_numbers", most=MOST_NUMBERS))
            return
        customer = Customer(tenant_id=self.tenant_id, **row.fields)
        self._new.append(customer)
        self._add(customer, row)
        self.outcome.created += 1
        self.results[row.row] = "created"

    def _update(self, customer: Customer, row: RowData) -> None:
        fresh = {(item.number, item.extension) for item in row.numbers} - self._has[id(customer)]
        if len(self._has[id(customer)] | fresh) > MOST_NUMBERS:
            self.outcome.faults.append(_fault(row, "too_many_numbers", most=MOST_NUMBERS))
            return
        changes = {name: value for name, value in row.fields.items() if getattr(customer, name) != value}
        if not changes and not fresh and set(row.tags) <= self._has_tags[id(customer)]:
            self._skip(row)
            return
        for name, value in changes.items():
            setattr(customer, name, value)
        if customer.pk is not None:
            self._changed[customer.pk] = customer
        self._add(customer, row)
        self.outcome.updated += 1
        self.results[row.row] = "updated"

    def _add(self, customer: Customer, row: RowData) -> None:
        key = id(customer)
        self._touched[key] = customer
        if customer.external_id:
            self._by_external_id[customer.external_id] = customer
        for item in row.numbers:
            self._by_number[item.number][key] = customer
            if (item.number, item.extension) not in self._has[key]:
                self._has[key].add((item.number, item.extension))
                self._numbers[key][(item.number, item.extension)] = item
        for name in row.tags:
            if name not in self._has_tags[key]:
                self._has_tags[key].add(name)
                self._tags[key].append(name)

    # --- write -----------------------------------------------------------------------------------------------------

    @transaction.atomic
    def write(self) -> Outcome:
        """Raises ``IntegrityError`` when somebody took an external id meanwhile: make the batch again."""
        Customer.objects.bulk_create(self._new)
        now = timezone.now()
        for customer in self._changed.values():
            customer.version += 1
            customer.updated_at = now
        Customer.objects.bulk_update(self._changed.values(), [*CHANGEABLE, "version", "updated_at"])
        PhoneNumber.objects.bulk_create(self._number_rows(), ignore_conflicts=True)
        names = {name for names in self._tags.values() for name in names}
        tags = {tag.name: tag for tag in tags_named(self.tenant_id, sorted(names))} if names else {}
        through = Customer.tags.through
        through.objects.bulk_create(
            [
                through(customer_id=self._touched[key].pk, tag_id=tags[name].pk)
                for key, names in self._tags.items()
                for name in names
            ],
            ignore_conflicts=True,
        )
        return self.outcome

    def _number_rows(self) -> Iterable[PhoneNumber]:
        for key, items in self._numbers.items():
            before = len(self._has[key]) - len(items)
            for place, item in enumerate(items.values(), before):
                yield PhoneNumber(
                    tenant_id=self.tenant_id,
                    customer_id=self._touched[key].pk,
                    position=place,
                    **dataclasses.asdict(item),
                )


def _same(one: str, other: str) -> bool:
    return one.replace(" ", "").casefold() == other.replace(" ", "").casefold()


def _fault(row: RowData, code: str, **detail: object) -> Fault:
    value = row.numbers[0].as_written if row.numbers else row.external_id
    return Fault(row.row, "", value[:200], code, detail)
