"""An import against everything that can come between: kills, two workers, cancelling, no Redis, and sheer size."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection, connections
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.customers import tasks
from apps.customers.imports import limits, running, upload
from apps.customers.models import Customer, ImportChunk, ImportFault, ImportJob, PhoneNumber
from tests.apps.customers.files import csv_bytes, queued, received

ROOT = Path(__file__).resolve().parents[3]
HEAD = ("编号", "姓名", "电话")


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    return Tenant.objects.create(code="t", name="t")


def rows(count: int) -> Iterator[tuple[str, ...]]:
    """Every tenth has no usable number."""
    yield HEAD
    for index in range(count):
        yield (f"C{index}", f"客户{index}", "一" if index % 10 == 9 else f"139{index:08d}")


def check_whole(job: ImportJob, count: int) -> None:
    job.refresh_from_db()
    good = count - count // 10
    assert (job.status, job.rows_done, job.rows_total) == ("done", count, count)
    assert (job.created_count, job.updated_count, job.skipped_count, job.failed_count) == (good, 0, 0, count // 10)
    assert Customer.objects.count() == PhoneNumber.objects.count() == good
    assert list(job.faults.values_list("row", flat=True)) == [index + 2 for index in range(9, count, 10)]
    assert not ImportChunk.objects.exists(), "the file is personal data: it goes when it has served"


def worker(job: ImportJob) -> subprocess.Popen[bytes]:
    """A process of its own that does the job on the tests' database."""
    return python(f"from apps.customers.imports.running import run; run({job.pk})")


def python(code: str, **environment: str) -> subprocess.Popen[bytes]:
    options = connection.settings_dict
    url = f"postgresql://{options['USER']}@/{options['NAME']}?host={options['HOST']}"
    settings = {**os.environ, "DJANGO_SETTINGS_MODULE": "apps.config.settings", "DATABASE_URL": url, **environment}
    return subprocess.Popen([sys.executable, "-c", f"import django; django.setup()\n{code}"], cwd=ROOT, env=settings)


def test_a_killed_workers_import_goes_on_where_it_was(tenant: Tenant) -> None:
    count = 6000
    job = queued(received(tenant, csv_bytes(rows(count))))
    process = worker(job)
    try:
        deadline = time.monotonic() + 60
        while ImportJob.objects.get(pk=job.pk).rows_done < 1000:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    job.refresh_from_db()
    assert job.status == "running" and 1000 <= job.rows_done < count
    assert Customer.objects.count() == job.created_count, "a step is whole or not at all"
    running.run(job.pk)
    check_whole(job, count)
    running.run(job.pk)
    check_whole(job, count)


