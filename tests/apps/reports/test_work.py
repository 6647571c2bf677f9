"""An agent's day by states: what counts as handling and as ready, where midnight falls, and that history agrees."""

from __future__ import annotations

import datetime

import pytest

from apps.accounts.models import Tenant
from apps.calls.services import record_facts
from apps.core import facts as f
from apps.reports.day.figures import figures, works
from apps.reports.day.rules import Rules, TenantRules
from apps.reports.day.today import Today
from apps.reports.models import ReportSettings
from apps.reports.recount import count_today, read_rules
from tests.apps.facts_of_calls import stored

RULES = Rules(tenants={1: TenantRules(time_zone="Asia/Shanghai")})
MIDNIGHT_MS = round(datetime.datetime.fromisoformat("2026-11-26T00:00:00+08:00").timestamp()) * 1000
MIN = 60_000
AGENT = "7"

A_SHIFT = [  # minutes after midnight, and the state that begins there
    (-30, "READY"), (-20, "TALKING"), (10, "WRAP_UP"), (12, "READY"), (20, "OFFERED"), (21, "TALKING"), (30, "HOLDING"),
    (31, "WRAP_UP"), (33, "PAUSED"), (40, "DIALING"), (41, "PAUSED"), (45, "LOGGED_OUT"), (60, "PAUSED"), (62, "READY"),
]  # fmt: skip


def changes() -> list[f.Fact]:
    return [
        f.AgentStateChanged(at_ms=MIDNIGHT_MS + at * MIN, tenant="1", agent=AGENT, state=state, prior="PAUSED")
        for at, state in A_SHIFT
    ]


def test_only_today_counts_and_the_present_stretch_stands_apart() -> None:
    today = Today(rules=RULES)
    for fact in changes():
        today.fold(fact)
    work = works(today, 1, MIDNIGHT_MS + 70 * MIN)[AGENT]
    handling = 10 + 2 + 9 + 1 + 2 + 1  # the talk only from midnight on; wrap-ups, the hold and the dialling with it
    assert (work["handling_ms"], work["ready_ms"]) == (handling * MIN, (8 + 1) * MIN)
    assert work["signed_in_ms"] == (45 + 2) * MIN, "pauses count, the absence does not"
    assert (work["state"], work["since_ms"]) == ("READY", MIDNIGHT_MS + 62 * MIN)
    assert works(today, 1, MIDNIGHT_MS + 70 * MIN, frozenset()) == {} == works(today, 2, MIDNIGHT_MS + 70 * MIN)


def test_a_new_day_begins_with_nothing() -> None:
    today = Today(rules=RULES)
    for fact in changes():
        today.fold(fact)
    tomorrow_ms = MIDNIGHT_MS + 24 * 60 * MIN
    work = works(today, 1, tomorrow_ms + 5 * MIN)[AGENT]
    assert (work["handling_ms"], work["signed_in_ms"], work["since_ms"]) == (0, 0, tomorrow_ms)


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [5, 25, 44, 50, 61, 70, 24 * 60 + 5])
def test_history_says_the_same_at_any_moment(minutes: int) -> None:
    Tenant.objects.create(pk=1, code="t", name="T", time_zone="Asia/Shanghai")
    now_ms = MIDNIGHT_MS + minutes * MIN
    so_far = [fact for fact in changes() if fact.at_ms <= now_ms]
    record_facts(stored(so_far))
    today = Today(rules=read_rules())
    for fact in so_far:
        today.fold(fact)
    assert works(count_today(now_ms, read_rules()), 1, now_ms) == works(today, 1, now_ms)


@pytest.mark.django_db
def test_the_tenants_choice_reaches_the_screens() -> None:
    tenant = Tenant.objects.create(pk=1, code="t", name="T")
    assert figures(Today(rules=read_rules()), 1, MIDNIGHT_MS)["figures"]["total"]["occupancy"] == "login"
    ReportSettings.objects.create(tenant=tenant, occupancy="available")
    assert figures(Today(rules=read_rules()), 1, MIDNIGHT_MS)["figures"]["total"]["occupancy"] == "available"
