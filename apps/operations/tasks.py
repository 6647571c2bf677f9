"""What beat starts. Each task may run twice or be killed at any moment."""

from __future__ import annotations

import structlog
from celery import shared_task

from apps.operations import disk
from apps.operations.cdr.sweep import sweep as sweep_records
from apps.operations.health import history_is_current
from apps.operations.heartbeat import say_alive
from apps.operations.retention import sweep

log = structlog.get_logger(__name__)


@shared_task
def heartbeat() -> None:
    say_alive()


@shared_task
def retention() -> None:
    """Each night: forget what is older than its tenant keeps it."""
    try:
        sweep.run()
    except sweep.AnotherRuns:
        log.info("retention_runs_already")
        return
    disk.look_for_unknown()


@shared_task
def look_after_recordings() -> None:
    """Each quarter of an hour: room on the disk."""
    disk.look()


@shared_task
def sweep_cdr() -> None:
    """Every five minutes: calls that the engine missed. Its own word comes first."""
    if history_is_current():
        sweep_records()
    else:
        log.info("cdr_sweep_waits")
