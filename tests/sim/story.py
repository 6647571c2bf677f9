"""One simulated day: how big, how busy, and what goes wrong. The seed is the whole story."""

from __future__ import annotations

import random
from dataclasses import dataclass

from apps.switches.simulator.faults import FaultRates

START_MS = 1_700_000_000_000
FAULTS = FaultRates(
    lost=0.002, late=0.01, doubled=0.01, refused_originate=0.01, gap_death=0.02, drops_per_hour=4, drop_lasts_ms=1500
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Rates are of the centre's own time. ``crashes``: half of them a restart, half a standby that takes over."""

    seed: int
    calls: int = 150
    agents: int = 12
    per_minute: float = 20.0
    faults: FaultRates = FAULTS
    crashes_per_hour: float = 8.0
    standstills_per_hour: float = 6.0
    clock_steps_per_hour: float = 4.0
    changes_per_hour: float = 4.0  # of the configuration
    web_callbacks_per_hour: float = 60.0
    mishaps_per_hour: float = 20.0  # telephones that lose their registration, pages that lose their sound

    @classmethod
    def of(cls, seed: int, calls: int = 150) -> Story:
        rng = random.Random(f"{seed}/story")
        agents = rng.randint(3, 14)
        return cls(seed=seed, calls=calls, agents=agents, per_minute=agents * rng.uniform(0.8, 2.5))

    @classmethod
    def short_handed(cls, seed: int, calls: int = 150) -> Story:
        """More people want to be called back than the agents can call, whose telephones and pages often fail."""
        return cls(seed=seed, calls=calls, agents=4, per_minute=6, web_callbacks_per_hour=400, mishaps_per_hour=120)

    @classmethod
    def calm(cls, seed: int, calls: int = 150) -> Story:
        """Nothing goes wrong."""
        return cls(
            seed=seed, calls=calls, faults=FaultRates(), crashes_per_hour=0, standstills_per_hour=0,
            clock_steps_per_hour=0, changes_per_hour=0, mishaps_per_hour=0,
        )  # fmt: skip
