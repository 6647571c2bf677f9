"""What beat starts. Each task may run twice or be killed at any moment."""

from __future__ import annotations

from celery import shared_task

from apps.operations.heartbeat import say_alive


@shared_task
def heartbeat() -> None:
    say_alive()
