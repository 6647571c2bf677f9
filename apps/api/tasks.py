"""What the worker does for the interface."""

from __future__ import annotations

from celery import shared_task

from apps.api import commands, idempotency


@shared_task
def forget_old() -> None:
    """Answers kept for repeats, and commands long over."""
    idempotency.forget_old()
    commands.forget_old()
