"""Occupancy (占有率): how much of their time agents spend on contacts. Two definitions are in use; both are named.

``login`` divides by logged-in time (呼入项目占有率, as the users' handbooks have it); ``available`` is ICMI's, which
leaves pauses out: handling by handling and waiting for a call. Handling is talk, hold, wrap-up and dialling out; while
a telephone rings its agent still waits.
"""

from __future__ import annotations

VERSION = 1


def occupancy_of_login_time(handling_ms: int, ready_ms: int, logged_in_ms: int) -> float | None:
    """Between 0 and 1: handling by all the time signed in, pauses included."""
    return handling_ms / logged_in_ms if logged_in_ms > 0 else None


def occupancy_of_available_time(handling_ms: int, ready_ms: int, logged_in_ms: int) -> float | None:
    """Between 0 and 1, ICMI: handling by handling and ready. Pauses do not count."""
    time_ms = handling_ms + ready_ms
    return handling_ms / time_ms if time_ms > 0 else None


DEFAULT = "login"
