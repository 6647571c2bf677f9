"""The admin's first page: today is each tenant's own day."""

from __future__ import annotations

import datetime

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import Tenant
from apps.calls.models import Call

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 26, 17, 0, tzinfo=datetime.UTC)  # one in the morning of the 27th in Shanghai


def test_today_begins_at_the_tenants_midnight(
    admin_page: Client, root_page: Client, story: Tenant, other_tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=story.pk).update(time_zone="Asia/Shanghai")
    Tenant.objects.filter(pk=other_tenant.pk).update(time_zone="Europe/Berlin")
    for tenant in (story, other_tenant):
        for hours in (0.5, 1.5):
            began = NOW - datetime.timedelta(hours=hours)
            Call.objects.create(
                id=f"{tenant.code}{hours}", tenant=tenant, started_at=began, ended_at=began, outcome="served"
            )
    Call.objects.create(id="live", tenant=story, started_at=NOW - datetime.timedelta(hours=2))
    with time_machine.travel(NOW, tick=False):
        own, all_of_them = (page.get("/admin/").context["today"] for page in (admin_page, root_page))
    assert (own["calls"], own["served"], own["live"]) == (1, 1, 1), "it began yesterday and goes on today"
    assert (all_of_them["calls"], all_of_them["live"]) == (3, 1)
