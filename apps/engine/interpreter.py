"""What the engine asks of Python: little looking for garbage, and no thread that waits long for another."""

from __future__ import annotations

import gc
import sys

COLLECT_AFTER = (50_000, 20, 100)
HAND_OVER_S = 0.0005


def collect_garbage_seldom() -> None:
    """What was loaded stays; a call leaves little behind that only the collector can free.

    With Python's own thresholds a collection comes every few events and costs a fifth of the core's throughput
    (``tests/bench/core_events.py``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def hand_over_soon() -> None:
    """The loop waits for the interpreter at most so long while the recorder works, and the driver's thread as well.

    Python's own 5 ms is paid at each step of an event on its way: into the loop, to the driver, into the loop again.
    """
    sys.setswitchinterval(HAND_OVER_S)
