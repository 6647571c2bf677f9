"""Engine time: milliseconds since the Unix epoch that never go back, not even over a restart."""

from __future__ import annotations

import time
from collections.abc import Callable

SLEW = 0.1
"""How much faster or slower than real time the clock may run while it makes up for a step of the wall clock."""


class EngineClock:
    """Runs on the monotonic clock and leans towards the wall clock.

    A step of the wall clock (NTP, an operator) must neither make time go back nor fire every deadline of every
    caller at once, so the difference is made up at ``SLEW``: a 10 s step takes 100 s. ``at_least_ms`` is the
    journal's last time.
    """

    def __init__(
        self,
        at_least_ms: int = 0,
        *,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._last_mono = monotonic_s()
        self._now_ms = max(wall_s() * 1000.0, float(at_least_ms))

    def now_ms(self) -> int:
        mono = self._monotonic_s()
        elapsed_ms = max(0.0, (mono - self._last_mono) * 1000.0)
        self._last_mono = max(mono, self._last_mono)
        behind_ms = self._wall_s() * 1000.0 - (self._now_ms + elapsed_ms)
        lean_ms = min(abs(behind_ms), elapsed_ms * SLEW)
        self._now_ms += elapsed_ms + (lean_ms if behind_ms > 0 else -lean_ms)
        return int(self._now_ms)

    def not_before(self, at_ms: int) -> None:
        """Facts of another engine are as late as this: time goes on from there, and what has passed here is in it."""
        self._now_ms = max(float(self.now_ms()), float(at_ms))

    def behind_wall_ms(self) -> int:
        """How far the wall clock is ahead of us; negative when it is behind."""
        return int(self._wall_s() * 1000.0 - self.now_ms())
