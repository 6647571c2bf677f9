"""What an import would do, shown before it is done: the first rows through all of its steps, and then taken back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from apps.customers.imports import upload
from apps.customers.imports.rows import Fault, read_row
from apps.customers.imports.writing import Batch
from apps.customers.models import ImportJob
from apps.customers.selectors import plan_of

ROWS = 100


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """``result`` is created, updated, skipped or refused."""

    row: int
    cells: list[str]
    result: str
    faults: list[Fault]


def preview(job: ImportJob, count: int = ROWS) -> list[PreviewRow]:
    """Nothing is written. Raises ``FileRefused``."""
    plan = plan_of(job.tenant_id)
    with upload.opened(job) as file:
        rows = list(itertools.islice(upload.data_rows(job, file), count))
    shown, data = {}, []
    for number, cells in rows:
        read, faults = read_row(number, cells, job.mapping, job.headers, plan)
        shown[number] = PreviewRow(number, cells, "refused" if faults else "skipped", faults)
        if read is not None:
            data.append(read)
    batch = Batch(job.tenant_id, data, update_existing=job.update_existing)
    for number, result in batch.results.items():
        shown[number] = PreviewRow(number, shown[number].cells, result, [])
    for fault in batch.outcome.faults:
        shown[fault.row] = PreviewRow(fault.row, shown[fault.row].cells, "refused", [fault])
    return list(shown.values())
