"""The wait that somebody who joined now may expect, put to each queue of a floor. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from apps.live.views_of_state import Entity
from apps.reports.formulas.expected_wait import expected_wait_ms


def with_expected_waits(queues: Mapping[str, Entity], figures: Mapping[str, Entity]) -> dict[str, Entity]:
    """``expected_ms`` from what a queue does now and its handling time today; None where nothing can be said."""
    return {key: {**queue, "expected_ms": _expected(queue, figures.get(key, {}))} for key, queue in queues.items()}


def _expected(queue: Entity, figures: Entity) -> int | None:
    serving = queue["staffed"] - queue["paused"]
    wait_ms = expected_wait_ms(queue["waiting"], queue["ready"], serving, figures.get("aht_ms"))
    return round(wait_ms) if wait_ms is not None else None
