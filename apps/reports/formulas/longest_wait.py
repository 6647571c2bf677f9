"""Longest wait (最长等待): of those who waited, answered or not, and of those who still do."""

from __future__ import annotations

from collections.abc import Iterable

VERSION = 1


def longest_wait_ms(ended_longest_ms: int, waiting_since_ms: Iterable[int], now_ms: int) -> int:
    """The longest wait that has ended, or the one going on that has become longer. 0 when nobody waited."""
    return max(ended_longest_ms, *(now_ms - since_ms for since_ms in waiting_since_ms), 0)
