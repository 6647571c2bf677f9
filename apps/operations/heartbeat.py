"""Signs of life of the background processes.

Beat sends ``apps.operations.tasks.heartbeat`` every ten seconds; the worker that runs it says so in Redis, where any
web process sees it. Each process also touches a file, so that its own supervisor need not start Python to ask:
``STATE_DIR/worker.alive`` at each of the worker's own beats, ``STATE_DIR/beat.alive`` at each of the scheduler's ticks.
"""

from __future__ import annotations

import time
from typing import Any

import redis
from celery.beat import PersistentScheduler
from celery.signals import heartbeat_sent
from django.conf import settings

KEY = "trunkline:background"
TOUCH_S = 10.0


def say_alive() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)
    try:
        client.set(KEY, repr(time.time()), ex=86_400)
    finally:
        client.close()


def last_heartbeat_s() -> float | None:
    """Seconds since a worker ran beat's task; None when that was never, or Redis lost it. Raises ``RedisError``."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        value: Any = client.get(KEY)
    finally:
        client.close()
    return None if value is None else max(0.0, time.time() - float(value))


class Scheduler(PersistentScheduler):
    """Beat's own, which leaves a sign of life."""

    _touched_s = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        now_s = time.monotonic()
        if now_s - self._touched_s > TOUCH_S:
            self._touched_s = now_s
            _touch("beat.alive")
        wait_s: float = super().tick(*args, **kwargs)
        return min(TOUCH_S, wait_s)


@heartbeat_sent.connect
def _worker_beats(**_kwargs: Any) -> None:
    _touch("worker.alive")


def _touch(name: str) -> None:
    settings.STATE_DIR.mkdir(parents=True, exist_ok=True)
    (settings.STATE_DIR / name).touch()
