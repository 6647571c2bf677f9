"""What is remembered of a queue: whether it is open and staffed, how long its calls take, and how good we foretell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from apps.core.ids import QueueId

if TYPE_CHECKING:
    from apps.core.state import State


@dataclass(slots=True)
class Decayed:
    """A sum and its weight in which what is old counts less: of the last ``window`` or so values."""

    total: float = 0.0
    weight: float = 0.0

    def add(self, value: float, window: int) -> None:
        kept = 1 - 1 / window
        self.total, self.weight = self.total * kept + value, self.weight * kept + 1

    @property
    def mean(self) -> float | None:
        return self.total / self.weight if self.weight else None


@dataclass(slots=True, kw_only=True)
class QueueLoad:
    """``told`` and ``waited`` are of the same callers: what they could expect, and what came. Milliseconds."""

    closed: str = ""  # why; empty: open
    deserted_ms: int | None = None  # since when there is nobody who would serve
    handling: Decayed = field(default_factory=Decayed)  # from offer to the end of wrap-up
    told: Decayed = field(default_factory=Decayed)
    waited: Decayed = field(default_factory=Decayed)
    last_wait_ms: int | None = None  # of who was answered last
    squared_error: Decayed = field(default_factory=Decayed)  # of our estimates
    squared_error_of_last: Decayed = field(default_factory=Decayed)  # had we told everybody ``last_wait_ms`` instead


def load_of(state: State, queue: QueueId) -> QueueLoad:
    return state.queues.setdefault(queue, QueueLoad())
