"""Abandon rate (放弃率): callers who hung up while waiting, of those offered to the queue."""

from __future__ import annotations

VERSION = 1


def abandon_rate(abandoned: int, offered: int) -> float | None:
    """Between 0 and 1. Offered counts by the start of the wait, abandoned by its end: see ``day.tally``."""
    return abandoned / offered if offered > 0 else None
