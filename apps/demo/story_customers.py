"""The people who call the demo's company, from ``fixtures/story/customers.toml``."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import Tenant
from apps.customers.imports.rows import RowData, is_mobile
from apps.customers.imports.writing import Batch
from apps.customers.models import Customer, Note
from apps.customers.services import NumberData

FIELDS = ("name", "company", "external_id", "language", "level", "email", "address", "remark")


def load_customers(tenant: Tenant, rows: list[dict[str, Any]]) -> None:
    """Those that are there, or were and are removed, are left alone: people may have changed them."""
    known = set(Customer.objects.filter(tenant=tenant).values_list("external_id", flat=True))
    fresh = [row for row in rows if row["external_id"] not in known]
    Batch(tenant.pk, [_data(row) for row in fresh]).write()
    made = {row.external_id: row for row in Customer.objects.filter(tenant=tenant)}
    Note.objects.bulk_create(
        Note(tenant=tenant, customer=made[row["external_id"]], text=text, author_name="云桥通信")
        for row in fresh
        for text in row.get("notes", [])
    )


def _data(row: dict[str, Any]) -> RowData:
    numbers = [
        NumberData(number=text, label="mobile" if is_mobile(text) else "work", as_written=text)
        for text in row["numbers"]
    ]
    return RowData(0, {name: row[name] for name in FIELDS if name in row}, numbers, row.get("tags", []))
