"""What the worker does. Each task may run twice or be killed at any moment."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from apps.webhooks import delivering
from apps.webhooks.models import Delivery, DeliveryStatus

LOG_KEPT = timedelta(days=14)


@shared_task
def deliver_due() -> None:
    try:
        delivering.run()
    finally:
        connection.close()


@shared_task
def forget_old_deliveries() -> None:
    """What is still pending stays: it has its own end."""
    old = Delivery.objects.exclude(status=DeliveryStatus.PENDING).filter(created_at__lt=timezone.now() - LOG_KEPT)
    old.delete()
