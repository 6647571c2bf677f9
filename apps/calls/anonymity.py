"""Calls that stay and no longer tell whose they were: times, outcomes and figures are kept, who it was is not.

The one exception to "history is never edited" (``models``): a person's right to be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.calls.going_on import going_on
from apps.calls.models import Call, CallDisposition, Leg
from apps.calls.services import RECORDER_LOCK
from apps.core.events import LegRole

ANONYMOUS = "anonymous"
"""As SIP says it, and as numbers are read that were withheld."""
AT_ONCE = 1000
_IN_FACTS = {
    "caller_number": ANONYMOUS, "number": ANONYMOUS, "caller_name": "", "customer": "", "note": "", "digits": "",
    "attached": {},
}  # fmt: skip


def live(calls: QuerySet[Call]) -> bool:
    """Whether one of them goes on now."""
    return calls.filter(going_on()).exists()


@transaction.atomic
def anonymise(call_ids: Sequence[str], texts: Collection[str]) -> None:
    """Take out of these calls, their legs, dispositions and facts who the other side was and what was noted.

    ``texts`` are the numbers in every form: where one of them is the number called, it goes as well.
    """
    with connection.cursor() as cursor:
        # The recorder writes calls whole: not between our reading and our writing.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECORDER_LOCK])
        for ids in pieces(call_ids):
            calls = Call.objects.filter(pk__in=ids)
            calls.update(caller_number=ANONYMOUS, caller_name="")
            calls.filter(did__in=texts).update(did=ANONYMOUS)
            legs = Leg.objects.filter(call__in=ids).exclude(address="")
            legs.filter(role=LegRole.CUSTOMER).update(address=ANONYMOUS)
            legs.filter(address__in=texts).update(address=ANONYMOUS)
            CallDisposition.objects.filter(call__in=ids).exclude(note="").update(note="")
            # The index leaves out facts of no call; PostgreSQL does not see by a long list alone that it would do.
            cursor.execute(
                "UPDATE calls_factrecord SET data = data || (SELECT coalesce(jsonb_object_agg(name, value), '{}')"
                " FROM jsonb_each(%s::jsonb) AS other(name, value) WHERE data ? name)"
                " WHERE call <> '' AND call = ANY(%s)",
                [json.dumps(_IN_FACTS), list(ids)],
            )
            cursor.execute(
                "UPDATE calls_factrecord SET data = jsonb_set(data, '{address}', to_jsonb(%s::text))"
                " WHERE call <> '' AND call = ANY(%s) AND type = 'LegStarted' AND data->>'role' = %s",
                [ANONYMOUS, list(ids), LegRole.CUSTOMER.value],
            )


def pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]
