"""The switch's own account, held against the books: who is really there, who really talks, what is really heard."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.switches.simulator.applications import Socket
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.model import Switch
from tests.sim.auditor.agents import AgentBook
from tests.sim.auditor.book import Book, Stopwatch
from tests.sim.auditor.calls import CallBook
from tests.sim.auditor.fits import FIT_MS, FitBook
from tests.sim.auditor.promises import Promise, hold

SILENCE_MS = 3_000 + FIT_MS
"""Who waits in line. That music or words have run out shows on no list: words whose end was lost are over 3 s late."""
SILENCE_ASKED_MS = SILENCE_MS + 6_000 + 8_000
"""Who is asked something: whose key was lost with the end of the words that it cut off, and so long for another."""
UNKNOWN_MS = FIT_MS
MASKED_MS = FIT_MS


class TruthBook(Book):
    """``now_ms`` is the switch's time here, not the engine's."""

    def __init__(self, switch: Switch, calls: CallBook, agents: AgentBook) -> None:
        self.switch, self.calls, self.agents = switch, calls, agents
        self.fits = FitBook(switch, calls, agents)
        self.callers: dict[str, str] = {}  # inbound leg -> "" or how it ended
        self.originated: set[str] = set()
        self.masked_until_ms: dict[str, int] = {}
        self.asked: set[str] = set()  # in line, and asked by keys whether they want to be called back
        self.up_since_ms: int | None = None
        self.leader = ""  # the run that began last
        self.called_back: dict[str, tuple[str, e.Event]] = {}  # call -> leg that rings, or rang last, and why
        self.missed_in_crashes = 0  # callers who hung up before the next run could see them
        self._silent, self._unknown = Stopwatch(), Stopwatch()

    # --- what happens ---

    def heard(self, name: str, channel: Channel | None, headers: dict[str, str]) -> None:
        if channel is None or channel.direction != "inbound":
            return
        if name == "CHANNEL_CREATE":
            self.callers[channel.uuid] = ""
        elif name == "CHANNEL_HANGUP":
            self.callers[channel.uuid] = channel.hangup_cause
            fallen = "trunkline_fallback" in channel.variables
            hold(not fallen, Promise.NOTHING_LOST, "nobody needs the fallback", channel.uuid)
            normal = channel.hangup_cause == "NORMAL_CLEARING"
            hold(normal, Promise.NOTHING_LOST, "callers end by choice", channel.uuid, channel.hangup_cause)

    def command(self, command: c.Command, cause: e.Event, run: str) -> None:
        """``cause`` is what the command follows from, ``run`` that of the engine which gives it."""
        hold(run == self.leader, Promise.ONE_LEADER, "who is not the leader any more commands nothing", command, run)
        if isinstance(command, c.OriginateLeg):
            hold(command.leg not in self.originated, Promise.ONE_AGENT, "a leg id is used once", command)
            self.originated.add(command.leg)
            if command.role is e.LegRole.CUSTOMER:
                self._calls_once(command, cause)
        elif isinstance(command, c.HangUpLeg):
            call = self.calls.by_leg.get(command.leg)
            if call is not None and call in self.calls.living and not self.calls.off_line(call):
                over = call in self.calls.decided
                hold(over, Promise.NOTHING_LOST, "no caller is hung up before the end", command, cause)
            self._tears_nothing(command, cause)
        elif isinstance(command, c.BridgeLegs):
            self._bridges_one(command)

    def _tears_nothing(self, command: c.HangUpLeg, cause: e.Event) -> None:
        """Two who really talk, and of whom we know it, are parted only because somebody asked for it."""
        leg = self.switch.find(command.leg)
        peer = leg.bridged_to if leg is not None else None
        if peer is None or isinstance(cause, e.Request):
            return
        for talk in self.calls.talks.values():
            hold(
                {talk.leg, talk.other} != {command.leg, peer.uuid},
                Promise.NOTHING_LOST,
                "no talk is torn",
                command,
                cause,
            )

    def _calls_once(self, command: c.OriginateLeg, cause: e.Event) -> None:
        """A customer's telephone does not ring for the same call again while it still rings, or is talked on."""
        before, why = self.called_back.get(command.call, ("", None))
        rings = self.switch.find(before) is not None or why is cause
        hold(not rings, Promise.ONCE, "no telephone rings twice at once for one call", command, before)
        self.called_back[command.call] = command.leg, cause

    def _bridges_one(self, command: c.BridgeLegs) -> None:
        customer = self.switch.find(command.other)
        peer = customer.bridged_to if customer is not None else None
        alone = peer is None or peer.uuid == command.leg or command.keep  # a consult swaps
        hold(alone, Promise.ONE_AGENT, "who talks is not given to another agent", command, peer and peer.uuid)

    # --- what the engine says ---

    def _on_RunStarted(self, fact: f.RunStarted) -> None:
        """It sees for itself from now on: what the one before saw is not what it knows."""
        self.leader, self.up_since_ms = fact.run, None

    def _on_AgentOffered(self, fact: f.AgentOffered) -> None:
        """Whoever rang there: nobody is offered a call on a telephone on which somebody talks."""
        config = self.agents.config.agents.get(fact.agent)
        address = config.device.address if config is not None and config.device is not None else ""
        phone = self.switch.phones.phones.get(address)
        for leg in phone.channels if phone is not None else ():
            rung = leg.variables.get("trunkline_role") == e.LegRole.EXTERNAL
            talks = leg.alive and rung and leg.bridged_to is not None and self._is_ours(leg)
            hold(not talks, Promise.ONE_AGENT, "who is on the telephone is not offered a call", fact, leg.uuid)

    def _is_ours(self, leg: Channel) -> bool:
        """The engine has said so, and not yet that it ended."""
        return any(leg.uuid in legs for legs in self.calls.legs.values())

    def _on_RecordingPauseAsked(self, fact: f.RecordingPauseAsked) -> None:
        self.masked_until_ms[fact.recording] = fact.until_ms

    def _on_RecordingResuming(self, fact: f.RecordingResuming) -> None:
        self.masked_until_ms[fact.recording] = min(self.masked_until_ms[fact.recording], fact.at_ms)

    def _on_RecordingResumed(self, fact: f.RecordingResumed) -> None:
        self.masked_until_ms.pop(fact.recording, None)

    def _on_RecordingEnded(self, fact: f.RecordingEnded) -> None:
        self.masked_until_ms.pop(fact.recording, None)

    def _on_RecordingBroken(self, fact: f.RecordingBroken) -> None:
        self.masked_until_ms.pop(fact.recording, None)

    def _on_CallbackDialogStepped(self, fact: f.CallbackDialogStepped) -> None:
        (self.asked.discard if fact.dialog is None else self.asked.add)(fact.call)

    # --- what there is ---

    def look(self, now_ms: int, engine_ms: int, *, up: bool) -> None:
        """``up``: the engine runs and its link is up. While it is not nobody can know better."""
        if not up:
            self.up_since_ms = None
            return
        if self.up_since_ms is None:
            self.up_since_ms = now_ms
        for leg in self.switch.channels.values():
            if leg.alive and (leg.direction == "inbound" or self._was_called(leg)):
                self._caller_is_cared_for(leg, now_ms, self.up_since_ms)
        self.fits.look(now_ms, self.up_since_ms)
        for recording, until_ms in self.masked_until_ms.items():
            late_ms = engine_ms - max(until_ms, self.agents.up_since_ms)
            hold(late_ms <= MASKED_MS, Promise.SILENCE_ENDS, "no recording stays silent", recording)

    def _was_called(self, leg: Channel) -> bool:
        """By an agent or back, and has answered."""
        return leg.answered and leg.uuid in self.calls.by_leg

    def _caller_is_cared_for(self, leg: Channel, now_ms: int, up_ms: int) -> None:
        """Somebody, a prompt or music is heard, and a call of ours is about this caller."""
        heard = leg.bridged_to is not None or (bool(leg.apps) and not isinstance(leg.apps[-1], Socket))
        call = self.calls.by_leg.get(leg.uuid)
        in_line = call in self.calls.line and call not in self.asked
        # The patience of each begins with it: who has just answered a question may have had silence for a while.
        for waits, longest_ms in ((True, SILENCE_MS), (False, SILENCE_ASKED_MS)):
            silent = not heard and in_line is waits
            silent_ms = self._silent.wrong_for_ms((leg.uuid, waits), silent, now_ms, up_ms)
            hold(silent_ms <= longest_ms, Promise.NOTHING_LOST, "no caller sits in silence", leg.uuid, leg.apps)
        unknown = call not in self.calls.living
        unknown_ms = self._unknown.wrong_for_ms(leg.uuid, unknown, now_ms, up_ms)
        hold(unknown_ms <= UNKNOWN_MS, Promise.NOTHING_LOST, "no caller is forgotten", leg.uuid, leg.apps)

    def one_telephone_one_talk(self) -> None:
        """No agent's telephone is in two talks."""
        talking: dict[str, str] = {}
        for leg in self.switch.channels.values():
            agent = leg.variables.get("trunkline_agent")
            if agent and leg.alive and leg.bridged_to is not None:
                hold(agent not in talking, Promise.ONE_AGENT, "one telephone, one talk", leg.uuid, talking.get(agent))
                talking[agent] = leg.uuid

    def at_the_end(self, placed: int) -> None:
        hold(placed == len(self.callers), Promise.NOTHING_LOST, "the switch took every caller", placed)
        missed = self.callers.keys() - self.calls.by_leg.keys()
        hold(len(missed) <= self.missed_in_crashes, Promise.NOTHING_LOST, "no caller is overlooked", missed)
        left = [
            leg.uuid for leg in self.switch.channels.values() if leg.alive and "trunkline_kept" not in leg.variables
        ]
        hold(not left, Promise.NOTHING_LOST, "the switch is empty", left)
