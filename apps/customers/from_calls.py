"""What history tells of customers: a call placed for one of them is with that one, whatever its number says."""

from __future__ import annotations

from collections.abc import Sequence

from apps.calls.projection import StoredFact, row_id
from apps.core.facts import CallStarted
from apps.customers.models import CallLink, Customer


def link_dialled(new: Sequence[StoredFact]) -> None:
    """Follower of history. What somebody at the call has chosen stays; an id that is no customer's is the asker's."""
    wanted = {item.fact.call: item.fact for item in new if isinstance(item.fact, CallStarted) and item.fact.customer}
    if not wanted:
        return
    ids = {pk for fact in wanted.values() if (pk := row_id(fact.customer)) is not None}
    known = {(row.tenant_id, row.pk): row for row in Customer.objects.filter(pk__in=ids, removed_at=None)}
    links = [
        CallLink(tenant_id=customer.tenant_id, call_id=call, customer=customer)
        for call, fact in wanted.items()
        if (customer := known.get((row_id(fact.tenant), row_id(fact.customer)))) is not None  # type: ignore[arg-type]
    ]
    CallLink.objects.bulk_create(links, ignore_conflicts=True)
