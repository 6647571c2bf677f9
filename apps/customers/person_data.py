"""All that is kept of one person, for that person: a document that a program can read (GDPR article 15 and 20)."""

from __future__ import annotations

from typing import Any

from apps.calls.models import Call, CallDisposition
from apps.customers.forgetting import calls_only_of
from apps.customers.models import Customer, Note, PhoneNumber
from apps.recordings.models import Recording

FIELDS = (
    "name", "company", "language", "level", "email", "address", "external_id", "remark", "created_at", "updated_at",
)  # fmt: skip
OF_CALL = (
    "id", "direction", "did", "caller_number", "caller_name", "started_at", "answered_at", "ended_at", "outcome",
    "wait_ms", "talk_ms", "hold_ms",
)  # fmt: skip


def told(customer: Customer) -> dict[str, Any]:
    """Their fields, numbers, tags and notes, and the calls that are certainly theirs, with what was noted of each.

    Calls of a number that somebody else on file shares are left out, unless they were said to be with this person.
    """
    calls = list(calls_only_of([customer]).order_by("started_at", "pk"))
    keys = [call.pk for call in calls]
    noted: dict[str, list[dict[str, Any]]] = {}
    for row in CallDisposition.objects.filter(call__in=keys).order_by("at"):
        noted.setdefault(row.call_id, []).append({"at": row.at, "disposition": row.disposition, "note": row.note})
    sounds: dict[str, list[dict[str, Any]]] = {}
    for sound in Recording.objects.filter(call__in=keys).order_by("asked_at"):
        sounds.setdefault(sound.call_id, []).append({"id": sound.pk, "duration_ms": sound.duration_ms})
    return {
        "customer": {name: getattr(customer, name) for name in FIELDS},
        "numbers": list(
            PhoneNumber.objects.filter(customer=customer).values("number", "extension", "label", "as_written")
        ),
        "tags": list(customer.tags.values_list("name", flat=True)),
        "notes": list(Note.objects.filter(customer=customer).values("created_at", "author_name", "text")),
        "calls": [_call(call, noted.get(call.pk, []), sounds.get(call.pk, [])) for call in calls],
    }


def _call(call: Call, noted: list[dict[str, Any]], sounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {**{name: getattr(call, name) for name in OF_CALL}, "dispositions": noted, "recordings": sounds}
