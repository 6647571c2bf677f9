"""Raise after a condition has held for a while, clear after its opposite has. In between nothing changes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delays:
    raise_ms: int
    clear_ms: int


@dataclass(slots=True)
class Hysteresis:
    """One thing watched. ``raised_ms`` is when the alarm was raised; None while there is none."""

    raised_ms: int | None = None
    bad_since_ms: int | None = None
    good_since_ms: int | None = None

    def step(self, bad: bool, good: bool, delays: Delays, now_ms: int) -> bool:
        """Look once more; True when the alarm was raised or cleared by it. ``bad`` and ``good`` may both be false."""
        self.bad_since_ms = (self.bad_since_ms if self.bad_since_ms is not None else now_ms) if bad else None
        self.good_since_ms = (self.good_since_ms if self.good_since_ms is not None else now_ms) if good else None
        if self.raised_ms is None:
            if self.bad_since_ms is not None and now_ms - self.bad_since_ms >= delays.raise_ms:
                self.raised_ms = now_ms
                return True
        elif self.good_since_ms is not None and now_ms - self.good_since_ms >= delays.clear_ms:
            self.raised_ms = None
            return True
        return False

    @property
    def quiet(self) -> bool:
        """Nothing is raised and nothing is on its way to be."""
        return self.raised_ms is None and self.bad_since_ms is None
