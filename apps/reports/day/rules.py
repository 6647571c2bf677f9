"""By which rules a tenant's figures are counted: time zone, formula, thresholds. Rows elsewhere, plain data here."""

from __future__ import annotations

import datetime
import zoneinfo
from dataclasses import dataclass, field

from apps.reports.formulas import occupancy
from apps.reports.formulas.service_level import (
    DEFAULT,
    DEFAULT_SHORT_MS,
    DEFAULT_THRESHOLD_MS,
    FORMULAS,
    Formula,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRules:
    time_zone: str = "UTC"
    formula: str = DEFAULT
    short_ms: int = DEFAULT_SHORT_MS
    target: float = 0.8  # the service level that is wanted
    alarm_wait_ms: int = 60_000
    occupancy: str = occupancy.DEFAULT

    @property
    def service_level(self) -> Formula:
        return FORMULAS[self.formula]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    tenants: dict[int, TenantRules] = field(default_factory=dict)
    thresholds_ms: dict[int, int] = field(default_factory=dict)  # by queue

    def of(self, tenant: int) -> TenantRules:
        return self.tenants.get(tenant, TenantRules())

    def threshold_ms(self, queue: int | None) -> int:
        return self.thresholds_ms.get(queue, DEFAULT_THRESHOLD_MS) if queue is not None else DEFAULT_THRESHOLD_MS


def day_start_ms(now_ms: int, time_zone: str) -> int:
    """When the calendar day that holds ``now_ms`` began there. Days of 23 and 25 hours are as long as they are."""
    zone = zoneinfo.ZoneInfo(time_zone)
    today = datetime.datetime.fromtimestamp(now_ms / 1000, zone).date()
    return _midnight_ms(today, zone)


def next_day_ms(day_ms: int, time_zone: str) -> int:
    """When the day after the one that began at ``day_ms`` begins."""
    zone = zoneinfo.ZoneInfo(time_zone)
    today = datetime.datetime.fromtimestamp(day_ms / 1000, zone).date()
    return _midnight_ms(today + datetime.timedelta(days=1), zone)


def _midnight_ms(day: datetime.date, zone: zoneinfo.ZoneInfo) -> int:
    return round(datetime.datetime.combine(day, datetime.time.min, zone).timestamp()) * 1000
