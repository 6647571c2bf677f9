"""Expected wait (预计等待): how long who joins a queue now, or stands in it, will wait.

Position x handling time / agents who serve, the mean of what is left for a first-come-first-served line, and
corrected by what the latest callers waited against what they had been told: agents who serve other queues as well,
pauses and the time a telephone rings are in there. Half the squared error of telling everybody the wait of the last who
was answered (``tests/bench/expected_wait.py``).
"""

from __future__ import annotations

from math import sqrt

from apps.core.queues.load import QueueLoad

HANDLING_WINDOW = 3_000
"""Calls. In a line of thirty, an error of 2 % in the handling time costs 1 % more squared error."""
WAITS_WINDOW = 1_000
DOUBT = 100
"""So many handling times are thought to have been told and waited before the first: a few waits cannot mislead."""
TOLERATED = 0.1
"""Waits hang together, so even a thousand of them stray from a right estimate by so much: that is not corrected."""
MOST = 4.0
"""What a correction may do at most, either way."""


def expected_ms(ahead: int, free: int, serving: int, load: QueueLoad | None) -> int | None:
    """``ahead`` wait before this one; ``serving`` are signed in and not away from work, ``free`` of them are idle.

    None: nobody serves, or nothing is known yet of how long calls take.
    """
    if serving <= 0:
        return None
    if free > ahead:
        return 0
    plain = plain_ms(ahead, serving, load)
    return round(plain * correction(load)) if plain is not None and load is not None else None


def plain_ms(ahead: int, serving: int, load: QueueLoad | None) -> float | None:
    handling_ms = load.handling.mean if load is not None else None
    return (ahead + 1) * handling_ms / serving if handling_ms is not None else None


def correction(load: QueueLoad) -> float:
    """By what factor the latest callers waited longer than they had been told, as far as that is no accident."""
    doubt_ms = DOUBT * (load.handling.mean or 0.0)
    if not load.told.weight or not doubt_ms:
        return 1.0
    ratio = (load.waited.total + doubt_ms) / (load.told.total + doubt_ms)
    beyond = max(ratio - 1 - TOLERATED, 0.0) + min(ratio - 1 + TOLERATED, 0.0)
    return min(MOST, max(1 / MOST, 1 + beyond))


def errors_ms(load: QueueLoad | None) -> tuple[int, int] | None:
    """How far the latest estimates were off, and how far telling everybody the last wait would have been.

    Root mean squares, ours first. None before anybody has waited.
    """
    ours, last = (load.squared_error.mean, load.squared_error_of_last.mean) if load is not None else (None, None)
    return (round(sqrt(ours)), round(sqrt(last))) if ours is not None and last is not None else None


def handled(load: QueueLoad, handling_ms: int) -> None:
    """An agent is done with a call of this queue."""
    load.handling.add(max(0, handling_ms), HANDLING_WINDOW)


def answered(load: QueueLoad, waited_ms: int, estimate_ms: int | None, last_wait_ms: int | None) -> None:
    """A caller was connected. One who could expect no wait tells nothing about how good the others' estimates are."""
    if estimate_ms:
        uncorrected_ms = estimate_ms / correction(load)
        load.told.add(uncorrected_ms, WAITS_WINDOW)
        load.waited.add(waited_ms, WAITS_WINDOW)
        load.squared_error.add((waited_ms - estimate_ms) ** 2, WAITS_WINDOW)
        if last_wait_ms is not None:
            load.squared_error_of_last.add((waited_ms - last_wait_ms) ** 2, WAITS_WINDOW)
    load.last_wait_ms = waited_ms
