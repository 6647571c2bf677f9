"""Keeps its own books of what must hold, from facts and commands alone, and says which promise was broken.

Independent of the core: it shares no rule with it, only the vocabulary.
"""

from __future__ import annotations

from collections import Counter

from apps.core import commands as c
from apps.core import facts as f
from apps.core.state import State
from apps.switches.simulator.applications import Socket
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.model import Switch

STUCK_OFFERED_MS = 60_000
LEAST_BACK_OFF_MS = 1_000  # before who could not be rung is rung again
MOST_BACK_OFF_MS = 61_000
STUCK_PAUSED_MS = 30_000
STUCK_DIALING_MS = 110_000  # the device, the number, and the links that were away meanwhile
STUCK_CONNECTING_MS = 30_000
SILENCE_MS = 30_000  # a menu waiting for keys, music that ran out in a gap of the link until the next look
REFUSED = frozenset({"congestion", "unreachable", "error", "invalid", "unallocated"})
"""Why a telephone was not rung that its agent could not help."""


class BrokenPromise(AssertionError):
    pass


class Auditor:
    def __init__(self) -> None:
        self.started: set[str] = set()
        self.ended: dict[str, f.CallOutcome] = {}
        self.agent_of: dict[str, str] = {}  # agent -> call offered or talked
        self.line: dict[str, f.CallQueued] = {}  # call -> place, while waiting and not offered
        self.offered: dict[str, f.CallQueued] = {}
        self.bridged: dict[str, str] = {}
        self.talked: set[str] = set()
        self.silent_since_ms: dict[str, int] = {}  # customer leg on the switch
        self.outcomes: Counter[str] = Counter()
        self.transfers = 0
        self.dials = 0
        self.not_reached: Counter[str] = Counter()
        self.paused_until_ms: dict[str, int] = {}
        self.not_rung_ms: dict[str, int] = {}  # agents whose telephone the switch could not ring, since when
        self.missed: set[str] = set()  # agents whose telephone rang in vain, or is not there
        self.up_since_ms = 0  # since when the engine runs and its link is up
        self.missed_in_crashes = 0  # callers who hung up before the next run could see them
        self.originated: set[str] = set()
        self.callers: dict[str, str] = {}  # customer leg on the switch -> "" or how it ended
        self.taken: dict[str, str] = {}  # customer leg -> call
        self.closing: set[str] = set()
        self.let_go: set[str] = set()  # customer legs that we told to hang up

    def _promise(self, holds: bool, promise: str, *about: object) -> None:
        if not holds:
            raise BrokenPromise(f"{promise}: {about}")

    # --- the stream ---

    def command(self, command: c.Command) -> None:
        if isinstance(command, c.OriginateLeg):
            self._promise(command.leg not in self.originated, "a leg id is used once", command)
            self.originated.add(command.leg)
        elif isinstance(command, c.HangUpLeg) and command.leg in self.taken:
            self._promise(self.taken[command.leg] in self.closing, "no caller is hung up before the end", command)
            self.let_go.add(command.leg)

    def heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        """The switch's own view: who called, and how that ended."""
        if channel is None or channel.direction != "inbound":
            return
        if name == "CHANNEL_CREATE":
            self.callers[channel.uuid] = ""
        elif name == "CHANNEL_HANGUP":
            self.callers[channel.uuid] = channel.hangup_cause
            self._promise("trunkline_fallback" not in channel.variables, "nobody needs the fallback", channel.uuid)
            self._promise(channel.hangup_cause == "NORMAL_CLEARING", "callers end by choice", channel.hangup_cause)

    def fact(self, fact: f.Fact) -> None:
        handler = getattr(self, f"_on_{type(fact).__name__}", None)
        if handler is not None:
            handler(fact)

    def _on_CallStarted(self, fact: f.CallStarted) -> None:
        self._promise(fact.call not in self.started, "a call starts once", fact)
        self._promise(fact.leg not in self.taken, "a caller is one call", fact, self.taken.get(fact.leg))
        self.started.add(fact.call)
        self.taken[fact.leg] = fact.call

    def _on_SwitchConnected(self, fact: f.SwitchConnected) -> None:
        self.up_since_ms = fact.at_ms

    def _on_CallQueued(self, fact: f.CallQueued) -> None:
        self.offered.pop(fact.call, None)
        self.line[fact.call] = fact

    def _on_CallDequeued(self, fact: f.CallDequeued) -> None:
        self.line.pop(fact.call, None)
        self.offered.pop(fact.call, None)

    def _on_AgentOffered(self, fact: f.AgentOffered) -> None:
        self._promise(fact.agent not in self.agent_of, "one agent, one call", fact, self.agent_of.get(fact.agent))
        self._promise(fact.call in self.line, "only waiting callers are offered", fact)
        self._promise(fact.call not in self.agent_of.values(), "one call, one agent", fact)
        failed_ms = fact.at_ms - self.not_rung_ms.pop(fact.agent, 0)
        self._promise(failed_ms >= LEAST_BACK_OFF_MS, "who could not be rung is not rung again at once", fact)
        mine = self.line[fact.call]
        for other in self.line.values():
            same_line = (other.queue, other.needs, other.wanted_agent) == (mine.queue, mine.needs, mine.wanted_agent)
            if same_line and other.call != fact.call:
                self._promise(
                    (-mine.priority, mine.queued_ms) <= (-other.priority, other.queued_ms),
                    "order respected",
                    mine,
                    other,
                )
        self.agent_of[fact.agent] = fact.call
        self.offered[fact.call] = self.line.pop(fact.call)

    def _on_DialStarted(self, fact: f.DialStarted) -> None:
        self._promise(fact.agent not in self.agent_of, "one agent, one call", fact, self.agent_of.get(fact.agent))
        self.agent_of[fact.agent] = fact.call
        self.dials += 1

    def _on_DialEnded(self, fact: f.DialEnded) -> None:
        self._promise(self.agent_of.pop(fact.agent, fact.call) == fact.call, "a dial ends where it began", fact)
        self.not_reached[fact.outcome] += 1

    def _on_RecordingPauseAsked(self, fact: f.RecordingPauseAsked) -> None:
        self.paused_until_ms[fact.recording] = fact.until_ms

    def _on_RecordingResumed(self, fact: f.RecordingResumed) -> None:
        self.paused_until_ms.pop(fact.recording, None)

    def _on_RecordingEnded(self, fact: f.RecordingEnded) -> None:
        self.paused_until_ms.pop(fact.recording, None)

    def _on_RecordingBroken(self, fact: f.RecordingBroken) -> None:
        self.paused_until_ms.pop(fact.recording, None)

    def _on_OfferEnded(self, fact: f.OfferEnded) -> None:
        if fact.outcome is f.OfferOutcome.ANSWERED:
            return
        self._promise(self.agent_of.pop(fact.agent, None) == fact.call, "an offer ends where it began", fact)
        if fact.cause in REFUSED:
            self.not_rung_ms[fact.agent] = fact.at_ms
        elif fact.cause is not None:
            self.missed.add(fact.agent)
        if fact.call in self.offered:
            self.line[fact.call] = self.offered.pop(fact.call)

    def _on_AgentStateChanged(self, fact: f.AgentStateChanged) -> None:
        if fact.state == "NOT_RESPONDING" and fact.prior == "OFFERED":
            self._promise(fact.agent in self.missed, "only who missed a call is not responding", fact)
        self.missed.discard(fact.agent)

    def _on_CallBridged(self, fact: f.CallBridged) -> None:
        if fact.agent is not None:
            self._promise(self.agent_of.get(fact.agent) == fact.call, "who talks was offered", fact)
        self._promise(fact.call not in self.bridged, "one talk at a time", fact)
        self.bridged[fact.call] = fact.agent or ""
        self.talked.add(fact.call)

    def _on_BridgeLost(self, fact: f.BridgeLost) -> None:
        for agent, call in list(self.agent_of.items()):
            if call == fact.call:
                del self.agent_of[agent]

    def _on_CallUnbridged(self, fact: f.CallUnbridged) -> None:
        agent = self.bridged.pop(fact.call)
        if agent:
            self._promise(self.agent_of.pop(agent, None) == fact.call, "a talk ends where it began", fact)

    def _on_CallClosing(self, fact: f.CallClosing) -> None:
        self.closing.add(fact.call)
        for agent, call in list(self.agent_of.items()):
            if call == fact.call and fact.call not in self.bridged:
                del self.agent_of[agent]

    def _on_TransferStarted(self, fact: f.TransferStarted) -> None:
        self.transfers += 1

    def _on_CallEnded(self, fact: f.CallEnded) -> None:
        self._promise(fact.call in self.started and fact.call not in self.ended, "a call ends once", fact)
        self._promise(fact.call not in self.agent_of.values(), "no agent is left in an ended call", fact)
        served = fact.outcome is f.CallOutcome.SERVED
        self._promise(served == (fact.call in self.talked), "served means talked with", fact)
        self.ended[fact.call] = fact.outcome
        self.outcomes[fact.outcome] += 1
        self.line.pop(fact.call, None)

    # --- the state between events ---

    def state(self, state: State, now_ms: int) -> None:
        for agent in state.agents.values():
            if agent.state == "DIALING":
                self._promise(self.agent_of.get(agent.id) == agent.call, "who dials has a call", agent)
                dialling_ms = now_ms - max(agent.since_ms, self.up_since_ms)
                self._promise(dialling_ms < STUCK_DIALING_MS, "no agent dials for ever", agent)
            elif agent.state == "OFFERED":
                self._promise(self.agent_of.get(agent.id) == agent.call, "an offered agent has an offer", agent)
                self._promise(now_ms - agent.since_ms < STUCK_OFFERED_MS, "no agent is stuck ringing", agent)
            elif agent.state in ("TALKING", "HOLDING"):
                self._promise(self.bridged.get(agent.call or "") == agent.id, "who talks is bridged", agent)
            elif agent.state == "READY":
                self._promise(agent.id not in self.agent_of, "a ready agent has no call", agent)
                held_ms = (agent.suspended_until_ms or now_ms) - now_ms
                self._promise(-1_000 < held_ms < MOST_BACK_OFF_MS, "who could not be rung is tried again", agent)

        for recording, until_ms in self.paused_until_ms.items():
            late_ms = now_ms - max(until_ms, self.up_since_ms)
            self._promise(late_ms < STUCK_PAUSED_MS, "no recording stays silent", recording)

        for call in state.calls.values():
            if call.state in ("returning", "connecting"):
                limbo_ms = now_ms - max(call.since_ms, self.up_since_ms)
                self._promise(limbo_ms < STUCK_CONNECTING_MS, "no caller hangs between two states", call)

    def ears(self, switch: Switch, now_ms: int) -> None:
        """What each caller hears, by the switch's own account: somebody, a prompt, music; silence is short."""
        for leg in switch.channels.values():
            playing = bool(leg.apps) and not isinstance(leg.apps[-1], Socket)
            if leg.direction != "inbound" or not leg.alive or leg.bridged_to is not None or playing:
                self.silent_since_ms.pop(leg.uuid, None)
                continue
            since_ms = max(self.silent_since_ms.setdefault(leg.uuid, now_ms), self.up_since_ms)
            self._promise(now_ms - since_ms < SILENCE_MS, "no caller sits in silence", leg.uuid, leg.apps, leg.state)

    def at_the_end(self, state: State, placed: int, switch: Switch) -> None:
        self._promise(not state.calls, "every call ends", list(state.calls.values())[:3])
        self._promise(not state.legs, "every leg ends", state.legs)
        self._promise(set(self.ended) == self.started, "every call that started ended")
        self._promise(placed == len(self.callers), "the switch took every caller")
        missed = self.callers.keys() - self.taken.keys()
        self._promise(len(missed) <= self.missed_in_crashes, "no caller is overlooked", missed)
        self._promise(not [leg for leg in switch.channels.values() if leg.alive], "the switch is empty")
        self._promise(not self.agent_of, "no agent holds a call", self.agent_of)
        resting = {"READY", "PAUSED", "NOT_RESPONDING", "LOGGED_OUT"}
        for agent in state.agents.values():
            self._promise(agent.state in resting, "every agent is free at the end", agent)
