"""Customers in the admin: searched as elsewhere, removed instead of deleted, brought back, erased; tenants apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.customers.models import Customer, Note, NumberPlan, Tag
from apps.customers.services import add_note

LIST = reverse("admin:customers_customer_changelist")


@pytest.fixture(autouse=True)
def staff(centre: dict[str, Any]) -> None:
    User.objects.filter(role="admin").update(is_staff=True)


def admin(code: str = "a") -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(username=f"admin-{code}"))
    return client


def listed(client: Client, **query: str) -> list[str]:
    return [row.name for row in client.get(LIST, query).context["cl"].result_list]


def act(client: Client, action: str, *rows: Customer) -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return str(client.post(LIST, data, follow=True).content.decode())


def test_the_list_is_searched_by_name_and_by_last_digits(centre: dict[str, Any]) -> None:
    client = admin()
    assert listed(client) == ["李伟", "王芳"] or set(listed(client)) == {"李伟", "王芳"}
    assert listed(client, q="王") == ["王芳"]
    assert listed(client, q="1100") == ["王芳"]
    assert listed(client, q="nobody") == []
    assert listed(client, level="vip") == ["王芳"] or listed(client, level__exact="vip") == ["王芳"]


def test_an_external_id_that_another_has_is_told_on_the_page(centre: dict[str, Any]) -> None:
    client = admin()
    numbers = {
        "numbers-TOTAL_FORMS": 0,
        "numbers-INITIAL_FORMS": 0,
        "written_notes-TOTAL_FORMS": 0,
        "written_notes-INITIAL_FORMS": 0,
    }
    data = {"tenant": centre["a"].pk, "name": "新", "level": "standard", "external_id": "C1", **numbers}
    answer = client.post(reverse("admin:customers_customer_add"), data)
    assert answer.status_code == 200 and "Another customer has this external id." in answer.content.decode()
    other = client.post(reverse("admin:customers_customer_add"), {**data, "external_id": "C9"})
    assert other.status_code == 302, other.context["adminform"].form.errors
    Customer.objects.filter(external_id="C1").update(removed_at=timezone.now())
    assert client.post(reverse("admin:customers_customer_add"), data).status_code == 302, "it is free again"


def test_deleting_takes_off_file_and_can_be_undone(centre: dict[str, Any]) -> None:
    client, wang = admin(), centre["wang"]
    client.post(reverse("admin:customers_customer_delete", args=[wang.pk]), {"post": "yes"})
    assert Customer.objects.get(pk=wang.pk).removed_at is not None
    assert listed(client) == ["李伟"] and listed(client, removed="yes") == ["王芳"]
    Customer.objects.create(tenant=centre["a"], name="新", external_id="C1")
    url = f"{LIST}?removed=yes"
    data = {"action": "bring_back", "_selected_action": [wang.pk]}
    assert "cannot be brought back" in client.post(url, data, follow=True).content.decode()
    Customer.objects.filter(name="新").delete()
    client.post(url, data)
    assert set(listed(client)) == {"李伟", "王芳"}


def test_erasing_from_the_list(centre: dict[str, Any]) -> None:
    add_note(centre["wang"], "secret", None)
    assert "1 customer was erased" in act(admin(), "erase", centre["wang"])
    assert not Note.objects.exists() and not Customer.objects.filter(name="王芳").exists()


def test_another_tenant_sees_and_does_nothing(centre: dict[str, Any]) -> None:
    client, wang = admin("b"), centre["wang"]
    assert listed(client) == [] and listed(client, removed="all") == []
    assert client.get(reverse("admin:customers_customer_change", args=[wang.pk])).status_code == 302
    act(client, "erase", wang)
    NumberPlan.objects.create(tenant=centre["a"])
    for model in (Tag, NumberPlan):
        shown = client.get(reverse(f"admin:customers_{model._meta.model_name}_changelist"))
        assert shown.context["cl"].result_count == 0, model
    assert Customer.objects.filter(name="王芳", erased_at=None).exists()


@pytest.mark.parametrize("role", ["agent", "supervisor", "integrator"])
def test_only_administrators(centre: dict[str, Any], role: str) -> None:
    client = Client()
    client.force_login(User.objects.get(username=f"{role}-a"))
    assert client.get(LIST).status_code in (302, 403)
