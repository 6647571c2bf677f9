"""How long each tenant keeps what."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, fields

from apps.accounts.models import Tenant

Days = int | None
"""None: for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    calls: Days
    recordings: Days
    facts: Days
    deliveries: Days
    audit: Days
    imports: Days


@dataclass(frozen=True, slots=True)
class Owner:
    """A tenant; None for rows that belong to no tenant, which are kept as long as anybody's."""

    tenant: Tenant | None
    periods: Periods

    @property
    def name(self) -> str:
        return self.tenant.code if self.tenant is not None else "-"

    @property
    def tenant_id(self) -> int | None:
        return self.tenant.pk if self.tenant is not None else None


def periods_of(tenant: Tenant) -> Periods:
    return Periods(
        calls=tenant.keep_calls_days,
        recordings=tenant.keep_recordings_days,
        # The facts are what the call's timeline is drawn from: at most as long as the call itself.
        facts=_shorter(tenant.keep_facts_days, tenant.keep_calls_days),
        deliveries=tenant.keep_deliveries_days,
        audit=tenant.keep_audit_days,
        imports=tenant.keep_imports_days,
    )


def owners() -> list[Owner]:
    """Every tenant, and nobody."""
    tenants = [Owner(tenant, periods_of(tenant)) for tenant in Tenant.objects.order_by("code")]
    return [*tenants, Owner(None, longest(owner.periods for owner in tenants))]


def longest(several: Iterable[Periods]) -> Periods:
    periods = list(several)
    return Periods(**{item.name: _longest([getattr(one, item.name) for one in periods]) for item in fields(Periods)})


def before(days: int, now: datetime.datetime) -> datetime.datetime:
    return now - datetime.timedelta(days=days)


def _shorter(one: Days, other: Days) -> Days:
    return min((days for days in (one, other) if days is not None), default=None)


def _longest(days: list[Days]) -> Days:
    known = [item for item in days if item is not None]
    return max(known) if known and len(known) == len(days) else None
