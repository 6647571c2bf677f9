"""ASA (平均应答速度): how long those who were answered had waited, on average. The abandoned do not count."""

from __future__ import annotations

VERSION = 1


def average_speed_of_answer_ms(waited_ms: int, answered: int) -> float | None:
    """``waited_ms`` is the sum over the answered."""
    return waited_ms / answered if answered > 0 else None
