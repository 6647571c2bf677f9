"""Background work on customers. Each task may run twice or be killed at any moment."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.customers import vips
from apps.customers.imports import running
from apps.customers.models import ImportFault, ImportJob, ImportStatus

DRAFTS_KEPT = timedelta(days=2)
FAULTS_KEPT = timedelta(days=30)
"""They hold what was written in the file: personal data that has served when the file was put right."""


@shared_task
def import_customers(job_id: int) -> None:
    running.run(job_id)


@shared_task
def tell_vips() -> None:
    """Once a minute: whoever became a VIP, or is none any more, is known where callers are put in order."""
    vips.tell_engine()


@shared_task
def look_after_imports() -> None:
    """Twice a minute: imports whose worker is gone go on; old drafts and reasons are forgotten."""
    running.nudge_silent()
    now = timezone.now()
    ImportJob.objects.filter(status=ImportStatus.DRAFT, created_at__lt=now - DRAFTS_KEPT).delete()
    ImportFault.objects.filter(job__finished_at__lt=now - FAULTS_KEPT).delete()
