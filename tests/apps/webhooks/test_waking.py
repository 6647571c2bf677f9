"""Redis only wakes the worker: a message on the right list, and no trouble without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from django.conf import settings

from apps.webhooks import outbox

WAKE = """
import django
django.setup()
from apps.webhooks import outbox
outbox.wake()
"""


def test_any_process_wakes_the_worker(redis_url: str) -> None:
    """As the engine does it: a process that has done nothing else with Celery."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "apps.config.settings"}
    client = redis.Redis.from_url(redis_url)
    client.delete("celery")
    subprocess.run([sys.executable, "-c", WAKE], cwd=Path(settings.BASE_DIR), env=environment, check=True)
    assert client.llen("celery") == 1 and outbox.TASK.encode() in client.lindex("celery", 0)
    client.delete("celery")


def test_without_redis_nothing_waits_or_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_kwargs: object) -> None:
        raise ConnectionRefusedError("no Redis here")

    monkeypatch.undo()  # the folder's fixture keeps tests from waking
    monkeypatch.setattr(outbox, "_asleep_until", 0.0)
    monkeypatch.setattr(outbox.celery, "send_task", away)
    outbox.wake()
    monkeypatch.setattr(outbox.celery, "send_task", lambda *_args, **_kwargs: pytest.fail("asked again at once"))
    outbox.wake()
