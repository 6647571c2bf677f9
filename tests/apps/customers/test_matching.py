"""Whose call it is: nobody's, one customer's, or several's, who must be chosen from."""

from __future__ import annotations

import pytest

from apps.accounts.models import Tenant, User
from apps.customers.imports.rows import RowData
from apps.customers.imports.writing import Batch
from apps.customers.models import Customer, NumberPlan
from apps.customers.selectors import match, match_call, names_of, search
from apps.customers.services import NumberData, create_customer, link_call, remove

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    tenant = Tenant.objects.create(code="t", name="t")
    NumberPlan.objects.create(tenant=tenant, area_code="21")
    on_file = {
        "王芳": ["+8613955501100", "+862155550100"],
        "李伟": ["+862155550100"],  # the same household
        "张敏": ["+862155550111;8012"],
        "刘洋": ["+862155550111;8013"],
        "Mary": ["+13855501100"],
        "陈静": ["+8613855501100"],
        "银行": ["95588"],
        "热线": ["+864008005566"],
    }
    rows = [RowData(0, {"name": name}, [_number(text) for text in texts]) for name, texts in on_file.items()]
    assert Batch(tenant.pk, rows).write().created == len(rows)
    return tenant


def _number(text: str) -> NumberData:
    number, _, extension = text.partition(";")
    return NumberData(number=number, extension=extension)


@pytest.mark.parametrize(
    ("text", "result", "names"),
    [
        ("13955501100", "one", {"王芳"}),
        ("008613955501100", "one", {"王芳"}),
        ("9013955501100", "one", {"王芳"}),
        ("02155550100", "several", {"王芳", "李伟"}),
        ("55550100", "several", {"王芳", "李伟"}),
        ("02155550111", "several", {"张敏", "刘洋"}),
        ("02155550111转8013", "one", {"刘洋"}),
        ("02155550111转9999", "several", {"张敏", "刘洋"}),  # somebody there, not known who
        ("13855501100", "one", {"陈静"}),
        ("+13855501100", "one", {"Mary"}),
        ("0013855501100", "several", {"Mary", "陈静"}),  # it can be either: nobody guesses
        ("95588", "one", {"银行"}),
        ("4008005566", "one", {"热线"}),
        ("13900000000", "none", set()),
        ("anonymous", "withheld", set()),
        ("", "withheld", set()),
        ("<script>", "none", set()),
    ],
)
def test_matching(tenant: Tenant, text: str, result: str, names: set[str]) -> None:
    found = match(tenant.pk, text)
    assert (found.result, {customer.name for customer in found.customers}) == (result, names)


def test_a_removed_customer_and_another_tenants_do_not_match(tenant: Tenant) -> None:
    other = Tenant.objects.create(code="o", name="o")
    assert match(other.pk, "13955501100").result == "none"
    remove(Customer.objects.get(name="王芳"))
    assert match(tenant.pk, "13955501100").result == "none"
    assert [row.name for row in match(tenant.pk, "02155550100").customers] == ["李伟"]


def test_who_was_chosen_for_a_call_is_who_it_is_with(tenant: Tenant) -> None:
    wang, li = Customer.objects.get(name="王芳"), Customer.objects.get(name="李伟")
    user = User.objects.create(username="u", tenant=tenant)
    link_call(wang, "c1", user)
    link_call(li, "c1", user)  # corrected
    found = match_call(tenant.pk, "c1", "02155550100")
    assert found.linked and found.customers == [li]
    assert match_call(tenant.pk, "c2", "02155550100").result == "several"
    remove(li)
    assert match_call(tenant.pk, "c1", "02155550100").customers == [wang]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("王", {"王芳", "王小明"}),
        ("王芳", {"王芳"}),
        ("芳", {"王芳"}),
        ("远山", {"王小明"}),
        ("贸易 王", {"王小明"}),
        ("mary", {"Mary"}),
        ("CRM-7", {"王小明"}),
        ("crm-77", {"王小明"}),
        ("wang@", {"王小明"}),
        ("1100", {"王芳", "Mary", "陈静"}),
        ("0100", {"王芳", "李伟"}),
        ("021 5555 0100", {"王芳", "李伟"}),
        ("芳王", set()),
        ("%", set()),
        ("_", set()),
        ("nobody", set()),
    ],
)
def test_searching(tenant: Tenant, text: str, names: set[str]) -> None:
    fields = {"name": "王小明", "company": "杭州远山贸易", "external_id": "CRM-77", "email": "wang@example.com"}
    create_customer(tenant.pk, fields)
    assert {row.name for row in search(tenant.pk, text)} == names


@pytest.mark.parametrize("text", ["\x00", "'; --", "\\", "a" * 500, "()" * 30, "+", "…"])
def test_any_search_is_answered(tenant: Tenant, text: str) -> None:
    assert list(search(tenant.pk, text)[:5]) is not None


def test_calls_are_named_where_it_is_one_customer_and_by_whom_somebody_chose(tenant: Tenant) -> None:
    chosen, gone = (Customer.objects.get(tenant=tenant, name=name) for name in ("李伟", "Mary"))
    calls = {"a": "13955501100", "b": "02155550100", "c": "0013855501100", "d": "13900000000", "e": "", "f": "95588"}
    assert names_of(tenant.pk, calls) == {"a": "王芳", "f": "银行"}
    link_call(chosen, "b", None)
    remove(gone)
    assert names_of(tenant.pk, calls) == {"a": "王芳", "b": "李伟", "c": "陈静", "f": "银行"}
    other = Tenant.objects.create(code="o", name="o")
    assert names_of(other.pk, calls) == {}
