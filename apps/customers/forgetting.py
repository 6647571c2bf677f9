"""The right to be forgotten: a customer is erased wherever something of theirs is kept.

The customer's own rows, the calls with them (which stay, as anybody's), the webhooks' log, reasons of imports, answers
kept for repeats, and the audit log. Nobody hears their recordings from then on, and the next nightly retention removes
the sound. Calls under a legal hold are left as they are, and told. Not reached from here: switches' own record files,
backups, and what other programs were told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.audit_events import Event, note
from apps.api.models import IdempotentRequest
from apps.calls import anonymity
from apps.calls.models import Call
from apps.customers.models import CallLink, Customer, ImportFault, Note, PhoneNumber
from apps.customers.models.people import Level
from apps.customers.numbers import spellings
from apps.customers.selectors import plan_of
from apps.customers.services import ERASED_NAME, Refused
from apps.recordings.models import Recording
from apps.webhooks.forgetting import forget_calls

TEXTS = ("company", "language", "email", "address", "external_id", "remark")
HIDDEN = "***"
Held = Callable[[Sequence[str]], set[str]]

_holds: list[Held] = []


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many calls were made anonymous, and how many a legal hold keeps as they are."""

    calls: int
    held: int


def keep(held: Held) -> None:
    """Whoever knows of calls that must stay as they are tells it here (``apps.py``)."""
    if held not in _holds:
        _holds.append(held)


@transaction.atomic
def erase(customer: Customer) -> Erasure:
    """Forget the person, and those merged into them. Cannot be undone. Raises ``Refused``: a call goes on now.

    The row stays, so that a call that was linked to it is still a call with somebody.
    """
    rows = list(Customer.objects.select_for_update().filter(Q(pk=customer.pk) | Q(merged_into=customer)))
    texts = _numbers_of(rows)
    calls = calls_only_of(rows)
    if anonymity.live(calls):
        raise Refused("call_live")
    ids = list(calls.values_list("pk", flat=True))
    held = {pk for of in _holds for pk in of(ids)}
    free = [pk for pk in ids if pk not in held]
    anonymity.anonymise(free, texts)
    Recording.objects.filter(call__in=free).update(forgotten_at=timezone.now())
    forget_calls(customer.tenant_id, free)
    _forget_imports(customer.tenant_id, rows, texts)
    _forget_answers(rows)
    for row in rows:
        _erase_row(row)
    _clean_log(rows)
    note(Event.CUSTOMER_ERASED, customer, name=f"#{customer.pk}", tenant_id=customer.tenant_id)
    return Erasure(len(free), len(held))


def calls_only_of(rows: Sequence[Customer]) -> QuerySet[Call]:
    """Calls said to be with one of them, and those of their numbers that nobody else on file has."""
    tenant_id, keys = rows[0].tenant_id, [row.pk for row in rows]
    shared = PhoneNumber.objects.filter(tenant_id=tenant_id, customer__removed_at=None).exclude(customer__in=keys)
    own = _numbers_of(rows, but=set(shared.values_list("number", flat=True)))
    links = CallLink.objects.filter(tenant_id=tenant_id)
    mine = list(links.filter(customer__in=keys).values_list("call_id", flat=True))
    others = links.exclude(customer__in=keys).values("call_id")
    return Call.objects.filter(Q(pk__in=mine) | (Q(caller_number__in=own) & ~Q(pk__in=others)), tenant_id=tenant_id)


def _numbers_of(rows: Sequence[Customer], but: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
    """Every text in which their numbers may be written."""
    plan = plan_of(rows[0].tenant_id)
    numbers = PhoneNumber.objects.filter(customer__in=rows).exclude(number__in=but)
    found = {text for number in numbers for text in spellings(number.number, plan)}
    return found | {number.as_written for number in numbers if number.as_written}


def _forget_imports(tenant_id: int, rows: Sequence[Customer], texts: set[str]) -> None:
    known = texts | {getattr(row, name) for row in rows for name in ("name", *TEXTS)} - {""}
    ImportFault.objects.filter(job__tenant_id=tenant_id, value__in=known).update(value="")


def _forget_answers(rows: Sequence[Customer]) -> None:
    """Kept for a day, for requests that are sent again: of a customer, and of a note about one."""
    notes = list(Note.objects.filter(customer__in=rows).values_list("pk", flat=True))
    customers = Q(body__id__in=[row.pk for row in rows], body__has_key="numbers")
    written = Q(body__id__in=notes, body__has_key="author_name")
    IdempotentRequest.objects.filter(customers | written, tenant_id=rows[0].tenant_id).delete()


def _erase_row(row: Customer) -> None:
    for name in TEXTS:
        setattr(row, name, "")
    row.name, row.level, row.owner = ERASED_NAME, Level.STANDARD, None
    row.erased_at = timezone.now()
    row.removed_at = row.removed_at or row.erased_at
    row.version += 1
    row.save()
    row.numbers.all().delete()
    row.written_notes.all().delete()
    row.tags.clear()


def _clean_log(rows: Sequence[Customer]) -> None:
    """That somebody changed a field stays in the audit log; what it held does not."""
    keys = [str(row.pk) for row in rows]
    kinds = ContentType.objects.get_for_models(Customer, Note)
    of_notes = Q(pk__in=[])
    for key in keys:
        of_notes |= Q(changes__customer__contains=[key])
    entries = LogEntry.objects.filter(
        Q(content_type=kinds[Customer], object_pk__in=keys) | (Q(content_type=kinds[Note]) & of_notes)
    )
    for entry in entries.iterator():
        entry.changes = {name: _hidden(name, change) for name, change in (entry.changes or {}).items()}
        entry.object_repr, entry.serialized_data, entry.changes_text = ERASED_NAME, None, ""
        LogEntry.objects.filter(pk=entry.pk).update(
            changes=entry.changes, object_repr=ERASED_NAME, serialized_data=None, changes_text=""
        )


def _hidden(name: str, change: Any) -> Any:
    """The customer's key stays: by it an entry is found again."""
    if name in ("customer", "other") or isinstance(change, dict):
        return change
    return [HIDDEN for _value in change]
