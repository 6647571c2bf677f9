"""How often Python looks for garbage in the engine."""

from __future__ import annotations

import gc

COLLECT_AFTER = (50_000, 20, 100)


def collect_garbage_seldom() -> None:
    """What was loaded stays; a call leaves little behind that only the collector can free.

    With Python's own thresholds a collection comes every few events and costs a fifth of the core's throughput
    (``tests/bench/core_events.py``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
