"""Legal holds in the admin: placed on calls of one's own, released, never altered."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import Tenant
from apps.calls.models import Call
from apps.operations.models import LegalHold

pytestmark = pytest.mark.django_db
ADD = "/admin/operations/legalhold/add/"
LIST = "/admin/operations/legalhold/"


def test_a_hold_is_placed_and_released_and_says_by_whom(admin_page: Client, story: Tenant) -> None:
    Call.objects.create(id="c1", tenant=story, started_at="2026-11-26T10:00:00Z")
    admin_page.post(ADD, {"tenant": story.pk, "call_id": " c1 ", "reason": "complaint 7"})
    hold = LegalHold.objects.get()
    assert (hold.call_id, hold.placed_by.username) == ("c1", "admin")
    again = admin_page.post(ADD, {"tenant": story.pk, "call_id": "c1", "reason": "again"})
    assert "This call is on hold already." in again.content.decode()
    change = f"{LIST}{hold.pk}/change/"
    admin_page.post(change, {"tenant": story.pk, "call_id": "c1", "reason": "altered"})
    assert LegalHold.objects.get().reason == "complaint 7"
    assert admin_page.post(f"{LIST}{hold.pk}/delete/", {"post": "yes"}).status_code == 403
    said = admin_page.post(LIST, {"action": "release", "_selected_action": [hold.pk]}, follow=True)
    assert "1 hold released." in said.content.decode()
    hold.refresh_from_db()
    assert hold.released_at and hold.released_by.username == "admin"


def test_a_call_of_another_tenant_cannot_be_held(admin_page: Client, story: Tenant, other_tenant: Tenant) -> None:
    Call.objects.create(id="theirs", tenant=other_tenant, started_at="2026-11-26T10:00:00Z")
    answer = admin_page.post(ADD, {"tenant": story.pk, "call_id": "theirs", "reason": "x"})
    assert "There is no such call." in answer.content.decode() and not LegalHold.objects.exists()


def test_the_switch_s_records_are_only_looked_at(admin_page: Client) -> None:
    assert admin_page.get("/admin/operations/switchrecord/").status_code == 200
    assert admin_page.get("/admin/operations/switchrecord/add/").status_code == 403
