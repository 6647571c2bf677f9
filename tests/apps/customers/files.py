"""Files as people upload them, made in memory, and an import from upload to end without a worker."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import openpyxl

from apps.accounts.models import Tenant
from apps.customers.imports import running, upload
from apps.customers.models import ImportJob, ImportStatus

HEADINGS = ("客户编号", "姓名", "公司", "手机", "座机", "邮箱", "等级", "标签", "备注")
ROWS = (
    (
        "C1",
        "王芳",
        "杭州远山贸易",
        "13955501100",
        "0571-5550 1100转12",
        "wang@example.com",
        "VIP",
        "续费;物流",
        "每月对账",
    ),
    ("C2", "李伟", "", "139 5550 1101", "", "", "", "", ""),
    ("C3", "Müller €", "Ærø", "+44 20 7946 0018", "", "", "gold", "", ""),
)


def csv_bytes(rows: Iterable[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding, "replace" if encoding == "gb2312" else "strict")


def xlsx_bytes(rows: Iterable[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def received(tenant: Tenant, data: bytes | BinaryIO, name: str = "客户.csv") -> ImportJob:
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    size = file.seek(0, io.SEEK_END)
    return upload.receive(tenant.pk, None, name, file, size)


def queued(job: ImportJob) -> ImportJob:
    """As if the start had been pressed and no worker had heard of it."""
    job.status = ImportStatus.QUEUED
    job.save()
    return job


def imported(tenant: Tenant, data: bytes, **settings: Any) -> ImportJob:
    job = received(tenant, data)
    for name, value in settings.items():
        setattr(job, name, value)
    running.run(queued(job).pk)
    job.refresh_from_db()
    return job


def faults_of(job: ImportJob) -> list[tuple[int, str, str]]:
    return list(job.faults.values_list("row", "column", "code"))
