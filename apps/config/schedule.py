"""What beat starts, and when. Times of day are in ``TIME_ZONE``: heavy work runs while few people telephone."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "heartbeat": {"task": "apps.operations.tasks.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "retention": {"task": "apps.operations.tasks.retention", "schedule": crontab(hour=3, minute=10)},
    # Looks for what nothing woke the worker for: retries, and all of it while Redis was away.
    "webhooks": {"task": "apps.webhooks.tasks.deliver_due", "schedule": 5.0, "options": {"expires": 5}},
    "api_memory": {"task": "apps.api.tasks.forget_old", "schedule": crontab(minute=20)},
    "recordings": {"task": "apps.operations.tasks.look_after_recordings", "schedule": 900.0},
    "imports": {"task": "apps.customers.tasks.look_after_imports", "schedule": 30.0, "options": {"expires": 30}},
    "vips": {"task": "apps.customers.tasks.tell_vips", "schedule": 60.0, "options": {"expires": 60}},
    "sweep_cdr": {"task": "apps.operations.tasks.sweep_cdr", "schedule": 300.0, "options": {"expires": 300}},
}
