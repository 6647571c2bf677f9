"""What is forgotten, and which rows of it are due. A kind knows its rows; ``sweep`` deletes them in batches.

A call that has a recording waits for it: the row would take the recording's row along and leave the file. So a call is
kept for the longer of both periods. What is under a legal hold is not due.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.calls.models import AgentStateSpan, Call, FactRecord
from apps.customers.models import ImportJob
from apps.operations.models import LegalHold, SwitchRecord
from apps.operations.retention.periods import Days, Owner, Periods
from apps.recordings.models import Recording
from apps.reports.models import RaisedAlarm, ShelvedAlarm
from apps.webhooks.models import Delivery, DeliveryStatus

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """``old`` are all rows before a time, oldest first; ``call`` is their field that a hold may name."""

    name: str
    days: Callable[[Periods], Days]
    old: Callable[[Owner, datetime.datetime], Rows]
    call: str = ""

    def due(self, owner: Owner, before: datetime.datetime) -> Rows:
        rows = self.old(owner, before)
        rows = rows.exclude(_on_hold(self.call)) if self.call else rows
        if rows.model is Call:
            rows = rows.exclude(Exists(Recording.objects.filter(call=OuterRef("pk"))))
        return rows

    def held(self, owner: Owner, before: datetime.datetime) -> Rows:
        """What would be due but for a legal hold."""
        rows = self.old(owner, before)
        return rows.filter(_on_hold(self.call)) if self.call else rows.none()


def _on_hold(call: str) -> Exists:
    return Exists(LegalHold.objects.filter(released_at=None, call_id=OuterRef(call)))


def _of(owner: Owner, field: str = "tenant") -> Q:
    return Q(**{field: owner.tenant}) if owner.tenant is not None else Q(**{f"{field}__isnull": True})


def _recordings(owner: Owner, before: datetime.datetime) -> Rows:
    rows = Recording.objects.filter(_of(owner), asked_at__lt=before)
    return rows.select_related("switch").order_by("asked_at")


def _forgotten_recordings(owner: Owner, before: datetime.datetime) -> Rows:
    """Of people who are forgotten: however long sound is kept."""
    rows = Recording.objects.filter(_of(owner), forgotten_at__lt=before)
    return rows.select_related("switch").order_by("forgotten_at")


def _alarms(owner: Owner, before: datetime.datetime) -> Rows:
    rows = RaisedAlarm.objects.filter(_of(owner), raised_at__lt=before, cleared_at__isnull=False)
    return rows.order_by("raised_at")


def _shelved_alarms(owner: Owner, before: datetime.datetime) -> Rows:
    return ShelvedAlarm.objects.filter(_of(owner), until__lt=before).order_by("until")


def _calls(owner: Owner, before: datetime.datetime) -> Rows:
    return Call.objects.filter(_of(owner), started_at__lt=before).order_by("started_at")


def _agent_states(owner: Owner, before: datetime.datetime) -> Rows:
    spans = AgentStateSpan.objects.filter(_of(owner), started_at__lt=before, ended_at__isnull=False)
    return spans.order_by("started_at")


def _facts(owner: Owner, before: datetime.datetime) -> Rows:
    """By their time: the index on ``at`` finds the oldest, and tenants age alike."""
    tenant = str(owner.tenant_id) if owner.tenant_id is not None else ""
    return FactRecord.objects.filter(tenant=tenant, at__lt=before).order_by("at")


def _switch_records(owner: Owner, before: datetime.datetime) -> Rows:
    return SwitchRecord.objects.filter(_of(owner), started_at__lt=before).order_by("started_at")


def _deliveries(owner: Owner, before: datetime.datetime) -> Rows:
    """What is still pending stays: it has its own end."""
    rows = Delivery.objects.filter(_of(owner), created_at__lt=before)
    return rows.exclude(status=DeliveryStatus.PENDING).order_by("created_at")


def _imports(owner: Owner, before: datetime.datetime) -> Rows:
    """The job and its report; the file went when the job was over."""
    return ImportJob.objects.filter(_of(owner), finished_at__lt=before).order_by("finished_at")


def _audit(owner: Owner, before: datetime.datetime) -> Rows:
    """By who did it: an entry has no tenant of its own."""
    entries: Rows = LogEntry.objects.filter(_of(owner, "actor__tenant"), timestamp__lt=before)
    return entries.order_by("timestamp")


KINDS = [
    Kind("forgotten_recordings", lambda periods: 0, _forgotten_recordings, call="call_id"),
    Kind("recordings", lambda periods: periods.recordings, _recordings, call="call_id"),
    Kind("calls", lambda periods: periods.calls, _calls, call="pk"),
    Kind("agent_states", lambda periods: periods.calls, _agent_states, call="call_id"),
    Kind("alarms", lambda periods: periods.calls, _alarms),
    Kind("shelved_alarms", lambda periods: periods.calls, _shelved_alarms),
    Kind("switch_records", lambda periods: periods.calls, _switch_records),
    Kind("facts", lambda periods: periods.facts, _facts, call="call"),
    Kind("deliveries", lambda periods: periods.deliveries, _deliveries),
    Kind("imports", lambda periods: periods.imports, _imports),
    Kind("audit", lambda periods: periods.audit, _audit),
]
