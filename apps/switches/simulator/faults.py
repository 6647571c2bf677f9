"""Things that go wrong, each with a rate and a seed of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

from apps.switches.simulator.clock import Scheduler

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """Rates are probabilities per event, originate or bridge; ``drops_per_hour`` counts in virtual time."""

    lost: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    late_up_to_ms: int = 400
    refused_originate: float = 0.0
    gap_death: float = 0.0
    drops_per_hour: float = 0.0
    drop_lasts_ms: int = 1500
    show_lag_ms: int = 0  # ``show channels`` misses what is younger, and shows what ended as lately

    @classmethod
    def parse(cls, text: str) -> FaultRates:
        """``lost=0.01,late=0.05``. ValueError names what is wrong."""
        kinds = {field.name: field.type for field in fields(cls)}
        values: dict[str, float] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.strip().partition("=")
            if name not in kinds:
                raise ValueError(f"no fault is called {name!r}; there are {', '.join(kinds)}")
            values[name] = float(value)
        return cls(**{n: int(v) if n.endswith("_ms") else v for n, v in values.items()})  # type: ignore[arg-type]


class Faults:
    def __init__(self, rates: FaultRates | None = None, seed: int = 0) -> None:
        self.rates = rates or FaultRates()
        self._rng = random.Random(f"{seed}/faults")

    def _hit(self, rate: float) -> bool:
        return rate > 0.0 and self._rng.random() < rate

    def refuses_originate(self) -> bool:
        return self._hit(self.rates.refused_originate)

    def gap_death_ms(self) -> int | None:
        """How long after a bridge command the first leg dies; None mostly."""
        return self._rng.randint(0, 39) if self._hit(self.rates.gap_death) else None

    def next_drop_ms(self) -> int | None:
        if self.rates.drops_per_hour <= 0:
            return None
        return max(1, int(self._rng.expovariate(self.rates.drops_per_hour / 3_600_000)))

    def deliver(self, clock: Scheduler, event: T, send: Callable[[T], None]) -> None:
        """Hand one event on: at once, or not, or twice, or late (and so out of order)."""
        if self._hit(self.rates.lost):
            return
        if self._hit(self.rates.late):
            clock.after(self._rng.randint(1, self.rates.late_up_to_ms), lambda: send(event))
            return
        send(event)
        if self._hit(self.rates.doubled):
            send(event)
