"""Alarms as rows: what was raised when, and who took it on. They outlive the web process that saw them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.calls.projection import moment, moment_ms
from apps.reports.alarms.watch import Alarm, Change
from apps.reports.models import RaisedAlarm


def standing() -> dict[int, list[Alarm]]:
    """By tenant: what was raised and not cleared."""
    found: dict[int, list[Alarm]] = {}
    for row in RaisedAlarm.objects.filter(cleared_at=None).select_related("acked_by").order_by("raised_at"):
        found.setdefault(row.tenant_id, []).append(_alarm(row))
    return found


def keep(changes: Iterable[tuple[int, Change]]) -> None:
    """Write what was raised and what was cleared, by tenant. Writing it twice changes nothing."""
    with transaction.atomic():
        for tenant, change in changes:
            RaisedAlarm.objects.update_or_create(
                tenant_id=tenant,
                kind=change.alarm.kind[:40],
                subject=change.alarm.subject[:100],
                raised_at=moment(change.alarm.raised_ms),
                defaults={"cleared_at": None if change.cleared_ms is None else moment(change.cleared_ms)},
            )


def acknowledge(tenant: int, alarm_id: str, user: User, note: str) -> Alarm | None:
    """Note who looks after a standing alarm; None when it does not stand (any more)."""
    kind, _, subject = alarm_id.partition(":")
    rows = RaisedAlarm.objects.filter(tenant_id=tenant, kind=kind, subject=subject, cleared_at=None)
    with transaction.atomic():
        row = rows.select_for_update().order_by("-raised_at").first()
        if row is None:
            return None
        row.acked_at, row.acked_by, row.note = timezone.now(), user, note
        row.save(update_fields=["acked_at", "acked_by", "note"])
    return _alarm(row)


def _alarm(row: RaisedAlarm) -> Alarm:
    return Alarm(
        kind=row.kind,
        subject=row.subject,
        raised_ms=moment_ms(row.raised_at),
        acked_by=row.acked_by.display_name if row.acked_by is not None else "",
        acked_ms=moment_ms(row.acked_at) if row.acked_at is not None else None,
        note=row.note,
    )
