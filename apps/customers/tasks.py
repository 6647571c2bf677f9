"""Background work on customers. Each task may run twice or be killed at any moment."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.customers.imports import running
from apps.customers.models import ImportJob, ImportStatus

DRAFTS_KEPT = timedelta(days=2)


@shared_task
def import_customers(job_id: int) -> None:
    running.run(job_id)


@shared_task
def look_after_imports() -> None:
    """Twice a minute: imports whose worker is gone go on; uploads that nobody confirmed are forgotten."""
    running.nudge_silent()
    ImportJob.objects.filter(status=ImportStatus.DRAFT, created_at__lt=timezone.now() - DRAFTS_KEPT).delete()
