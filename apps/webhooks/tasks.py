"""What the worker does. Each task may run twice or be killed at any moment."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from apps.webhooks import delivering


@shared_task
def deliver_due() -> None:
    try:
        delivering.run()
    finally:
        connection.close()
