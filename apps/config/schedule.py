"""What beat starts, and when. Times of day are in ``TIME_ZONE``: heavy work runs while few people telephone."""

from __future__ import annotations

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "heartbeat": {"task": "apps.operations.tasks.heartbeat", "schedule": 30.0, "options": {"expires": 30}},
}
