"""AHT (平均处理时长): talk, hold and wrap-up together, by the conversations they belong to."""

from __future__ import annotations

VERSION = 1


def average_handling_time_ms(talk_ms: int, hold_ms: int, wrap_up_ms: int, handled: int) -> float | None:
    """Sums over the handled. A call that two agents handled is two."""
    return (talk_ms + hold_ms + wrap_up_ms) / handled if handled > 0 else None
