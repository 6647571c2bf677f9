"""Is everything there? Each part is looked at for itself, at once, and for no longer than ``PATIENCE_S``.

``down`` is what stops the web from answering people: the database. Everything else degrades: pages and calls go on
without Redis and workers, and without the engine a page says so, which it could not if a proxy had taken it away.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from apps.operations import disk, web_metrics
from apps.operations.heartbeat import last_heartbeat_s

PATIENCE_S = 2.0
BACKGROUND_LATE_S = 60.0
HISTORY_LATE_S = 60.0
OK, DEGRADED, DOWN = "ok", "degraded", "down"
_VALUE = {OK: 1.0, DEGRADED: 0.5, DOWN: 0.0}


@dataclass(frozen=True, slots=True)
class Part:
    """``detail`` is for operators; it names no person and no secret."""

    name: str
    status: str
    detail: str = ""


def report() -> tuple[str, list[Part]]:
    """The worst that matters, and every part."""
    # Not a with-block: it would wait for a part that hangs.
    pool = ThreadPoolExecutor(len(CHECKS), thread_name_prefix="health")
    running = {name: pool.submit(_look, name, check) for name, check in CHECKS.items()}
    deadline_s = time.monotonic() + PATIENCE_S
    parts = []
    for name, future in running.items():
        try:
            parts.append(future.result(max(0.0, deadline_s - time.monotonic())))
        except Late:
            parts.append(Part(name, _worst_of(name), f"no answer in {PATIENCE_S:.0f} s"))
    pool.shutdown(wait=False)
    for part in parts:
        web_metrics.healthy.labels(part.name).set(_VALUE[part.status])
    return next((word for word in (DOWN, DEGRADED) if any(part.status == word for part in parts)), OK), parts


def _look(name: str, check: Callable[[], Part]) -> Part:
    try:
        return check()
    except (Error, redis.RedisError, OSError, ValueError, KeyError, TypeError) as error:
        return Part(name, _worst_of(name), type(error).__name__)
    finally:
        connection.close()  # this thread's own


def _worst_of(name: str) -> str:
    return DOWN if name == "database" else DEGRADED


def _database() -> Part:
    """Reached, and its tables are those of this code."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if missing := _missing_migrations():
        return Part("database", DEGRADED, f"{missing} migrations not applied: run manage.py migrate")
    return Part("database", OK)


_migrated = False


def _missing_migrations() -> int:
    """Reads every migration file, so only until all are applied: this process's code does not change."""
    global _migrated
    if _migrated:
        return 0
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _migrated = not missing
    return missing


_NOT_LEADING = {
    "standing_by": "no engine leads",
    "unsure": "the engine that led does not know whether it still does: it decides nothing",
}


def _engine() -> Part:
    data = ask_engine()
    lacking = _lacking_standby(data)
    if data["status"] == OK and data.get("role") not in _NOT_LEADING and not lacking:
        return Part("engine", OK)
    links = [switch for switch, up in data.get("links", {}).items() if not up]
    why = [
        _NOT_LEADING.get(data.get("role", ""), ""),
        f"takes no calls: {', '.join(map(str, data['closed_for']))}" if data.get("closed_for") else "",
        f"switch {', '.join(links)} not reached" if links else "",
        f"history waits: {data['journal']['depth']} facts" if data.get("recorder", {}).get("trouble") else "",
        lacking,
    ]
    return Part("engine", DEGRADED, "; ".join(filter(None, why)) or str(data["status"]))


def _lacking_standby(data: dict[str, Any]) -> str:
    """Of several engines all but the leader must have every fact, or the next failure costs more than a moment."""
    missing = len(settings.ENGINE_URL.split(",")) - 1 - len(data.get("standbys", ()))
    return f"{missing} of the engines not standing by" if data.get("role") == "leading" and missing > 0 else ""


def ask_engine() -> dict[str, Any]:
    """The one that leads, else one that led, else any that answers; not well, it says why. Raises ``OSError``."""
    answers: list[dict[str, Any]] = []
    trouble: OSError | None = None
    for door in settings.ENGINE_URL.split(","):
        try:
            answers.append(_ask(door))
        except OSError as error:
            trouble = error
    if not answers:
        raise trouble or OSError("no engine configured")
    by_role = {data.get("role"): data for data in reversed(answers)}
    return by_role.get("leading") or by_role.get("unsure") or answers[0]


def _ask(door: str) -> dict[str, Any]:
    """``OSError`` also for an answer that broke off, or that no engine gave."""
    try:
        with _opened(f"{door}/health") as reply:
            data: dict[str, Any] = orjson.loads(reply.read())
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"not an engine's answer: {error!r}") from error
    return data


def _opened(url: str) -> Any:
    try:
        return urllib.request.urlopen(url, timeout=PATIENCE_S / 2)
    except urllib.error.HTTPError as error:
        return error  # an answer as well


def history_is_current() -> bool:
    """The engine runs, and all that it knows is in PostgreSQL but for the last moment."""
    try:
        recorder = ask_engine()["recorder"]
    except (OSError, KeyError):
        return False
    return not recorder["trouble"] and float(recorder["lag_s"]) < HISTORY_LATE_S


def _redis() -> Part:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    try:
        client.ping()
    finally:
        client.close()
    return Part("redis", OK)


def _background() -> Part:
    """Beat sends a task every ten seconds that a worker answers: late means that one of the two stands still."""
    age_s = last_heartbeat_s()
    web_metrics.background_age.set(age_s if age_s is not None else float("inf"))
    if age_s is None or age_s > BACKGROUND_LATE_S:
        since = "never seen" if age_s is None else f"silent for {age_s:.0f} s"
        return Part("background", DEGRADED, f"worker or beat {since}")
    return Part("background", OK)


def _recordings_disk() -> Part:
    free = disk.free_mb()
    if free is None:
        return Part("recordings_disk", DEGRADED, "RECORDINGS_DIR does not exist")
    web_metrics.recordings_free.set(free << 20)
    if free < settings.RECORDINGS_FREE_MB:
        return Part("recordings_disk", DEGRADED, f"{free} MB free, less than {settings.RECORDINGS_FREE_MB}")
    return Part("recordings_disk", OK)


CHECKS: dict[str, Callable[[], Part]] = {
    "database": _database,
    "engine": _engine,
    "redis": _redis,
    "background": _background,
    "recordings_disk": _recordings_disk,
}
