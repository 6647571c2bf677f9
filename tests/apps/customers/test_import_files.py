"""Files of every kind that people have, and those that somebody made to hurt."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from apps.accounts.models import Tenant
from apps.customers.imports import limits, running
from apps.customers.imports.columns import guess, letters
from apps.customers.imports.limits import FileRefused
from apps.customers.imports.tables import check_zip
from apps.customers.models import Customer, ImportChunk, ImportJob
from tests.apps.customers.files import HEADINGS, ROWS, csv_bytes, imported, received, xlsx_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.create(code="t", name="t")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(tenant: Tenant, encoding: str, found: str, delimiter: str) -> None:
    job = imported(tenant, csv_bytes([HEADINGS, *ROWS], encoding, delimiter))
    assert (job.encoding, job.delimiter, job.status, job.failed_count) == (found, delimiter, "done", 0)
    assert set(Customer.objects.values_list("name", flat=True)) == {"王芳", "李伟", "Müller €"}


@pytest.mark.parametrize("encoding", ["big5", "cp1252", "shift_jis"])
def test_other_encodings_are_recognised(tenant: Tenant, encoding: str) -> None:
    names = {
        "big5": ["陳大文", "黃志強", "許靜雯", "聯絡電話與備註說明"],
        "cp1252": ["Müller", "Léa Dupré", "Søren", "Ærø"],
        "shift_jis": ["田中健二", "鈴木さくら", "カタカナ", "ひらがな"],
    }[encoding]
    rows = [("name", "phone"), *((name, f"1395550{index:04d}") for index, name in enumerate(names * 10))]
    imported(tenant, csv_bytes(rows, encoding))
    assert set(names) <= set(Customer.objects.values_list("name", flat=True))


def test_everything_of_a_row_arrives(tenant: Tenant) -> None:
    for data in (csv_bytes([HEADINGS, *ROWS], "gb18030"), xlsx_bytes([HEADINGS, *ROWS])):
        job = imported(tenant, data)
        wang = Customer.objects.get(external_id="C1")
        assert (wang.company, wang.email, wang.level, wang.remark) == (
            "杭州远山贸易", "wang@example.com", "vip", "每月对账",
        )  # fmt: skip
        numbers = [(row.number, row.extension, row.label) for row in wang.numbers.all()]
        assert numbers == [("+8613955501100", "", "mobile"), ("+8657155501100", "12", "work")]
        assert {tag.name for tag in wang.tags.all()} == {"续费", "物流"}
    assert (job.created_count, job.updated_count, job.skipped_count) == (0, 0, 3), "the second file says the same"


def test_numbers_that_excel_kept_as_numbers(tenant: Tenant) -> None:
    rows: list[Any] = [("name", "phone"), ("a", 13955501100), ("b", 13955501101.0), ("c", "'13955501102")]
    imported(tenant, xlsx_bytes(rows))
    assert [number for row in Customer.objects.all() for number in row.numbers.values_list("number", flat=True)] == [
        "+8613955501100", "+8613955501101", "+8613955501102",
    ]  # fmt: skip


def test_a_file_without_headings(tenant: Tenant) -> None:
    job = imported(tenant, csv_bytes([("王芳", "13955501100", "wang@example.com"), ("李伟", "13955501101", "")]))
    assert (job.has_headings, job.headers, job.mapping) == (False, ["A", "B", "C"], ["name", "number", "email"])
    assert Customer.objects.count() == 2


def test_columns_are_guessed_from_their_headings() -> None:
    assert guess(["客户姓名*", "联系电话(必填)", "手机1", "Mobile 2", "E-Mail", "备注", "颜色", "Name"]) == [
        "name", "", "mobile", "mobile", "email", "remark", "", "",
    ]  # fmt: skip
    assert guess(["Full Name", "Company Name", "Phone", "Customer ID", "VIP level"]) == [
        "name", "company", "number", "external_id", "level",
    ]  # fmt: skip
    assert letters(28)[24:] == ["Y", "Z", "AA", "AB"]


def zip_of(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("__", "/"), data)
    return file.getvalue()


GOOD = xlsx_bytes([HEADINGS, *ROWS])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (csv_bytes([HEADINGS]), "no_rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "old_excel"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8, "not_text"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 8, "not_text"),
        (b"PK\x03\x04 no zip at all", "broken_xlsx"),
        (GOOD[: len(GOOD) // 2], "broken_xlsx"),
        (zip_of(**{"a.txt": b"x"}), "broken_xlsx"),
        (zip_of(**{"xl__workbook.xml": b"<nonsense"}), "broken_xlsx"),
        (csv_bytes([["x"] * 80, ["y"] * 80]), "too_many_columns"),
        (b'name,phone\n"' + b"x" * 3_000_000, "not_text"),
        ("name,phone\n王芳,1\n".encode() + b"\xff\xfe\xfa" * 3, "unknown_encoding"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_a_reason(tenant: Tenant, data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        received(tenant, data)
    assert refused.value.code == code
    assert not ImportJob.objects.exists() and not ImportChunk.objects.exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tenant: Tenant) -> None:
    bomb = zip_of(**{"xl__workbook.xml": b"<x/>", "xl__sharedStrings.xml": b"A" * (limits.MOST_SHARED_TEXT_BYTES + 1)})
    assert len(bomb) < 200_000
    with pytest.raises(FileRefused, match="too_large_unpacked"):
        received(tenant, bomb)


def test_a_cell_that_is_a_bomb_is_refused_before_it_is_opened(tenant: Tenant) -> None:
    """A few kilobytes that would be one text of ten megabytes in memory; with and without a prefix, and harmless."""
    cell = b'<c t="inlineStr"><is><t>' + b"A" * (limits.MOST_ROW_BYTES + (1 << 21)) + b"</t></is></c>"
    sheet = b"<worksheet><sheetData><row>" + cell + b"</row></sheetData></worksheet>"
    bomb = zip_of(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": sheet})
    assert len(bomb) < 100_000
    with pytest.raises(FileRefused, match="too_large_unpacked"):
        received(tenant, bomb)
    for end in (b"</row>", b"</x:row>"):
        many = zip_of(**{"xl__workbook.xml": b"<x/>", "xl__worksheets__sheet1.xml": end * (2 << 20)})
        check_zip(io.BytesIO(many))


def test_too_many_bytes_and_rows(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ROWS", 2)
    with pytest.raises(FileRefused, match="too_many_rows"):
        received(tenant, csv_bytes([HEADINGS, *ROWS]))
    monkeypatch.setattr(limits, "MOST_BYTES", 10)
    with pytest.raises(FileRefused, match="too_large"):
        received(tenant, csv_bytes([HEADINGS, *ROWS]))


def test_files_that_wait_do_not_pile_up(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_UNDER_WAY", 2)
    first, _second = (received(tenant, csv_bytes([HEADINGS, *ROWS])) for _ in range(2))
    with pytest.raises(FileRefused, match="too_many_files"):
        received(tenant, csv_bytes([HEADINGS, *ROWS]))
    running.cancel(first)
    received(tenant, csv_bytes([HEADINGS, *ROWS]))


def test_line_separators_within_a_cell_do_not_split_the_row(tenant: Tenant) -> None:
    job = imported(tenant, csv_bytes([("name", "phone", "remark"), ("a\u2028b", "13955501100", "one\ntwo\x0bthree")]))
    assert (job.rows_total, Customer.objects.get().name) == (1, "a b")