def test_two_workers_on_one_job_do_it_once(tenant: Tenant) -> None:
    job = queued(received(tenant, csv_bytes(rows(4000))))
    threads = [threading.Thread(target=_run_in_thread, args=(job.pk,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running.run(job.pk)  # both may have left it to the other at the same moment
    check_whole(job, 4000)


def _run_in_thread(job_id: int) -> None:
    try:
        running.run(job_id)
    finally:
        connections.close_all()


def test_an_import_can_be_cancelled(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(received(tenant, csv_bytes(rows(2000))))
    step = running._step

    def cancelled_after_the_first(*args: Any) -> int:
        done = step(*args)
        running.cancel(job)
        return done

    monkeypatch.setattr(running, "_step", cancelled_after_the_first)
    running.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.rows_done, Customer.objects.count()) == ("cancelled", 500, 450)
    assert job.finished_at is not None and not ImportChunk.objects.exists()
    running.cancel(job)
    running.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.rows_done) == ("cancelled", 500)


def test_without_redis_an_import_waits_and_is_not_lost(tenant: Tenant) -> None:
    """Whoever starts it is not kept waiting, and whoever looks after imports finds it."""
    job = received(tenant, csv_bytes(rows(100)))
    began = time.monotonic()
    process = python(
        f"from apps.customers.imports import running; from apps.customers.models import ImportJob\n"
        f"running.enqueue(ImportJob.objects.get(pk={job.pk}))",
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert process.wait(60) == 0 and time.monotonic() - began < 30
    job.refresh_from_db()
    assert (job.status, job.rows_done) == ("queued", 0)
    assert ImportChunk.objects.filter(job=job).exists()


def test_starting_an_import_tells_a_worker(tenant: Tenant, redis_url: str) -> None:
    """From a process that has loaded no task, as the web is."""
    job = received(tenant, csv_bytes(rows(5)))
    process = python(
        f"from apps.customers.imports import running; from apps.customers.models import ImportJob\n"
        f"running.enqueue(ImportJob.objects.get(pk={job.pk}))"
    )
    assert process.wait(60) == 0
    told = redis.Redis.from_url(redis_url).lrange("celery", 0, -1)
    assert [json.loads(message)["headers"]["task"] for message in told] == [tasks.import_customers.name]


def test_jobs_that_went_silent_are_taken_up_again(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(running, "nudge", lambda job_id: told.append(job_id) or True)
    now = timezone.now()
    for status, age in (("queued", 61), ("running", 61), ("running", 5), ("done", 900), ("cancelled", 900)):
        job = received(tenant, csv_bytes(rows(5)))
        ImportJob.objects.filter(pk=job.pk).update(status=status, seen_at=now - timedelta(seconds=age))
    tasks.look_after_imports()
    assert sorted(ImportJob.objects.filter(pk__in=told).values_list("status", flat=True)) == ["queued", "running"]


def test_a_draft_that_nobody_confirms_is_forgotten(tenant: Tenant) -> None:
    job = received(tenant, csv_bytes(rows(5)))
    tasks.look_after_imports()
    assert ImportJob.objects.filter(pk=job.pk).exists()
    ImportJob.objects.update(created_at=timezone.now() - timedelta(days=3))
    tasks.look_after_imports()
    assert not ImportJob.objects.exists() and not ImportChunk.objects.exists()


def test_the_reasons_of_an_old_import_are_forgotten(tenant: Tenant) -> None:
    job = queued(received(tenant, csv_bytes(rows(10))))
    running.run(job.pk)
    tasks.look_after_imports()
    assert job.faults.count() == 1
    ImportJob.objects.update(finished_at=timezone.now() - timedelta(days=31))
    tasks.look_after_imports()
    assert job.faults.count() == 0 and ImportJob.objects.get().failed_count == 1


def test_a_file_that_breaks_off_ends_with_a_reason(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    job = queued(received(tenant, csv_bytes(rows(1500))))
    monkeypatch.setattr(limits, "MOST_COLUMNS", 2)
    running.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.reason, job.rows_done) == ("failed", "too_many_columns", 0)


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ([("x",) * 80], "too_many_columns"),
        ([("y", "B", "13955501100")] * 50, "too_many_rows"),
    ],
)
def test_a_large_file_that_is_broken_at_its_end_is_refused_before_a_row_of_it_is_written(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tail: list[tuple[str, ...]], reason: str
) -> None:
    monkeypatch.setattr(limits, "MOST_ROWS", 2530)
    job = queued(received(tenant, csv_bytes([*rows(2500), *tail])))
    assert not job.counted
    running.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.reason, job.rows_done) == ("failed", reason, 0) and not Customer.objects.exists()


def test_counting_is_taken_up_by_another_worker_and_ends_when_it_is_cancelled(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "COUNTED_AT_ONCE", 100)
    job = queued(received(tenant, csv_bytes(rows(1000))))
    count = upload.count

    def killed(*args: Any) -> Iterator[int]:
        yield from itertools.islice(count(*args), 3)
        raise KeyboardInterrupt

    monkeypatch.setattr(upload, "count", killed)
    with pytest.raises(KeyboardInterrupt):
        running.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.counted, job.rows_total, job.rows_done) == ("running", False, 299, 0)
    monkeypatch.setattr(upload, "count", count)
    running.run(job.pk)
    check_whole(job, 1000)


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_thousand(tenant: Tenant) -> None:
    """In processes of their own: what is measured is their highest resident memory."""
    few_kb = memory_kb(queued(received(tenant, csv_bytes(rows(1000)))))
    count = 100_000
    job = queued(received(tenant, csv_bytes(rows(count), "gb18030")))
    assert (job.rows_total, job.counted) == (1999, False), "nobody waits for the count of a large file"
    many_kb = memory_kb(job)
    job.refresh_from_db()
    assert (job.status, job.rows_done, job.rows_total, job.counted) == ("done", count, count, True)
    assert (job.created_count, job.skipped_count, job.failed_count) == (89_100, 900, 10_000)
    assert ImportFault.objects.filter(job=job).count() == 10_000
    assert many_kb - few_kb < 40_000


def memory_kb(job: ImportJob) -> int:
    process = worker(job)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss
