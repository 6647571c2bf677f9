"""An import under way, in steps that are whole or not at all.

The rows of a step, their faults and the count of rows done are one transaction. A worker that is killed has therefore
done a step or not begun it, and whoever goes on reads the count and goes on from there. Two workers on one job cannot
do a step twice: the job's row is locked for the step, and the second finds another count than it expected and leaves.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import BinaryIO

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.accounts.audit_events import Event, note
from apps.config.celery import app as celery
from apps.customers.imports import limits, tables, upload
from apps.customers.imports.limits import FileRefused
from apps.customers.imports.rows import Fault, read_row
from apps.customers.imports.writing import Batch
from apps.customers.models import ImportFault, ImportJob, ImportStatus
from apps.customers.models.imports import OPEN
from apps.customers.numbers import Plan
from apps.customers.selectors import plan_of

log = structlog.get_logger(__name__)

STEP_ROWS = 500
TRIES = 3
SILENT = timedelta(seconds=60)
"""After so long without progress a job is given to a worker again: the one that had it is gone."""
NUDGE_EXPIRES_S = 60
TASK = "apps.customers.tasks.import_customers"


class Left(Exception):
    """This worker has nothing more to do with the job: it was cancelled, is over, or another has it."""


def enqueue(job: ImportJob) -> bool:
    """Let a worker begin. The row is the order; the message to the worker only a nudge that may get lost.

    False when somebody has let it begin before (a double click).
    """
    draft = ImportJob.objects.filter(pk=job.pk, status=ImportStatus.DRAFT)
    if not draft.update(status=ImportStatus.QUEUED, seen_at=timezone.now()):
        return False
    note(
        Event.IMPORT_STARTED,
        job,
        tenant_id=job.tenant_id,
        file=job.file_name,
        rows=job.rows_total if job.counted else "",
    )
    transaction.on_commit(lambda: nudge(job.pk))
    return True


def nudge(job_id: int) -> bool:
    """Tell the workers. False when they cannot be told: ``nudge_silent`` will."""
    try:
        # By name and through our own app: a web process has not loaded the tasks, and shared ones would go elsewhere.
        celery.send_task(TASK, (job_id,), retry=False, expires=NUDGE_EXPIRES_S)
    except (OperationalError, OSError) as error:
        log.warning("import_waits_for_redis", job=job_id, error=str(error))
        return False
    return True


def nudge_silent() -> int:
    """Tell the workers of every job that should go on and shows no sign of it; returns of how many."""
    silent = ImportJob.objects.filter(status__in=OPEN, seen_at__lt=timezone.now() - SILENT)
    return sum(1 for job_id in list(silent.values_list("pk", flat=True)) if nudge(job_id))


def cancel(job: ImportJob) -> None:
    """At the end of the present step; at once when none runs. What was imported stays."""
    with transaction.atomic():
        row = ImportJob.objects.select_for_update().get(pk=job.pk)
        if row.status in (ImportStatus.DONE, ImportStatus.FAILED, ImportStatus.CANCELLED):
            return
        # The lock is held: no step is under way now, and the next will find this.
        _end(row, ImportStatus.CANCELLED)


def run(job_id: int) -> None:
    """Do the job, from wherever it is, to its end. May be called again after any interruption, and twice at once."""
    try:
        job = _begin(job_id)
        with upload.opened(job) as file:
            if not job.counted:
                _count(job, file)
            done = job.rows_done
            rows = itertools.islice(upload.data_rows(job, file), done, limits.MOST_ROWS)
            plan = plan_of(job.tenant_id)
            while step := list(itertools.islice(rows, STEP_ROWS)):
                done = _step(job, step, done, plan)
        _finish(job_id, done)
    except Left:
        log.info("import_left", job=job_id)
    except FileRefused as refused:
        log.info("import_refused", job=job_id, code=refused.code)
        _fail(job_id, refused.code, refused.detail)


def _begin(job_id: int) -> ImportJob:
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None or job.status not in OPEN:
            raise Left
        job.status = ImportStatus.RUNNING
        job.seen_at = timezone.now()
        job.started_at = job.started_at or job.seen_at
        job.save(update_fields=["status", "seen_at", "started_at"])
    return job


def _count(job: ImportJob, file: BinaryIO) -> None:
    """Nothing is written before the file was read to its end. Begun anew by whoever goes on."""
    running = ImportJob.objects.filter(pk=job.pk, status=ImportStatus.RUNNING)
    for total in upload.count(job, file):
        if not running.update(rows_total=total, seen_at=timezone.now()):
            raise Left
    running.update(counted=True)
    file.seek(0)


def _step(job: ImportJob, rows: Sequence[tables.Row], done: int, plan: Plan) -> int:
    """Returns the new count of rows done."""
    data, faults, empty = [], [], 0
    for number, cells in rows:
        read, wrong = read_row(number, cells, job.mapping, job.headers, plan)
        faults += wrong
        if read is not None:
            read.tags += job.tags
            data.append(read)
        elif not wrong:
            empty += 1
    for attempt in range(1, TRIES + 1):
        try:
            with transaction.atomic():
                _expect(job.pk, done)
                batch = Batch(job.tenant_id, data, update_existing=job.update_existing)
                outcome = batch.write()
                _keep_faults(job, [*faults, *outcome.faults])
                refused = len({fault.row for fault in [*faults, *outcome.faults]})
                ImportJob.objects.filter(pk=job.pk).update(
                    rows_done=done + len(rows),
                    created_count=F("created_count") + outcome.created,
                    updated_count=F("updated_count") + outcome.updated,
                    skipped_count=F("skipped_count") + outcome.skipped + empty,
                    failed_count=F("failed_count") + refused,
                    seen_at=timezone.now(),
                )
                return done + len(rows)
        except IntegrityError:
            if attempt == TRIES:
                raise
            log.info("import_step_again", job=job.pk, rows_done=done)  # somebody took an external id meanwhile
    raise AssertionError("unreachable")


def _expect(job_id: int, done: int) -> None:
    """Hold the job for this step. Raises ``Left`` when it is no longer where we left it."""
    job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
    if job is None or job.status != ImportStatus.RUNNING or job.rows_done != done:
        raise Left


def _keep_faults(job: ImportJob, faults: Sequence[Fault]) -> None:
    ImportFault.objects.bulk_create(
        ImportFault(job=job, **{**dataclasses.asdict(fault), "column": fault.column[:100]}) for fault in faults
    )


def _finish(job_id: int, done: int) -> None:
    with transaction.atomic():
        _expect(job_id, done)
        job = ImportJob.objects.get(pk=job_id)
        job.rows_total = done
        _end(job, ImportStatus.DONE)


def _fail(job_id: int, code: str, detail: dict[str, object]) -> None:
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().get(pk=job_id)
        if job.status in OPEN:
            job.reason, job.detail = code, detail
            _end(job, ImportStatus.FAILED)


def _end(job: ImportJob, status: ImportStatus) -> None:
    """The file has done its service: it is personal data, and goes."""
    job.status = status
    job.finished_at = timezone.now()
    job.save()
    job.chunks.all().delete()
    note(
        Event.IMPORT_ENDED, job, tenant_id=job.tenant_id, actor=job.created_by, status=job.status,
        created=job.created_count, updated=job.updated_count, refused=job.failed_count,
    )  # fmt: skip
