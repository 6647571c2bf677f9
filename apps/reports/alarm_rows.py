"""Alarms as rows: what was raised when, and who took it on. They outlive the web process that saw them."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import models, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.calls.projection import moment, moment_ms
from apps.reports.alarms.watch import RECENT_MS, Alarm, Change, Shelf
from apps.reports.models import RaisedAlarm, ShelvedAlarm


@dataclass(slots=True)
class Kept:
    """What the rows say of one tenant: what stands, what was raised lately (id, ms), what is put aside."""

    standing: list[Alarm] = field(default_factory=list)
    raised: list[tuple[str, int]] = field(default_factory=list)
    shelves: list[Shelf] = field(default_factory=list)


def read() -> dict[int, Kept]:
    """By tenant."""
    now, kept = timezone.now(), defaultdict[int, Kept](Kept)
    lately = models.Q(raised_at__gt=now - datetime.timedelta(milliseconds=RECENT_MS))
    rows = RaisedAlarm.objects.filter(models.Q(cleared_at=None) | lately).select_related("acked_by")
    for row in rows.order_by("raised_at"):
        kept[row.tenant_id].raised.append((f"{row.kind}:{row.subject}", moment_ms(row.raised_at)))
        if row.cleared_at is None:
            kept[row.tenant_id].standing.append(_alarm(row))
    shelved = ShelvedAlarm.objects.filter(until__gt=now, ended_at=None).select_related("shelved_by")
    for item in shelved.order_by("shelved_at"):
        kept[item.tenant_id].shelves.append(_shelf(item))
    return dict(kept)


def keep(changes: Iterable[tuple[int, Change]]) -> None:
    """Write what was raised and what was cleared, by tenant. Writing it twice changes nothing."""
    with transaction.atomic():
        for tenant, change in changes:
            RaisedAlarm.objects.update_or_create(
                tenant_id=tenant,
                kind=change.alarm.kind,
                subject=change.alarm.subject,
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


def shelve(tenant: int, alarm_id: str, user: User, minutes: int, reason: str) -> Shelf | None:
    """Put a standing alarm aside; None when it does not stand. What it was put aside for before is over."""
    kind, _, subject = alarm_id.partition(":")
    with transaction.atomic():
        rows = RaisedAlarm.objects.filter(tenant_id=tenant, kind=kind, subject=subject, cleared_at=None)
        row = rows.select_for_update().first()
        if row is None:
            return None
        unshelve(tenant, alarm_id, user)
        shelf = ShelvedAlarm.objects.create(
            tenant_id=tenant, kind=kind, subject=subject, shelved_by=user, reason=reason,
            until=timezone.now() + datetime.timedelta(minutes=minutes),
        )  # fmt: skip
    return _shelf(shelf)


def unshelve(tenant: int, alarm_id: str, user: User) -> bool:
    """Whether it was put aside."""
    kind, _, subject = alarm_id.partition(":")
    now = timezone.now()
    rows = ShelvedAlarm.objects.filter(tenant_id=tenant, kind=kind, subject=subject, until__gt=now, ended_at=None)
    return rows.update(ended_at=now, ended_by=user) > 0


def _shelf(row: ShelvedAlarm) -> Shelf:
    return Shelf(
        alarm_id=f"{row.kind}:{row.subject}",
        until_ms=moment_ms(row.until),
        by=row.shelved_by.display_name if row.shelved_by is not None else "",
        reason=row.reason,
    )


def _alarm(row: RaisedAlarm) -> Alarm:
    return Alarm(
        kind=row.kind,
        subject=row.subject,
        raised_ms=moment_ms(row.raised_at),
        acked_by=row.acked_by.display_name if row.acked_by is not None else "",
        acked_ms=moment_ms(row.acked_at) if row.acked_at is not None else None,
        note=row.note,
    )
