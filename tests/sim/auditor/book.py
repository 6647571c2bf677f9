"""What all books have in common: they take facts by type and know since when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Set
from typing import Any

from apps.core import facts as f

FactRule = Callable[[Any], None]


class Book:
    """A method ``_on_CallStarted`` takes facts of that type; a subclass needs to name nothing else."""

    def takers(self, kind: type[f.Fact]) -> list[FactRule]:
        rule = getattr(self, f"_on_{kind.__name__}", None)
        return [rule] if rule is not None else []


class Stopwatch:
    """Since when each of several things has been wrong without a pause."""

    def __init__(self) -> None:
        self._since_ms: dict[Hashable, int] = {}

    def wrong_for_ms(self, what: Hashable, is_wrong: bool, now_ms: int, not_before_ms: int = 0) -> int:
        """``not_before_ms``: what was wrong earlier could not have been seen."""
        if not is_wrong:
            self._since_ms.pop(what, None)
            return 0
        return now_ms - max(self._since_ms.setdefault(what, now_ms), not_before_ms)

    def keep(self, whats: Set[Hashable]) -> None:
        """Of the others nothing is wrong any more."""
        for gone in self._since_ms.keys() - whats:
            del self._since_ms[gone]
