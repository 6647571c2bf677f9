"""Changes to customers. Each is one transaction; each checks that all it touches is of one tenant.

``version`` grows with every change, also of numbers and tags: whoever edits can tell that somebody else did meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.audit_events import Event, note
from apps.accounts.models import User
from apps.customers.models import CallLink, Customer, Note, PhoneNumber, Tag
from apps.customers.models.people import Level

MOST_NUMBERS = 20
MOST_TAGS = 30
ERASED_NAME = "—"


class Refused(Exception):
    """A change that cannot be made; ``code`` is stable and put into words at the edge."""

    def __init__(self, code: str, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberData:
    """A number to be kept, read already: ``number`` is E.164 or a short code."""

    number: str
    extension: str = ""
    label: str = "mobile"
    as_written: str = ""


@transaction.atomic
def create_customer(
    tenant_id: int, fields: dict[str, Any], numbers: Sequence[NumberData] = (), tags: Iterable[str] = ()
) -> Customer:
    """``fields`` are those of the model, clean. Raises ``Refused``."""
    customer = Customer(tenant_id=tenant_id, **fields)
    _check(customer)
    _write(customer)
    set_numbers(customer, numbers)
    set_tags(customer, tags)
    return customer


@transaction.atomic
def update_customer(
    customer: Customer,
    fields: dict[str, Any],
    *,
    numbers: Sequence[NumberData] | None = None,
    tags: Iterable[str] | None = None,
) -> Customer:
    """Change ``fields``; ``numbers`` and ``tags``, where given, replace those there were. Raises ``Refused``."""
    customer = locked(customer)
    for name, value in fields.items():
        setattr(customer, name, value)
    customer.version += 1
    _check(customer)
    _write(customer)
    if numbers is not None:
        set_numbers(customer, numbers)
    if tags is not None:
        set_tags(customer, tags)
    return customer


def locked(customer: Customer) -> Customer:
    """The row as it is now, kept from others until the transaction ends. Raises ``Refused`` when it is gone."""
    found = Customer.objects.select_for_update().filter(pk=customer.pk, removed_at=None).first()
    if found is None:
        raise Refused("gone")
    return found


def _check(customer: Customer) -> None:
    if not customer.name:
        raise Refused("name_missing", "name")
    owner = customer.owner
    if owner is not None and owner.tenant_id != customer.tenant_id:
        raise Refused("other_tenant", "owner")


def _write(customer: Customer) -> None:
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as error:
        if "external_id_once_per_tenant" in str(error):
            raise Refused("external_id_taken", "external_id") from error
        raise


def set_numbers(customer: Customer, numbers: Sequence[NumberData]) -> None:
    """These and no others, in this order. A number that stays keeps its row."""
    wanted = {(item.number, item.extension): item for item in numbers}
    if len(wanted) > MOST_NUMBERS:
        raise Refused("too_many_numbers", "numbers")
    for row in PhoneNumber.objects.filter(customer=customer):
        if (row.number, row.extension) not in wanted:
            row.delete()
    rows = [
        PhoneNumber(
            tenant_id=customer.tenant_id,
            customer=customer,
            number=item.number,
            extension=item.extension,
            label=item.label,
            as_written=item.as_written,
            position=position,
        )
        for position, item in enumerate(wanted.values())
    ]
    PhoneNumber.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["customer", "number", "extension"],
        update_fields=["label", "position", "as_written"],
    )


def tags_named(tenant_id: int, names: Iterable[str]) -> list[Tag]:
    """The tenant's tags of these names; those that are new are made."""
    wanted = list(dict.fromkeys(names))
    Tag.objects.bulk_create([Tag(tenant_id=tenant_id, name=name) for name in wanted], ignore_conflicts=True)
    return list(Tag.objects.filter(tenant_id=tenant_id, name__in=wanted))


def set_tags(customer: Customer, names: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(names))
    if len(wanted) > MOST_TAGS:
        raise Refused("too_many_tags", "tags")
    customer.tags.set(tags_named(customer.tenant_id, wanted))


def add_note(customer: Customer, text: str, author: User | None, call_id: str = "") -> Note:
    """Raises ``Refused`` for an empty text."""
    if not text:
        raise Refused("empty", "text")
    return Note.objects.create(
        tenant_id=customer.tenant_id,
        customer=customer,
        text=text,
        author=author,
        author_name=author.display_name if author is not None else "",
        call_id=call_id,
    )


def link_call(customer: Customer, call_id: str, user: User | None) -> CallLink:
    """This call is with this customer. Said again, the last word counts."""
    link, _made = CallLink.objects.update_or_create(
        tenant_id=customer.tenant_id, call_id=call_id, defaults={"customer": customer, "linked_by": user}
    )
    return link


@transaction.atomic
def merge(kept: Customer, other: Customer) -> Customer:
    """``other`` goes into ``kept``: numbers, tags, notes and calls move, empty fields are filled from it.

    Raises ``Refused``: the same twice, of another tenant, or one of them gone meanwhile.
    """
    if kept.pk == other.pk or kept.tenant_id != other.tenant_id:
        raise Refused("cannot_merge")
    # In one order, so that two merges the other way round do not wait for each other.
    rows = {row.pk: locked(row) for row in sorted((kept, other), key=lambda row: row.pk)}
    kept, other = rows[kept.pk], rows[other.pk]
    other.removed_at, other.merged_into = timezone.now(), kept
    other.save()
    for name in ("company", "language", "email", "address", "external_id", "remark", "owner_id"):
        if not getattr(kept, name):
            setattr(kept, name, getattr(other, name))
    if list(Level).index(Level(other.level)) > list(Level).index(Level(kept.level)):
        kept.level = other.level
    kept.version += 1
    _write(kept)
    _move_numbers(kept, other)
    kept.tags.add(*other.tags.all())
    Note.objects.filter(customer=other).update(customer=kept)
    CallLink.objects.filter(customer=other).update(customer=kept)
    Customer.objects.filter(merged_into=other).update(merged_into=kept)
    note(Event.CUSTOMERS_MERGED, kept, tenant_id=kept.tenant_id, other=f"#{other.pk}")
    return kept


def _move_numbers(kept: Customer, other: Customer) -> None:
    known = set(PhoneNumber.objects.filter(customer=kept).values_list("number", "extension"))
    for row in PhoneNumber.objects.filter(customer=other):
        if (row.number, row.extension) in known:
            row.delete()
    PhoneNumber.objects.filter(customer=other).update(customer=kept, position=F("position") + len(known))


@transaction.atomic
def remove(customer: Customer) -> None:
    """Nobody finds them any more; an administrator can bring them back. Raises ``Refused``."""
    customer = locked(customer)
    customer.removed_at = timezone.now()
    customer.version += 1
    customer.save()


@transaction.atomic
def restore(customer: Customer) -> None:
    """Undo a removal. Raises ``Refused`` when there is nothing left, or the external id is somebody else's now."""
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    if customer.removed_at is None or customer.erased_at is not None or customer.merged_into_id is not None:
        raise Refused("cannot_restore")
    customer.removed_at = None
    customer.version += 1
    _write(customer)
