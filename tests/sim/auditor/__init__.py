"""Keeps books of its own of what must hold, from facts, commands and the switch's truth, and says what was broken.

Independent of the core: it shares no rule with it, only the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.state import State
from apps.switches.simulator.model import Switch
from tests.sim.auditor.agents import AgentBook
from tests.sim.auditor.book import FactRule
from tests.sim.auditor.calls import CallBook
from tests.sim.auditor.data import DataBook
from tests.sim.auditor.order import OrderBook
from tests.sim.auditor.promises import BrokenPromise, Promise
from tests.sim.auditor.truth import TruthBook

__all__ = ["Auditor", "BrokenPromise", "Promise"]

LOOK_MS = 200
"""How often the books are held against the switch."""


class Auditor:
    def __init__(self, switch: Switch, shown: Callable[[], State]) -> None:
        """``shown`` is what the engine would show of itself just now."""
        self.calls, self.agents = CallBook(), AgentBook()
        self.order = OrderBook(self.calls, self.agents)
        self.truth = TruthBook(switch, self.calls, self.agents)
        self.data = DataBook(shown)
        # The order's judges before it is changed.
        self._books = (self.order, self.calls, self.agents, self.truth, self.truth.fits, self.data)
        self._takers: dict[type[f.Fact], list[FactRule]] = {}
        self._next_look_ms = 0
        switch.listeners.append(self.truth.heard)

    def fact(self, fact: f.Fact) -> None:
        kind = type(fact)
        takers = self._takers.get(kind)
        if takers is None:
            takers = self._takers[kind] = [rule for book in self._books for rule in book.takers(kind)]
        for rule in takers:
            rule(fact)

    def asked(self, event: e.Event) -> None:
        """The engine is about to be told this."""
        self.data.asked(event)

    def command(self, command: c.Command, cause: e.Event, run: str) -> None:
        """``run``: of the engine that gives it."""
        self.truth.command(command, cause, run)

    def look(self, now_ms: int, engine_ms: int, *, up: bool) -> None:
        """``now_ms`` is the switch's time; ``up``: the engine runs and its link is up."""
        if now_ms < self._next_look_ms:
            return
        self._next_look_ms = now_ms + LOOK_MS
        self.truth.one_telephone_one_talk()
        self.truth.look(now_ms, engine_ms, up=up)
        if up:
            self.agents.look(engine_ms)
            self.order.look(engine_ms)

    def at_the_end(self, placed: int) -> None:
        for book in (self.calls, self.agents):
            book.at_the_end()
        self.truth.at_the_end(placed)
