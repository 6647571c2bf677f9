"""Does what the engine says fit what the switch has? No difference between the two lasts for longer than promised.

The evidence is the switch's alone: a telephone that is in a talk or not, a line that is up or not. From then on the
engine has ``FIT_MS`` to say something that fits, as long as it runs and its link is up; the time is the switch's. What
it believes, and when it came to believe it, counts for nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.core import facts as f
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.model import Switch
from apps.switches.simulator.rooms import is_in_room
from tests.sim.auditor.agents import AgentBook, AgentSeen
from tests.sim.auditor.book import Book, Stopwatch
from tests.sim.auditor.calls import CallBook
from tests.sim.auditor.promises import Promise, hold

FIT_MS = 5_000
"""Issue 4, item 9: nothing stays stuck for longer after the evidence."""

REJOIN_MS = 30_000
"""A telephone in a page dies when the page is loaded anew: so long its agent counts as talking and the customer waits
with music, for the page to come back. That is no difference which nobody has noticed but a state of its own
(``calls/rejoining.py``), so only after this time does the promise begin to run."""

TALKS = frozenset({"TALKING", "HOLDING"})
RINGS = frozenset({"OFFERED", "DIALING"})
Wrong = tuple[Promise, str, object]  # what is not so, and whom it is about


@dataclass(slots=True)
class Asking:
    """A consult: who asks on which telephone, who is asked, and who is to hear whom by now."""

    agent: str
    leg: str
    other: str = ""
    aim: f.Aim = f.Aim.SEEK


class FitBook(Book):
    def __init__(self, switch: Switch, calls: CallBook, agents: AgentBook) -> None:
        self.switch, self.calls, self.agents = switch, calls, agents
        self.rejoining: set[str] = set()  # agents whose page took the telephone with it
        self.dialled: dict[str, str] = {}  # agent -> line that is to be kept open, from the dialling on
        self.consults: dict[str, Asking] = {}  # call ->
        self.rooms: set[str] = set()  # calls that are a three-way
        self._apart = Stopwatch()

    # --- what the engine says ---

    def _on_RejoinStarted(self, fact: f.RejoinStarted) -> None:
        self.rejoining.add(fact.agent)

    def _on_RejoinFailed(self, fact: f.RejoinFailed) -> None:
        self.rejoining.discard(fact.agent)

    def _on_CallBridged(self, fact: f.CallBridged) -> None:
        self.rejoining.discard(fact.agent or "")

    def _on_CallClosing(self, fact: f.CallClosing) -> None:
        self.consults.pop(fact.call, None)
        self.rooms.discard(fact.call)
        self.rejoining -= {agent.id for agent in self.agents.seen.values() if agent.call == fact.call}

    def _on_KeptLegDialed(self, fact: f.KeptLegDialed) -> None:
        self.dialled[fact.agent] = fact.leg

    def _on_KeptLegClosed(self, fact: f.KeptLegClosed) -> None:
        self.dialled.pop(fact.agent, None)

    def _on_ConsultStarted(self, fact: f.ConsultStarted) -> None:
        self.consults[fact.call] = Asking(fact.agent, self._on_switch(fact.leg))

    def _on_ConsultAnswered(self, fact: f.ConsultAnswered) -> None:
        self.consults[fact.call].other = self._on_switch(fact.leg)

    def _on_ConsultAimed(self, fact: f.ConsultAimed) -> None:
        self.consults[fact.call].aim = fact.aim

    def _on_ConsultEnded(self, fact: f.ConsultEnded) -> None:
        self.consults.pop(fact.call, None)

    def _on_ThreeWayBegan(self, fact: f.ThreeWayBegan) -> None:
        self.rooms.add(fact.call)

    def _on_ThreeWayEnded(self, fact: f.ThreeWayEnded) -> None:
        self.rooms.discard(fact.call)

    def _on_switch(self, leg: str) -> str:
        return self.calls.lent.get(leg, leg)

    # --- held against what there is ---

    def look(self, now_ms: int, up_ms: int) -> None:
        """``up_ms``: since when the engine has been able to see."""
        legs: dict[str, list[Channel]] = {}
        calls: set[str] = set()
        for leg in self.switch.channels.values():
            if leg.alive:
                legs.setdefault(leg.variables.get("trunkline_agent", ""), []).append(leg)
                calls.add(leg.variables.get("trunkline_call", ""))
        wrongs = {agent.id: self._agent(agent, legs.get(agent.id, [])) for agent in self.agents.seen.values()}
        for call in self.calls.living:
            wrongs[call] = self._call(call, calls)
        for leg in (leg for some in legs.values() for leg in some):
            wrongs[leg.uuid] = self._leg(leg)
        for about, wrong in wrongs.items():
            wrong_ms = self._apart.wrong_for_ms((about, wrong and wrong[1]), wrong is not None, now_ms, up_ms)
            if wrong is not None:
                promise, detail, seen = wrong
                longest_ms = FIT_MS + (REJOIN_MS if about in self.rejoining else 0)
                hold(wrong_ms <= longest_ms, promise, detail, about, f"for {wrong_ms} ms", seen)
        self._apart.keep({(about, wrong[1]) for about, wrong in wrongs.items() if wrong is not None})

    def _agent(self, agent: AgentSeen, legs: list[Channel]) -> Wrong | None:
        mine = [leg for leg in legs if "trunkline_kept" not in leg.variables or leg.uuid in self.calls.lent.values()]
        consult = self.consults.get(agent.call or "")
        set_aside = consult is not None and consult.agent != agent.id  # who was asked, while the asker swaps
        detail = ""
        if agent.doing == "CONSULTING" or (agent.doing in TALKS and set_aside):
            detail = "" if any(leg.answered for leg in mine) else "who consults is on the telephone"
        elif agent.doing in TALKS:
            detail = "" if any(leg.bridge for leg in mine) else "who talks really talks"
        elif agent.doing == "CONFERENCING":
            detail = "" if any(map(is_in_room, mine)) else "who is one of three is in the room"
        elif agent.doing in RINGS:
            detail = "" if mine else "who is called has a telephone that rings"
        elif mine or any(leg.bridge or is_in_room(leg) for leg in legs):
            detail = "who rests is on no telephone"
        if agent.line and self.switch.find(agent.line) is None:
            detail = "an open line is open"
        return (Promise.NOBODY_STUCK, detail, agent) if detail else None

    def _call(self, call: str, on_switch: set[str]) -> Wrong | None:
        legs, talk, consult = self.calls.legs[call], self.calls.talks.get(call), self.consults.get(call)
        if self.calls.off_line(call):
            return None
        if call not in on_switch and not any(map(self.switch.find, legs)):
            return Promise.ONE_OUTCOME, "no call outlives all its legs", legs
        if talk is not None and not self._hear(talk.leg, talk.other):
            return Promise.NOBODY_STUCK, "who is said to talk together does", talk
        if consult is not None and not self._is_as_aimed(call, consult):
            return Promise.NOBODY_STUCK, f"a consult gets to {consult.aim}, or is given up", consult
        if call in self.rooms and not all(is_in_room(leg) for leg in map(self.switch.find, legs) if leg is not None):
            return Promise.NOBODY_STUCK, "who is said to be in a room is", legs
        if call in self.calls.line and consult is None and self.switch.find(self.calls.customer[call]) is None:
            return Promise.NOBODY_STUCK, "who stands in line is there", self.calls.line[call]
        return None

    def _is_as_aimed(self, call: str, consult: Asking) -> bool:
        customer = self.calls.customer[call]
        if consult.aim is f.Aim.SEEK:
            return self.switch.find(consult.leg) is not None and self.switch.find(customer) is not None
        if consult.aim is f.Aim.CONSULT:
            return self._hear(consult.leg, consult.other)
        if consult.aim in (f.Aim.CUSTOMER, f.Aim.RETURN):
            return self._hear(consult.leg, customer)
        return consult.aim is f.Aim.COMPLETE and self._hear(consult.other, customer)  # a room has a fact of its own

    def _hear(self, one: str, another: str) -> bool:
        leg, other = self.switch.find(one), self.switch.find(another)
        return leg is not None and other is not None and leg.bridged_to is other

    def _leg(self, leg: Channel) -> Wrong | None:
        """A telephone of ours that no call has, and that stands by for none."""
        call = leg.variables.get("trunkline_call", "")
        if leg.direction == "inbound" or not call:
            return None
        kept = leg.uuid in self.dialled.values() if "trunkline_kept" in leg.variables else False
        known = kept or leg.uuid in self.calls.legs.get(call, ())
        return None if known else (Promise.NOBODY_STUCK, "no telephone is left behind", leg)
