"""Expected wait (预计等待): how long somebody who joined the queue now would wait, by the length of the line (QL).

Position · AHT / agents who serve (kpi.md). It takes the line for first come, first served and the agents for this
queue's alone: where they serve others as well, callers wait longer.
"""

from __future__ import annotations

VERSION = 1


def expected_wait_ms(waiting: int, ready: int, serving: int, handling_time_ms: float | None) -> float | None:
    """``serving``: signed in and not on pause, ``ready`` of them free. None: nobody serves, or no AHT is known yet."""
    if serving <= 0:
        return None
    if ready > waiting:
        return 0
    return (waiting + 1) * handling_time_ms / serving if handling_time_ms is not None else None
