"""Service level (服务水平): the share of callers who got an agent within the threshold T.

Six ways to count the abandoned are in use; a tenant picks one and every figure carries its name. Sources: Call Centre
Helper, "How to calculate service level" (its example is the test vector), and the handbooks that the users know (F3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCounts:
    """Waits that ended in a stretch of time. "In time" is within T, "short" within the tenant's short-abandon limit."""

    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    flowed_out: int = 0  # left the queue for another place: overflow, time-out, transfer

    def __add__(self, other: WaitCounts) -> WaitCounts:
        return WaitCounts(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Share:
    """``met`` of ``of``: both counts stand beside the value, for who wants to check it."""

    met: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None when there is nothing to divide by."""
        return self.met / self.of if self.of > 0 else None


@dataclass(frozen=True, slots=True)
class Formula:
    name: str
    text: str  # as reports print it
    count: Callable[[WaitCounts], Share]
    version: int = VERSION

    def __call__(self, counts: WaitCounts) -> Share:
        return self.count(counts)


def _f1(n: WaitCounts) -> Share:
    return Share(n.answered_in_time + n.abandoned_in_time, n.answered + n.abandoned)


def _f2(n: WaitCounts) -> Share:
    return Share(n.answered_in_time, n.answered)


def _f3(n: WaitCounts) -> Share:
    return Share(n.answered_in_time, n.answered + n.abandoned)


def _f4(n: WaitCounts) -> Share:
    return Share(n.answered_in_time, n.answered + n.abandoned - n.abandoned_in_time)


def _f5(n: WaitCounts) -> Share:
    return Share(n.answered_in_time + n.abandoned_short, n.answered + n.abandoned)


def _f6(n: WaitCounts) -> Share:
    return Share(n.answered_in_time, n.answered + n.abandoned - n.abandoned_short)


def _f6_flow(n: WaitCounts) -> Share:
    return Share(n.answered_in_time, n.answered + n.abandoned - n.abandoned_short + n.flowed_out)


FORMULAS: dict[str, Formula] = {
    formula.name: formula
    for formula in (
        Formula("F1", "(Ans≤T + Ab≤T) / (Ans + Ab)", _f1),
        Formula("F2", "Ans≤T / Ans", _f2),
        Formula("F3", "Ans≤T / (Ans + Ab)", _f3),
        Formula("F4", "Ans≤T / (Ans + Ab>T)", _f4),
        Formula("F5", "(Ans≤T + Ab≤short) / (Ans + Ab)", _f5),
        Formula("F6", "Ans≤T / (Ans + Ab − Ab≤short)", _f6),
        Formula("F6F", "Ans≤T / (Ans + Ab − Ab≤short + flow-outs)", _f6_flow),
    )
}
DEFAULT = "F3"
DEFAULT_THRESHOLD_MS = 20_000
DEFAULT_SHORT_MS = 5_000
