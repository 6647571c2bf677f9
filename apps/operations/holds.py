"""Which calls a legal hold keeps as they are."""

from __future__ import annotations

from collections.abc import Sequence

from apps.operations.models import LegalHold


def held(call_ids: Sequence[str]) -> set[str]:
    rows = LegalHold.objects.filter(released_at=None, call_id__in=call_ids)
    return set(rows.values_list("call_id", flat=True))
