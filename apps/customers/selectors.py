"""Finding customers: by what somebody types, and by the number of a call."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Reverse

from apps.customers.models import CallLink, Customer, NumberPlan, PhoneNumber
from apps.customers.models.people import SearchGrams
from apps.customers.numbers import Plan, Reading, read

MOST_SEARCH_CHARACTERS = 64
LEAST_SUFFIX_DIGITS = 3
MOST_MATCHES = 20
MOST_BY_NUMBER = 200
_NUMBER_LIKE = re.compile(r"\+?[\d\s\-().]{3,}")
_NO_DIGIT = re.compile(r"\D")


def plan_of(tenant_id: int) -> Plan:
    """How this tenant's numbers are read."""
    row = NumberPlan.objects.filter(tenant_id=tenant_id).first()
    return row.as_plan() if row is not None else Plan()


def customers_of(tenant_id: int) -> QuerySet[Customer]:
    """Those that are on file: neither removed nor merged into another."""
    return Customer.objects.filter(tenant_id=tenant_id, removed_at=None)


def search(tenant_id: int, text: str) -> QuerySet[Customer]:
    """Customers on file who fit ``text``; all of them when it is empty."""
    return customers_of(tenant_id).filter(fits(tenant_id, text))


def fits(tenant_id: int, text: str) -> Q:
    """Whose name, company, external id or e-mail holds every word, or whose number ends with the digits."""
    text = text.replace("\x00", "")[:MOST_SEARCH_CHARACTERS].strip()
    if not text:
        return Q()
    condition = _words(text)
    if _NUMBER_LIKE.fullmatch(text):
        condition |= _number(tenant_id, text)
    return condition


def _words(text: str) -> Q:
    """The index proposes by pairs of characters; the words themselves decide."""
    condition = Q(grams__contains=SearchGrams(Value(text)))
    for word in text.split():
        condition &= (
            Q(name__icontains=word)
            | Q(company__icontains=word)
            | Q(external_id__icontains=word)
            | Q(email__icontains=word)
        )
    return condition


def _number(tenant_id: int, text: str) -> Q:
    """Whoever has this number or one that ends so.

    Asked first, not as a subquery: only with the keys in hand does PostgreSQL use both indexes of an OR.
    """
    rows = PhoneNumber.objects.filter(tenant_id=tenant_id)
    wanted = Q(number__in=read(text, plan_of(tenant_id)).numbers)
    tail = _NO_DIGIT.sub("", text)
    if len(tail) >= LEAST_SUFFIX_DIGITS:
        rows = rows.annotate(backwards=Reverse("number"))
        wanted |= Q(backwards__startswith=tail[::-1])
    return Q(pk__in=list(rows.filter(wanted).values_list("customer_id", flat=True)[:MOST_BY_NUMBER]))


@dataclass(frozen=True, slots=True)
class Match:
    """Who a number belongs to. Several: somebody must choose. ``linked``: somebody has."""

    reading: Reading
    customers: list[Customer]
    linked: bool = False

    @property
    def result(self) -> str:
        if self.customers:
            return "one" if len(self.customers) == 1 else "several"
        return "withheld" if self.reading.withheld else "none"


def match(tenant_id: int, text: str) -> Match:
    """Everybody whose number this can be; ``text`` is as the trunk sent it. Most recently changed first."""
    reading = read(text, plan_of(tenant_id))
    if not reading.numbers:
        return Match(reading, [])
    ids = PhoneNumber.objects.filter(tenant_id=tenant_id, number__in=reading.numbers)
    if reading.extension:
        # A switchboard's number is shared by its extensions: who has exactly this one comes alone.
        exact = ids.filter(extension=reading.extension)
        ids = exact if exact.exists() else ids
    found = customers_of(tenant_id).filter(pk__in=ids.values("customer_id"))
    return Match(reading, list(found.order_by("-updated_at", "pk")[:MOST_MATCHES]))


def match_call(tenant_id: int, call_id: str, text: str) -> Match:
    """Whom a call is with: the one that was chosen for it, else everybody who has the number."""
    link = (
        CallLink.objects.filter(tenant_id=tenant_id, call_id=call_id, customer__removed_at=None)
        .select_related("customer")
        .first()
        if call_id
        else None
    )
    if link is not None:
        return Match(read(text, plan_of(tenant_id)), [link.customer], linked=True)
    return match(tenant_id, text)


def names_of(tenant_id: int, calls: Mapping[str, str]) -> dict[str, str]:
    """Call -> customer, where it is one alone; ``calls`` has the number of each. A few queries, however many calls."""
    plan = plan_of(tenant_id)
    meant = {call: read(number, plan).numbers for call, number in calls.items()}
    owners: dict[str, dict[int, str]] = defaultdict(dict)
    rows = PhoneNumber.objects.filter(tenant_id=tenant_id, customer__removed_at=None)
    wanted = {number for numbers in meant.values() for number in numbers}
    for number, pk, name in rows.filter(number__in=wanted).values_list("number", "customer_id", "customer__name"):
        owners[number][pk] = name
    found = {
        call: {pk: name for number in numbers for pk, name in owners[number].items()} for call, numbers in meant.items()
    }
    chosen = CallLink.objects.filter(tenant_id=tenant_id, call_id__in=calls, customer__removed_at=None)
    alone = {call: next(iter(names.values())) for call, names in found.items() if len(names) == 1}
    return alone | dict(chosen.values_list("call_id", "customer__name"))
