"""What rows do to those on file, and what is said of those that cannot be taken."""

from __future__ import annotations

import pytest

from apps.accounts.models import Tenant
from apps.customers.imports.preview import preview
from apps.customers.models import Customer, PhoneNumber
from apps.customers.services import remove
from tests.apps.customers.files import csv_bytes, faults_of, imported, received

pytestmark = pytest.mark.django_db
HEAD = ("编号", "姓名", "电话", "邮箱", "等级", "标签", "备注")


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(code="t", name="t")


def load(tenant: Tenant, *rows: tuple[str, ...], **settings: object) -> tuple[int, int, int, int]:
    """Created, updated, left, refused."""
    job = imported(tenant, csv_bytes([HEAD, *([*row, *[""] * (len(HEAD) - len(row))] for row in rows)]), **settings)
    assert job.status == "done"
    return job.created_count, job.updated_count, job.skipped_count, job.failed_count


def test_the_external_id_says_who_it_is(tenant: Tenant) -> None:
    assert load(tenant, ("C1", "王芳", "13955501100")) == (1, 0, 0, 0)
    assert load(tenant, ("C1", "王小芳", "13955501101", "w@example.com")) == (0, 1, 0, 0)
    wang = Customer.objects.get()
    assert (wang.name, wang.email, wang.version) == ("王小芳", "w@example.com", 2)
    assert set(wang.numbers.values_list("number", flat=True)) == {"+8613955501100", "+8613955501101"}
    assert load(tenant, ("C1", "", "13955501100")) == (0, 0, 1, 0), "empty cells leave what is on file"


def test_without_one_number_and_name_do(tenant: Tenant) -> None:
    assert load(tenant, ("", "王芳", "02155550100"), ("", "李伟", "021-5555-0100")) == (2, 0, 0, 0), "a household"
    assert load(tenant, ("", "王 芳", "+862155550100", "w@example.com")) == (0, 1, 0, 0)
    assert load(tenant, ("C1", "王芳", "02155550100")) == (0, 1, 0, 0), "who has no id yet gets it"
    assert Customer.objects.count() == 2
    assert Customer.objects.get(external_id="C1").email == "w@example.com"


def test_nobody_guesses_between_two(tenant: Tenant) -> None:
    load(tenant, ("", "王芳", "02155550100"), ("", "李伟", "02155550100"))
    job = imported(tenant, csv_bytes([HEAD, ("", "", "02155550100", "x@example.com", "", "", "")]))
    assert faults_of(job) == [(2, "", "ambiguous")]


def test_within_a_file_rows_meet_each_other(tenant: Tenant) -> None:
    assert load(tenant, ("C1", "王芳", "13955501100"), ("C1", "", "13955501101"), ("C1", "王芳", "13955501100")) == (
        1, 1, 1, 0,
    )  # fmt: skip
    assert PhoneNumber.objects.count() == 2


def test_those_on_file_can_be_left_alone(tenant: Tenant) -> None:
    load(tenant, ("C1", "王芳", "13955501100"))
    assert load(tenant, ("C1", "X", "13955501100"), ("C2", "李伟", "13955501101"), update_existing=False) == (
        1,
        0,
        1,
        0,
    )
    assert Customer.objects.get(external_id="C1").name == "王芳"


def test_removed_customers_and_other_tenants_are_not_touched(tenant: Tenant) -> None:
    other = Tenant.objects.create(code="o", name="o")
    load(other, ("C1", "别家", "13955501100"))
    load(tenant, ("C1", "王芳", "13955501100"))
    remove(Customer.objects.get(tenant=tenant))
    assert load(tenant, ("C1", "新人", "13955501100")) == (1, 0, 0, 0)
    assert Customer.objects.get(tenant=other).name == "别家"


def test_tags_for_all(tenant: Tenant) -> None:
    load(tenant, ("C1", "王芳", "13955501100", "", "", "续费"), tags=["展会"])
    assert {tag.name for tag in Customer.objects.get().tags.all()} == {"续费", "展会"}


def test_each_fault_names_row_column_value_and_reason(tenant: Tenant) -> None:
    rows = [
        HEAD,
        ("", "好人", "13955501100", "", "", "", ""),
        ("", "坏号", "一二三", "not an address", "", "", ""),
        ("", "", "13955501102", "", "", "", ""),
        ("", "无号", "", "", "", "", ""),
        ("", "级别", "13955501103", "", "platinum", "", ""),
        ("", "长" * 101, "13955501104", "", "", "", ""),
        ("", "标签", "13955501105", "", "", "长" * 41, ""),
        ("", "", "", "", "", "", ""),
        ("", "很好", "13955501106/13955501107", "", "", "", ""),
    ]
    job = imported(tenant, csv_bytes(rows))
    assert faults_of(job) == [
        (3, "电话", "bad_number"),
        (3, "邮箱", "bad_email"),
        (4, "", "name_missing"),
        (5, "", "no_key"),
        (6, "等级", "unknown_level"),
        (7, "姓名", "too_long"),
        (8, "标签", "tag_too_long"),
    ]
    assert (job.created_count, job.failed_count, job.skipped_count, job.rows_done) == (2, 6, 1, 9)
    assert job.faults.first().value == "一二三"  # type: ignore[union-attr]
    assert set(Customer.objects.values_list("name", flat=True)) == {"好人", "很好"}


def test_hostile_cells_are_kept_as_text(tenant: Tenant) -> None:
    hostile = "=cmd|'/C calc'!A0"
    rows = [
        ("C1", f"{hostile}<script>alert(1)</script>", "13955501100", "", "", "", "\u202eevil\x07\u200b"),
        ("'; DROP TABLE customers_customer; --", "x", "", "", "", "", ""),
    ]
    assert load(tenant, *rows) == (2, 0, 0, 0)
    assert Customer.objects.get(external_id="C1").name == f"{hostile}<script>alert(1)</script>"
    assert Customer.objects.get(external_id="C1").remark == "evil"


def test_a_preview_tells_and_does_nothing(tenant: Tenant) -> None:
    load(tenant, ("C1", "王芳", "13955501100"))
    rows = [
        HEAD,
        ("C1", "王小芳", "", "", "", "", ""),
        ("C2", "李伟", "1", "", "", "", ""),
        ("C3", "新", "", "", "", "", ""),
    ]
    job = received(tenant, csv_bytes(rows))
    shown = preview(job)
    assert [(row.row, row.result) for row in shown] == [(2, "updated"), (3, "refused"), (4, "created")]
    assert shown[1].faults[0].code == "bad_number"
    assert list(Customer.objects.values_list("name", flat=True)) == ["王芳"]
    assert job.status == "draft"
