"""The book of agents: what each is doing, and that it does not last for ever."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from apps.core import facts as f
from apps.core.config import CenterConfig, DeviceKind
from apps.core.events import LegRole
from tests.sim.auditor.book import Book
from tests.sim.auditor.promises import Promise, hold

LEAST_BACK_OFF_MS = 1_000  # before who could not be rung is rung again
REFUSED = frozenset({"congestion", "unreachable", "error", "invalid", "unallocated"})
"""Why a telephone was not rung that its agent could not help."""

STUCK_MS = {"OFFERED": 60_000, "DIALING": 110_000, "WRAP_UP": 400_000, "DISCONNECTED": 130_000}
"""So long a state lasts at most. A dial is the device, the number, and the links that were away meanwhile."""

SERVING = frozenset({"READY", "OFFERED", "DIALING", "TALKING", "HOLDING", "CONSULTING", "CONFERENCING", "WRAP_UP"})
IN_TALK = frozenset({"TALKING", "HOLDING", "CONSULTING", "CONFERENCING"})
RESTING = frozenset({"READY", "PAUSED", "NOT_RESPONDING", "LOGGED_OUT"})


@dataclass(slots=True)
class AgentSeen:
    """``doing`` is the state behind a lost console."""

    id: str
    state: str = "LOGGED_OUT"
    doing: str = "LOGGED_OUT"
    since_ms: int = 0
    call: str | None = None
    idle_since_ms: int = 0
    suspended: bool = False
    media_ready: bool = False
    line: str = ""  # that is kept open, while it is
    served: int = 0
    talked_ms: int = 0
    offered_ms: int = 0
    offers: dict[str, str] = field(default_factory=dict)  # leg -> call, while it rings or is being connected
    dial: str | None = None
    consulted: str | None = None  # in this call, and has answered
    not_rung_ms: int | None = None
    missed: bool = False


class AgentBook(Book):
    def __init__(self) -> None:
        self.config = CenterConfig(version=0)
        self.seen: dict[str, AgentSeen] = {}
        self.offers: dict[str, dict[str, str]] = {}  # call -> leg -> agent
        self.answered: set[str] = set()  # legs of offers that were
        self.talks: dict[str, tuple[str, str | None, int]] = {}  # call -> (agent, queue, since)
        self.kept: dict[str, str] = {}  # call back whose customer is called first -> agent who stays free for it
        self.rejoining: set[str] = set()  # calls whose agent's page is waited for: the same talk when it is back
        self.away: set[tuple[str, str]] = set()  # devices that are not registered
        self.rung: dict[str, tuple[str, str]] = {}  # leg of a telephone that is nobody's offer -> (switch, address)
        self.up: set[str] = set()
        self.up_since_ms = 0  # since when any link is up
        self.dials = self.consults = 0
        self.not_reached: Counter[str] = Counter()

    def agent(self, agent: str) -> AgentSeen:
        return self.seen.setdefault(agent, AgentSeen(agent))

    # --- what they depend on ---

    def _on_ConfigApplied(self, fact: f.ConfigApplied) -> None:
        self.config = fact.config

    def _on_SwitchConnected(self, fact: f.SwitchConnected) -> None:
        self.up.add(fact.switch)
        self.up_since_ms = fact.at_ms

    def _on_SwitchDisconnected(self, fact: f.SwitchDisconnected) -> None:
        self.up.discard(fact.switch)

    def _on_DeviceStateChanged(self, fact: f.DeviceStateChanged) -> None:
        (self.away.discard if fact.registered else self.away.add)((fact.switch, fact.address))

    def _on_AgentMediaChanged(self, fact: f.AgentMediaChanged) -> None:
        self.agent(fact.agent).media_ready = fact.ready

    def _on_AgentMediaMoved(self, fact: f.AgentMediaMoved) -> None:
        """To another page, which has yet to say that it has a microphone."""
        self.agent(fact.agent).media_ready = False

    def _on_KeptLegOpened(self, fact: f.KeptLegOpened) -> None:
        self.agent(fact.agent).line = fact.leg

    def _on_KeptLegClosed(self, fact: f.KeptLegClosed) -> None:
        self.agent(fact.agent).line = ""

    def _on_OffersSuspended(self, fact: f.OffersSuspended) -> None:
        self.agent(fact.agent).suspended = True

    def _on_OffersResumed(self, fact: f.OffersResumed) -> None:
        self.agent(fact.agent).suspended = False

    def _on_LegStarted(self, fact: f.LegStarted) -> None:
        if fact.role is LegRole.EXTERNAL and fact.trunk is None:
            self.rung[fact.leg] = fact.switch, fact.address

    def _on_LegEnded(self, fact: f.LegEnded) -> None:
        self.rung.pop(fact.leg, None)

    def is_free(self, agent: str) -> bool:
        """Whether a call could be offered just now."""
        seen, config = self.agent(agent), self.config.agents.get(agent)  # type: ignore[call-overload]
        if config is None or config.device is None or seen.state != "READY" or seen.suspended:
            return False
        if agent in self.kept.values():
            return False
        device = config.device
        registers = device.kind is not DeviceKind.PSTN
        if (device.switch, device.address) in self.rung.values():
            return False
        if device.switch not in self.up or (registers and (device.switch, device.address) in self.away):
            return False
        if device.kept_open and not seen.line:
            return False
        return device.kind is not DeviceKind.BROWSER or seen.media_ready

    # --- offers ---

    def _on_AgentOffered(self, fact: f.AgentOffered) -> None:
        seen = self.agent(fact.agent)
        busy = (seen.offers, seen.dial, seen.doing)
        hold(not seen.offers and seen.dial is None, Promise.ONE_AGENT, "who is asked is free", fact, busy)
        hold(not self._talks(fact.agent), Promise.ONE_AGENT, "who talks is not offered a call", fact, busy)
        hold(fact.call not in self.talks, Promise.ONE_AGENT, "who is talked with is not offered", fact)
        if seen.not_rung_ms is not None:
            since_ms = fact.at_ms - seen.not_rung_ms
            hold(since_ms >= LEAST_BACK_OFF_MS, Promise.FAIR, "who could not be rung is not rung again at once", fact)
        seen.not_rung_ms = None
        seen.offers[fact.leg] = fact.call
        seen.offered_ms = fact.at_ms
        self.offers.setdefault(fact.call, {})[fact.leg] = fact.agent

    def _on_OfferEnded(self, fact: f.OfferEnded) -> None:
        seen = self.agent(fact.agent)
        hold(seen.offers.get(fact.leg) == fact.call, Promise.ONE_AGENT, "an offer ends where it began", fact)
        if fact.outcome is f.OfferOutcome.ANSWERED:
            self.answered.add(fact.leg)
        else:
            self._let_off(fact.call, fact.leg)
            if fact.cause in REFUSED:
                seen.not_rung_ms = fact.at_ms
            elif fact.cause is not None:
                seen.missed = True

    def _on_CallClosing(self, fact: f.CallClosing) -> None:
        """A caller may go while an agent who has answered is being connected."""
        for leg in list(self.offers.get(fact.call, {})):
            hold(leg in self.answered, Promise.ONE_AGENT, "an offer ends before its call", fact, leg)
            self._let_off(fact.call, leg)

    def _let_off(self, call: str, leg: str) -> None:
        agent = self.offers.get(call, {}).pop(leg, None)
        if agent is not None:
            self.agent(agent).offers.pop(leg, None)

    def _talks(self, agent: str) -> bool:
        return any(talking == agent for talking, _queue, _since in self.talks.values())

    # --- talks and dials ---

    def _on_CallBridged(self, fact: f.CallBridged) -> None:
        if fact.agent is None:
            return
        seen = self.agent(fact.agent)
        mine = seen.offers.pop(fact.leg, None) == fact.call or seen.dial == fact.call or seen.call == fact.call
        hold(mine, Promise.ONE_AGENT, "who talks was offered", fact, seen)
        others = [leg for leg in self.offers.get(fact.call, {}) if leg != fact.leg]
        hold(not others, Promise.ONE_AGENT, "no other telephone rings for who is talked with", fact, others)
        self.offers.pop(fact.call, None)
        seen.dial = None
        self.talks[fact.call] = (fact.agent, fact.queue, fact.at_ms)
        if fact.queue is not None and fact.call not in self.rejoining:
            seen.served += 1
        self.rejoining.discard(fact.call)

    def _on_RejoinStarted(self, fact: f.RejoinStarted) -> None:
        self.rejoining.add(fact.call)

    def _on_RejoinFailed(self, fact: f.RejoinFailed) -> None:
        self.rejoining.discard(fact.call)

    def _on_CallUnbridged(self, fact: f.CallUnbridged) -> None:
        talk = self.talks.pop(fact.call, None)
        if talk is not None and talk[1] is not None:
            self.agent(talk[0]).talked_ms += fact.talked_ms

    def _on_ConsultStarted(self, fact: f.ConsultStarted) -> None:
        self.talks.pop(fact.call, None)
        self.consults += 1

    def _on_ConsultAnswered(self, fact: f.ConsultAnswered) -> None:
        self._let_off(fact.call, fact.leg)
        if fact.agent is not None:
            self.agent(fact.agent).consulted = fact.call

    def _on_BridgeLost(self, fact: f.BridgeLost) -> None:
        self._let_off(fact.call, fact.leg)

    def _on_CallbackDialed(self, fact: f.CallbackDialed) -> None:
        if fact.call not in self.agent(fact.agent).offers.values():
            self.kept[fact.call] = fact.agent

    def _on_CallbackJoined(self, fact: f.CallbackJoined) -> None:
        self.kept.pop(fact.call, None)

    def _on_CallbackTried(self, fact: f.CallbackTried) -> None:
        """Whoever has answered for it is let go: there was no line to call the customer on, say."""
        self.kept.pop(fact.call, None)
        for leg in self.answered & self.offers.get(fact.call, {}).keys():
            self._let_off(fact.call, leg)

    def _on_CallbackEnded(self, fact: f.CallbackEnded) -> None:
        self.kept.pop(fact.call, None)

    def _on_DialStarted(self, fact: f.DialStarted) -> None:
        seen = self.agent(fact.agent)
        if fact.leg in self.answered:  # of a call back: the agent was offered it
            self._let_off(fact.call, fact.leg)
        hold(not seen.offers and seen.dial is None, Promise.ONE_AGENT, "who dials is free", fact, seen)
        seen.dial = fact.call
        self.dials += 1

    def _on_DialEnded(self, fact: f.DialEnded) -> None:
        hold(self.agent(fact.agent).dial == fact.call, Promise.ONE_AGENT, "a dial ends where it began", fact)
        self.agent(fact.agent).dial = None
        self.not_reached[fact.outcome] += 1

    def _on_CallEnded(self, fact: f.CallEnded) -> None:
        held = [one.id for one in self.seen.values() if fact.call in one.offers.values() or one.dial == fact.call]
        hold(not held and fact.call not in self.talks, Promise.NOBODY_STUCK, "no agent is in an ended call", fact, held)

    # --- states ---

    def _on_AgentStateChanged(self, fact: f.AgentStateChanged) -> None:
        seen = self.agent(fact.agent)
        doing = fact.prior if fact.state == "DISCONNECTED" else fact.state
        if doing == "NOT_RESPONDING" and seen.doing == "OFFERED":
            hold(seen.missed, Promise.FAIR, "only who missed a call is not responding", fact)
        if doing != seen.doing or fact.state != seen.state:
            seen.since_ms = fact.at_ms
        if fact.state in ("TALKING", "LOGGED_OUT"):
            seen.suspended = False
        if fact.state in ("DISCONNECTED", "LOGGED_OUT"):
            seen.media_ready = False
        if fact.idle_since_ms is not None:
            seen.idle_since_ms = fact.idle_since_ms
        seen.state, seen.doing, seen.call, seen.missed = fact.state, doing, fact.call, False

    def look(self, now_ms: int) -> None:
        """What each state means must be so, and pass in time."""
        for seen in self.seen.values():
            limit_ms = STUCK_MS.get(seen.state)
            lasts_ms = now_ms - max(seen.since_ms, self.up_since_ms)
            stuck = limit_ms is not None and lasts_ms > limit_ms and bool(self.up)
            hold(not stuck, Promise.NOBODY_STUCK, f"{seen.state} for {lasts_ms} ms", seen)
            if seen.doing == "READY":
                held = seen.offers or seen.dial or seen.call
                hold(not held, Promise.NOBODY_STUCK, "a ready agent has no call", seen)
            elif seen.doing == "OFFERED":
                has_one = bool(seen.offers) or seen.consulted == seen.call
                hold(has_one, Promise.NOBODY_STUCK, "an offered agent has an offer", seen)
            elif seen.doing == "DIALING":
                hold(seen.dial == seen.call, Promise.NOBODY_STUCK, "who dials has a call", seen)

    def at_the_end(self) -> None:
        hold(not self.talks, Promise.NOBODY_STUCK, "no agent talks on", self.talks)
        for seen in self.seen.values():
            rests = seen.state in RESTING and not seen.offers and seen.dial is None
            hold(rests, Promise.NOBODY_STUCK, "every agent is free at the end", seen)
