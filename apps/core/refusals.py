"""Why something is not done, for the person or program that asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is stable, for screens to translate; ``reason`` says in English what would help."""

    code: str
    reason: str


STALE = Refusal("stale", "the call has changed since you saw it")
