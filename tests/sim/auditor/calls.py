"""The book of calls: each begins once, waits, talks, and ends in one outcome."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from apps.core import facts as f
from apps.core.config import SkillNeed
from tests.sim.auditor.book import Book
from tests.sim.auditor.promises import Promise, hold


@dataclass(slots=True)
class Place:
    """In line. ``entered_ms``: since when in this queue; ``queued_ms``: the place, perhaps an older one."""

    call: str
    queue: str
    switch: str
    needs: tuple[SkillNeed, ...]
    priority: int
    queued_ms: int
    entered_ms: int
    wanted_agent: str | None
    due_ms: int = 0  # who is called back is not before that


@dataclass(slots=True)
class Back:
    """An open call back. Off the line nothing is heard of the customer, and nothing can be said."""

    id: str
    queue: str
    number: str
    state: str = "booked"  # or leaving, who still hears that; calling; on_line


@dataclass(slots=True)
class Talk:
    leg: str
    other: str
    agent: str | None
    since_ms: int


class CallBook(Book):
    def __init__(self) -> None:
        self.started: dict[str, f.CallStarted] = {}
        self.by_leg: dict[str, str] = {}  # the other side's leg -> call
        self.customer: dict[str, str] = {}  # call -> the other side's leg, the latest
        self.line: dict[str, Place] = {}
        self.kept_places: dict[str, Place] = {}  # of those who leave the line to be called back
        self.backs: dict[str, Back] = {}
        self.backs_ended: dict[str, f.CallbackOutcome] = {}
        self.talks: dict[str, Talk] = {}
        self.aside: set[str] = set()  # in a consult or a three-way: who hears whom is another matter
        self.talked: set[str] = set()
        self.connecting: set[str] = set()  # with an agent, or on the way back from one who was not reached
        self.decided: dict[str, f.CallOutcome] = {}
        self.ended: dict[str, f.CallOutcome] = {}
        self.outcomes: Counter[str] = Counter()
        self.legs: dict[str, set[str]] = {}  # of a living call, as the switch names them
        self.lent: dict[str, str] = {}  # what a call names an agent's open line -> what the switch does

    @property
    def living(self) -> set[str]:
        return self.started.keys() - self.ended.keys()

    def _on_CallStarted(self, fact: f.CallStarted) -> None:
        hold(fact.call not in self.started, Promise.ONE_OUTCOME, "a call starts once", fact)
        hold(fact.leg not in self.by_leg, Promise.ONE_OUTCOME, "a caller is one call", fact, self.by_leg.get(fact.leg))
        self.started[fact.call] = fact
        self.by_leg[fact.leg], self.customer[fact.call] = fact.call, fact.leg
        self.legs[fact.call] = {fact.leg} if fact.direction is f.Direction.INBOUND else set()

    def _on_LegStarted(self, fact: f.LegStarted) -> None:
        if fact.lent is not None:
            used = fact.lent in self.lent.values()
            hold(not used, Promise.ONE_AGENT, "one open line, one call", fact)
            self.lent[fact.leg] = fact.lent
        self.legs[fact.call].add(self.lent.get(fact.leg, fact.leg))

    def _on_LegEnded(self, fact: f.LegEnded) -> None:
        self.legs[fact.call].discard(self.lent.pop(fact.leg, fact.leg))
        back = self.backs.get(fact.call)
        if back is not None and back.state == "leaving" and fact.leg == self.customer[fact.call]:
            back.state = "booked"

    def _on_CallQueued(self, fact: f.CallQueued) -> None:
        before = self.line.get(fact.call)
        self.connecting.discard(fact.call)
        self.line[fact.call] = Place(
            fact.call, fact.queue, self.started[fact.call].switch, fact.needs, fact.priority, fact.queued_ms,
            before.entered_ms if before is not None else fact.at_ms, fact.wanted_agent,
        )  # fmt: skip

    def _on_CallDequeued(self, fact: f.CallDequeued) -> None:
        hold(fact.call in self.line, Promise.NOTHING_LOST, "who leaves a line stood in it", fact)
        place = self.line.pop(fact.call)
        if fact.reason is f.QueueExit.CALLBACK:
            self.kept_places[fact.call] = place

    # --- calls back ---

    def _on_CallbackBooked(self, fact: f.CallbackBooked) -> None:
        for other in self.backs.values():
            twice = (other.queue, other.number) == (fact.queue, fact.number)
            hold(not twice, Promise.ONCE, "nobody is booked twice", fact, other)
        left = self.kept_places.pop(fact.call, None)
        if left is not None:
            kept = (left.queue, left.priority, left.queued_ms) == (fact.queue, fact.priority, fact.queued_ms)
            hold(kept, Promise.ORDER, "who is to be called back keeps the place", fact, left)
        here = fact.deadline_ms is not None
        self.backs[fact.call] = Back(fact.callback, fact.queue, fact.number, "leaving" if here else "booked")
        self.line[fact.call] = Place(
            fact.call, fact.queue, self.started[fact.call].switch, fact.needs, fact.priority, fact.queued_ms,
            fact.at_ms, None, fact.due_ms,
        )  # fmt: skip

    def _on_CallbackDialed(self, fact: f.CallbackDialed) -> None:
        self.backs[fact.call].state = "calling"
        self.by_leg[fact.leg], self.customer[fact.call] = fact.call, fact.leg

    def _on_CallbackJoined(self, fact: f.CallbackJoined) -> None:
        self.backs[fact.call].state = "on_line"

    def _on_CallbackTried(self, fact: f.CallbackTried) -> None:
        self.backs[fact.call].state = "booked"
        self.line[fact.call].due_ms = fact.next_ms

    def _on_CallbackEnded(self, fact: f.CallbackEnded) -> None:
        known = self.backs_ended.get(fact.callback)
        hold(known is None, Promise.ONE_OUTCOME, "a call back ends once", fact, known)
        hold(self.backs.pop(fact.call).id == fact.callback, Promise.ONE_OUTCOME, "the one that was booked", fact)
        self.backs_ended[fact.callback] = fact.outcome
        del self.line[fact.call]

    def off_line(self, call: str) -> bool:
        """Waits without a telephone."""
        return call in self.backs and self.backs[call].state != "on_line"

    # --- talks ---

    def _on_BridgeRequested(self, fact: f.BridgeRequested) -> None:
        self.connecting.add(fact.call)

    def _on_CallBridged(self, fact: f.CallBridged) -> None:
        hold(fact.call not in self.talks, Promise.ONE_AGENT, "one talk at a time", fact, self.talks.get(fact.call))
        self.connecting.discard(fact.call)
        self.talks[fact.call] = Talk(self.lent.get(fact.leg, fact.leg), fact.other, fact.agent, fact.at_ms)
        self.talked.add(fact.call)

    def _on_ConsultStarted(self, fact: f.ConsultStarted) -> None:
        talk = self.talks.pop(fact.call, None)
        hold(talk is not None and talk.agent == fact.agent, Promise.ONE_AGENT, "who consults has the talk", fact, talk)
        self.aside.add(fact.call)

    def _on_ConsultEnded(self, fact: f.ConsultEnded) -> None:
        self.aside.remove(fact.call)

    def _on_ThreeWayBegan(self, fact: f.ThreeWayBegan) -> None:
        self.aside.add(fact.call)

    def _on_ThreeWayEnded(self, fact: f.ThreeWayEnded) -> None:
        self.aside.remove(fact.call)

    def _on_CallUnbridged(self, fact: f.CallUnbridged) -> None:
        hold(fact.call in self.talks, Promise.ONE_AGENT, "what ends had begun", fact)
        del self.talks[fact.call]

    def _on_CallClosing(self, fact: f.CallClosing) -> None:
        known = self.decided.setdefault(fact.call, fact.outcome)
        hold(known is fact.outcome, Promise.ONE_OUTCOME, "an outcome is decided once", fact, known)
        hold(fact.call not in self.line, Promise.NOTHING_LOST, "who stands in line is not closed", fact)

    def _on_CallEnded(self, fact: f.CallEnded) -> None:
        hold(fact.call in self.started, Promise.ONE_OUTCOME, "what ends had started", fact)
        hold(fact.call not in self.ended, Promise.ONE_OUTCOME, "a call ends once", fact, self.ended.get(fact.call))
        hold(fact.call not in self.backs, Promise.ONE_OUTCOME, "no call back outlives its call", fact)
        decided = self.decided.get(fact.call)
        hold(decided is fact.outcome, Promise.ONE_OUTCOME, "a call ends as decided", fact, decided)
        served = fact.outcome is f.CallOutcome.SERVED
        hold(served is (fact.call in self.talked), Promise.ONE_OUTCOME, "served means talked with", fact)
        hold(not self.legs[fact.call], Promise.ONE_OUTCOME, "no leg outlives its call", fact, self.legs[fact.call])
        self.ended[fact.call] = fact.outcome
        self.outcomes[fact.outcome] += 1
        self.aside.discard(fact.call)
        del self.legs[fact.call]

    def at_the_end(self) -> None:
        left = sorted(self.living)
        hold(not left, Promise.ONE_OUTCOME, "every call ends", left[:3], [self.started[call] for call in left[:3]])
        open_ones = (self.line, self.talks, self.backs)
        hold(not any(open_ones), Promise.NOTHING_LOST, "nobody is left behind", *open_ones)
