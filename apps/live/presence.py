"""Whether an agent's console is there: heartbeats in, what to tell the engine out. Pure; the clock is passed in.

An agent counts as gone when no page of theirs has answered a heartbeat for ``GONE_AFTER_S``. Only agents who had a
page in this web process, or in the one before it, are watched, so one web process must carry all consoles of an
installation for now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from apps.core.agents.machine import AgentState
from apps.core.ids import AgentId, TenantId

GONE_AFTER_S = 4.0
RETURN_WITHIN_S = 10.0
"""After a restart of the web process the pages find their way back within this time."""
REPEAT_AFTER_S = 2.0
"""How long the engine may take to show the effect before it is told again."""


class Seat(NamedTuple):
    tenant: TenantId
    agent: AgentId


@dataclass(slots=True)
class _Watch:
    seen_s: float
    told_s: float = float("-inf")


class Presence:
    def __init__(self) -> None:
        self._watched: dict[Seat, _Watch] = {}

    def resume(self, seats: Iterable[Seat], now_s: float) -> None:
        """Watch whom an earlier process watched: who does not come back was lost meanwhile."""
        for seat in seats:
            self._watched.setdefault(seat, _Watch(seen_s=now_s + RETURN_WITHIN_S - GONE_AFTER_S))

    def seats(self) -> set[Seat]:
        return set(self._watched)

    def beat(self, seat: Seat, now_s: float) -> None:
        """A page of this agent opened, or answered a heartbeat."""
        self._watched.setdefault(seat, _Watch(seen_s=now_s)).seen_s = now_s

    def excuse(self, late_s: float, now_s: float) -> None:
        """For so long this process asked no page for an answer, because it stood still itself: nobody is to blame.

        Who was gone before it stood still is gone.
        """
        for watch in self._watched.values():
            if now_s - late_s - watch.seen_s < GONE_AFTER_S:
                watch.seen_s += late_s

    def due(self, now_s: float, state_of: Callable[[Seat], AgentState | None]) -> list[tuple[Seat, bool]]:
        """``(seat, present)`` for each agent whose state in the engine disagrees with what we see here."""
        told = []
        for seat, watch in list(self._watched.items()):
            present = now_s - watch.seen_s < GONE_AFTER_S
            state = state_of(seat)
            if not present and state in (None, AgentState.LOGGED_OUT):
                del self._watched[seat]
                continue
            if present == (state is AgentState.DISCONNECTED) and now_s - watch.told_s >= REPEAT_AFTER_S:
                # Present and DISCONNECTED, or absent and not: either way the engine has yet to learn it.
                watch.told_s = now_s
                told.append((seat, present))
        return told
