"""All contacts of a customer, newest first: calls in both directions and the notes written about them.

A call belongs to whoever was chosen for it (``CallLink``); a call for which nobody was chosen to everybody who has its
number. So the members of a household see its calls until somebody says whose a call was.
"""

from __future__ import annotations

import datetime
import heapq
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from apps.agents.models import Disposition
from apps.calls.models import Call, CallDisposition
from apps.core.facts import CallOutcome
from apps.customers.models import CallLink, Customer, Note
from apps.customers.numbers import spellings
from apps.customers.selectors import plan_of
from apps.recordings.models import Recording, RecordingStatus

UNSET = "UNSET"  # wrap-up ran out before anything was chosen
Position = tuple[datetime.datetime, str]  # of the last entry seen: its time, and its key among those of one moment


@dataclass(slots=True)
class Entry:
    """``kind`` is call or note, ``row`` the model's."""

    at: datetime.datetime
    kind: str
    row: Any
    disposition: CallDisposition | None = None
    disposition_name: str = ""
    recordings: list[Recording] = field(default_factory=list)
    linked: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.row.pk}"

    @property
    def order(self) -> tuple[datetime.datetime, str, Any]:
        """As the database orders those of one kind: notes by number, calls by text."""
        return self.at, self.kind, self.row.pk

    @property
    def missed(self) -> bool:
        """A call that came in and that nobody took."""
        return self.kind == "call" and self.row.direction == "inbound" and self.row.outcome in _MISSED


_MISSED = {CallOutcome.ABANDONED, CallOutcome.OVERFLOWED, CallOutcome.FAILED}


def contacts(customer: Customer, *, before: Position | None = None, limit: int = 50) -> tuple[list[Entry], bool]:
    """Up to ``limit`` entries older than ``before``, and whether there are more."""
    calls = _page(calls_of(customer), "started_at", "call", before, limit + 1)
    notes = _page(
        Note.objects.filter(customer=customer).select_related("author"), "created_at", "note", before, limit + 1
    )
    merged = heapq.nlargest(limit + 1, [*calls, *notes], key=lambda entry: entry.order)
    found = merged[:limit]
    _complete(customer, found)
    return found, len(merged) > limit


def calls_of(customer: Customer) -> QuerySet[Call]:
    """The calls with this customer, in no order."""
    plan = plan_of(customer.tenant_id)
    numbers = set(customer.numbers.values_list("number", flat=True))
    texts = {text for number in numbers for text in spellings(number, plan)}
    links = CallLink.objects.filter(tenant_id=customer.tenant_id)
    mine = list(links.filter(customer=customer).values_list("call_id", flat=True))
    others = links.exclude(customer=customer).values("call_id")
    by_number = Q(caller_number__in=texts) & ~Q(pk__in=others)
    calls = Call.objects.filter(Q(pk__in=mine) | by_number, tenant_id=customer.tenant_id)
    return calls.select_related("last_queue", "last_agent")


def _page(rows: QuerySet[Any], at: str, kind: str, before: Position | None, limit: int) -> list[Entry]:
    if before is not None:
        time, key = before
        same = Q(**{at: time})
        seen_kind, _, seen_pk = key.partition(":")
        if kind == seen_kind:
            older = Q(**{f"{at}__lt": time}) | (same & Q(pk__lt=int(seen_pk) if kind == "note" else seen_pk))
        else:  # of one moment, notes come before calls
            older = Q(**{f"{at}__lt": time}) | (same if kind < seen_kind else Q(pk__in=[]))
        rows = rows.filter(older)
    return [Entry(getattr(row, at), kind, row) for row in rows.order_by(f"-{at}", "-pk")[:limit]]


def _complete(customer: Customer, entries: list[Entry]) -> None:
    """What else is known of the calls, in four queries for all of them."""
    calls = {entry.row.pk: entry for entry in entries if entry.kind == "call"}
    if not calls:
        return
    names = dict(Disposition.objects.filter(tenant_id=customer.tenant_id).values_list("code", "name"))
    for said in CallDisposition.objects.filter(call_id__in=calls).select_related("agent").order_by("at"):
        calls[said.call_id].disposition = said
        if said.disposition != UNSET:
            calls[said.call_id].disposition_name = names.get(said.disposition, said.disposition)
    done = Recording.objects.filter(call_id__in=calls, status=RecordingStatus.DONE).order_by("asked_at")
    for recording in done:
        calls[recording.call_id].recordings.append(recording)
    for call_id in CallLink.objects.filter(customer=customer, call_id__in=calls).values_list("call_id", flat=True):
        calls[call_id].linked = True
