"""The driver's logic: a command becomes frames, an event becomes the core's events and what must follow at once.

No I/O here (see ``ports``). Everything runs in the driver's thread, one call at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from apps.core import commands as c
from apps.core.events import (
    BridgeFailed,
    HangupCause,
    LegHungUp,
    LegMuted,
    LegRole,
    LegsBridged,
    LegUnmuted,
    LinkUp,
    PlayEnded,
    PlayOutcome,
    RecordingFailed,
    RecordingMasked,
    RecordingStarted,
    RecordingUnmasked,
    SwitchEvent,
)
from apps.core.ids import LegId, RecordingId, SwitchId
from apps.switches.freeswitch import clean, decode, encode
from apps.switches.freeswitch.bridging import BridgeControl
from apps.switches.freeswitch.causes import word_of
from apps.switches.freeswitch.legs import Leg, Legs
from apps.switches.freeswitch.lookout import Lookout
from apps.switches.freeswitch.media import MediaControl
from apps.switches.freeswitch.ports import LINK_LOST, Context, Lane
from apps.switches.freeswitch.snapshot import SnapshotReader

log = logging.getLogger(__name__)

GAP_EVENTS = 1_000
"""We take a part of all events, so small jumps in Event-Sequence are the rule; so is one per command of ours."""
GAP_SNAPSHOT_MS = 30_000
FORGET_MS = 5_000
SETTLE_MS = 15_000
"""What comes after CHANNEL_HANGUP (CHANNEL_UNBRIDGE, RECORD_STOP) comes within some 100 ms; on a starved host later."""
ADOPTED_SETTLE_MS = 1_000
"""Whether a leg that an earlier engine led was recorded we cannot know."""
NO_SESSION = "Cannot locate session"
OTHER_LINK_MS = 3_000
"""The reply to a command travels on another link than the events, and may be read before what happened earlier."""
KILL_AGAIN_EVENTS = frozenset({"CHANNEL_PROGRESS", "CHANNEL_PARK"})


def failure_of(command: c.Command, reason: str) -> SwitchEvent | None:
    """The event that tells the core that a command was not carried out; None where only silence can follow."""
    switch, leg = command.switch, command.leg
    match command:
        case c.OriginateLeg():
            cause = HangupCause.INVALID if reason == "UNSAFE" else HangupCause.UNREACHABLE
            return LegHungUp(switch=switch, leg=leg, cause=cause, raw=reason)
        case c.BridgeLegs():
            return BridgeFailed(switch=switch, leg=leg, other=command.other, reason=reason)
        case c.PlayPrompts():
            return PlayEnded(switch=switch, leg=leg, play=command.play, outcome=PlayOutcome.FAILED)
        case c.StartRecording():
            return RecordingFailed(switch=switch, leg=leg, recording=command.recording, reason=reason)
    return None


class Control:
    def __init__(self, context: Context) -> None:
        self._settings = context.settings
        self._ports = context.ports
        self._counters = context.counters
        self.legs = Legs()
        self._media = MediaControl(context)
        self._bridges = BridgeControl(context, self.legs, self._media, self._leg)
        self._snapshots = SnapshotReader(context, self._adopt, self._forget)
        self._lookout = Lookout(context, self.legs, self._snapshots.request)
        self._jobs: dict[str, Callable[[str], None]] = {}
        self._boot = ""
        self._sequence = 0
        self._commands_seen = 0
        self._gap_ms: int | None = None
        self._do: dict[type[c.Command], Callable[[Any], None]] = {
            c.OriginateLeg: self._originate,
            c.TagLeg: self._tag,
            c.AnswerLeg: lambda command: self._media.answer(self._leg(command.leg)),
            c.AnswerDevice: lambda command: self._ports.send(encode.talk(command.leg)),
            c.HangUpLeg: self._hang_up,
            c.ParkLeg: self._park,
            c.BridgeLegs: self._bridge,
            c.PartLegs: self._bridges.part,
            c.JoinRoom: self._bridges.join_room,
            c.PlayPrompts: lambda command: self._media.play(self._leg(command.leg), command),
            c.StopPlay: lambda command: self._media.stop(self._leg(command.leg)),
            c.StartMusic: lambda command: self._media.music(self._leg(command.leg), command.music),
            c.HoldLeg: self._hold,
            c.UnholdLeg: lambda command: self._ports.send(encode.hold(command.leg, on=False)),
            c.MuteLeg: lambda command: self._mute(command.leg, on=True),
            c.UnmuteLeg: lambda command: self._mute(command.leg, on=False),
            c.SendDigits: lambda command: self._ports.send(encode.send_digits(command.leg, command.digits)),
            c.MaskRecording: lambda command: self._mask(command, on=True),
            c.UnmaskRecording: lambda command: self._mask(command, on=False),
            c.StartRecording: self._record,
            c.StopRecording: self._stop_recording,
            c.ReclaimLeg: lambda command: self._bridges.reclaim(self._leg(command.leg)),
            c.RequestSnapshot: lambda command: self._snapshots.request(),
            c.CompareLegs: lambda command: self._lookout.compare(command),
        }

    @property
    def _switch(self) -> SwitchId:
        return self._settings.switch

    # --- the link ---

    def link_up(self, boot: str) -> None:
        """Both connections stand. Another ``boot`` than before: the switch restarted, and no leg survived that."""
        self._sequence = 0
        if self._boot and boot != self._boot:
            for leg in self.legs:
                leg.gone = leg.gone or (HangupCause.LOST, "SWITCH_RESTARTED")
                self._media.taken_away(leg)
                self._emit_all(decode.hungup(leg, self._switch))
            self.legs.clear()
            self._jobs.clear()
        self._boot = boot
        self._ports.emit(LinkUp(switch=self._switch, boot=boot))
        for leg in self.legs:
            self._kill_again(leg)

    def link_down(self) -> None:
        """Jobs report on the link that is gone. Their legs are found again, or not, in the next snapshot."""
        self._jobs.clear()
        for leg in self.legs:
            leg.job = ""
            self._bridges.over(leg)

    def request_snapshot(self) -> None:
        self._snapshots.request()

    def tick(self) -> None:
        """Every half second or so."""
        now_ms = self._ports.now_ms()
        for leg in self.legs:
            self._media.tick(leg)
            if leg.job:
                self._kill_again(leg)  # when it was asked for, the switch had no channel yet
            if leg.gone is not None and not leg.job:
                leg.settled_ms = leg.settled_ms or now_ms + (SETTLE_MS if leg.recordings else ADOPTED_SETTLE_MS)
                if now_ms >= leg.settled_ms:
                    self._emit_all(decode.hungup(leg, self._switch))  # its recording's end never came
                    self.legs.drop(leg.leg)

    # --- from the core ---

    def execute(self, command: c.Command) -> None:
        """Carry out a command. A value that must not reach the switch fails the command, never the driver."""
        do = self._do.get(type(command))
        if do is None:
            log.error("no such command on this switch: %s", type(command).__name__)
            return
        try:
            do(command)
        except clean.Unsafe as error:
            log.warning("%s for leg %.64r refused: %s", type(command).__name__, command.leg, error)
            self.refuse(command, "UNSAFE")

    def refuse(self, command: c.Command, reason: str) -> None:
        self._counters.refused += 1
        if isinstance(command, c.HangUpLeg) and (leg := self.legs.get(command.leg)):
            leg.doomed = word_of(command.cause)  # carried out when the link is back
        if (event := failure_of(command, reason)) is not None:
            self._ports.emit(event)

    def _leg(self, leg: LegId) -> Leg:
        """The note on a leg. One that we never heard of is taken for a customer's: the core knows it."""
        known = self.legs.get(leg)
        if known is None:
            clean.ident(leg)
            known = self.legs.add(Leg(leg=leg, role=LegRole.CUSTOMER, since_ms=self._ports.now_ms()))
        return known

    def _originate(self, command: c.OriginateLeg) -> None:
        job = self._ports.token()
        frame = encode.originate(command, self._settings, job)
        leg = self.legs.add(
            Leg(
                leg=command.leg,
                role=command.role,
                since_ms=self._ports.now_ms(),
                call=command.call,
                agent=command.agent,
                kept=command.kept_open,
                called=command.role is LegRole.CUSTOMER,
                job=job,
            )
        )
        self._jobs[job] = lambda body: self._originated(leg, body)
        self._ports.send(frame, lambda reply: self._originate_replied(leg, job, reply), Lane.OFFERS)

    def _originate_replied(self, leg: Leg, job: str, reply: str) -> None:
        """Without a reply the switch may have begun all the same: it failed for the core, and is ended later."""
        if reply != LINK_LOST:
            self._job_refused(job, reply)
        elif self._jobs.pop(job, None) is not None:
            leg.job, leg.doomed = "", word_of(HangupCause.CANCELLED)
            leg.gone = leg.gone or (HangupCause.UNREACHABLE, "LINK_LOST")
            self._emit_all(decode.hungup(leg, self._switch))

    def _originated(self, leg: Leg, body: str) -> None:
        leg.job = ""
        error = decode.job_failure(body)
        if error is not None:
            self._emit_all(decode.originate_failure(leg, error, self._switch))
            self.legs.drop(leg.leg)

    def _tag(self, command: c.TagLeg) -> None:
        leg = self._leg(command.leg)
        leg.call = command.call
        self._ports.send(encode.tag(command.leg, command.call, command.tenant))

    def _hang_up(self, command: c.HangUpLeg) -> None:
        self._kill(command.leg, word_of(command.cause))

    def _park(self, command: c.ParkLeg) -> None:
        """One that is in no bridge stands by already; one whose peer has hung up is about to."""
        leg = self._leg(command.leg)
        self._media.stop(leg)
        # What the last talk has done to it is not to meet the next one.
        self._ports.send(encode.mute(leg.leg, on=False))
        if leg.held:
            self._ports.send(encode.hold(leg.leg, on=False))
        peer = self.legs.get(leg.bridged or leg.bridging or "")
        if leg.in_room or (peer is not None and peer.gone is None):
            self._bridges.over(leg)
            leg.away = True
            self._ports.send(encode.park(leg.leg))

    def _kill(self, leg_id: LegId, word: str) -> None:
        leg = self.legs.get(leg_id)
        if leg is not None:
            leg.doomed, leg.killed = word, True
        self._ports.send(encode.kill(leg_id, word), lambda reply: self._killed(leg_id, leg, reply))

    def _kill_again(self, leg: Leg) -> None:
        """Unless the switch is at it."""
        if leg.doomed and not leg.killed:
            self._kill(leg.leg, leg.doomed)

    def _killed(self, leg_id: LegId, leg: Leg | None, reply: str) -> None:
        """No such channel: not yet (the originate is under way: ``tick`` asks again), or no more."""
        if leg is not None:
            leg.killed = reply.startswith("+")
        if not reply.startswith("-") or reply == LINK_LOST:
            return
        leg = leg or self.legs.get(leg_id)
        if leg is None:
            lost = LegHungUp(switch=self._switch, leg=leg_id, cause=HangupCause.LOST, raw="NO_SUCH_CHANNEL")
            self._ports.emit(lost)
        elif not leg.job and not leg.ended:
            if leg.gone is None:
                leg.gone = (HangupCause.LOST, "NO_SUCH_CHANNEL")
                leg.settled_ms = self._ports.now_ms() + OTHER_LINK_MS
            self._media.taken_away(leg)
            if decode.may_record(leg):
                return  # RECORD_STOP is on the other link, and is told first: see ``tick``
            self._emit_all(decode.hungup(leg, self._switch))
            self.legs.drop(leg_id)

    def _bridge(self, command: c.BridgeLegs) -> None:
        job = self._ports.token()
        far, customer = self._leg(command.leg), self._leg(command.other)
        frames = self._bridges.frames(command, job)
        self._jobs[job] = lambda body: self._bridges.reported(far, customer, body)
        self._bridges.asked(far, customer)
        for preparation in frames[:-1]:
            self._ports.send(preparation)
        self._ports.send(frames[-1], lambda reply: self._job_refused(job, reply))

    def _record(self, command: c.StartRecording) -> None:
        path = encode.record_path(command.path, self._settings)
        frame = encode.record(command.leg, "start", path)
        leg = self._leg(command.leg)
        leg.recordings[path] = command.recording
        self._ports.send(
            frame, lambda reply: self._record_started(leg, command.recording, path, reply), Lane.RECORDINGS
        )

    def _record_started(self, leg: Leg, recording: RecordingId, path: str, reply: str) -> None:
        """The file is open when the switch says +OK; the end may have been told before that reply is read."""
        if reply.startswith("+OK") and path in leg.recordings:
            self._ports.emit(RecordingStarted(switch=self._switch, leg=leg.leg, recording=recording))
        if reply.startswith("-") and reply != LINK_LOST:
            reason = clean.text(reply)
            if NO_SESSION in reply:  # the leg's end is to be told first
                self._ports.later(OTHER_LINK_MS, lambda: self._record_failed(leg, recording, path, reason))
            else:
                self._record_failed(leg, recording, path, reason)

    def _stop_recording(self, command: c.StopRecording) -> None:
        path = encode.record_path(command.path, self._settings)  # the switch needs the identical path
        leg = self._leg(command.leg)
        frame = encode.record(command.leg, "stop", path)
        self._ports.send(
            frame, lambda reply: self._record_not_stopped(leg, command.recording, path, reply), Lane.RECORDINGS
        )

    def _record_not_stopped(self, leg: Leg, recording: RecordingId, path: str, reply: str) -> None:
        """Mostly it has ended with its leg, and RECORD_STOP is still on the other link: it gets the time to come."""
        if reply.startswith("-") and reply != LINK_LOST:
            reason = clean.text(reply)
            self._ports.later(OTHER_LINK_MS, lambda: self._record_failed(leg, recording, path, reason))

    def _record_failed(self, leg: Leg, recording: RecordingId, path: str, reason: str) -> None:
        if leg.recordings.get(path) == recording:
            del leg.recordings[path]
            self._ports.emit(RecordingFailed(switch=self._switch, leg=leg.leg, recording=recording, reason=reason))

    def _hold(self, command: c.HoldLeg) -> None:
        """The peer hears what the held leg names as its hold music; without it, nothing at all. **live**"""
        frames = (encode.hold_music(command.leg, command.music), encode.hold(command.leg, on=True))
        for frame in frames:
            self._ports.send(frame)

    def _mute(self, leg: LegId, *, on: bool) -> None:
        """The switch tells it by no event that we take: its +OK is what we go by."""
        kind = LegMuted if on else LegUnmuted
        self._ports.send(encode.mute(leg, on), lambda reply: self._confirmed(reply, kind(switch=self._switch, leg=leg)))

    def _confirmed(self, reply: str, event: SwitchEvent) -> None:
        if reply.startswith("+OK"):
            self._ports.emit(event)
        elif reply != LINK_LOST:
            log.warning("the switch did not do it: %s for %s", clean.text(reply), type(event).__name__)

    def _mask(self, command: c.MaskRecording | c.UnmaskRecording, *, on: bool) -> None:
        """Of a recording that is no more the switch says -ERR, and then nothing of it is masked either."""
        path = encode.record_path(command.path, self._settings)
        frame = encode.record(command.leg, "mask" if on else "unmask", path)
        kind = RecordingMasked if on else RecordingUnmasked
        event = kind(switch=self._switch, leg=command.leg, recording=command.recording)

        def told(reply: str) -> None:
            gone = not on and reply.startswith("-ERR") and reply != LINK_LOST
            self._confirmed("+OK" if gone else reply, event)

        self._ports.send(frame, told, Lane.RECORDINGS)

    def _job_refused(self, job: str, reply: str) -> None:
        """The switch answers a bgapi with +OK at once; an error is the job's outcome."""
        if reply.startswith("-") and reply != LINK_LOST and (done := self._jobs.pop(job, None)):
            done(reply)

    # --- from the switch ---

    def arrived(self, headers: decode.Headers) -> LegId:
        """A per-call socket has told whom it holds. Raises ``clean.Unsafe`` when it names no channel."""
        event = decode.arrival(headers, self._settings)
        self._counters.arrivals += 1
        leg = self.legs.get(event.leg)
        if leg is None:
            leg = self.legs.add(Leg(leg=event.leg, role=LegRole.CUSTOMER, since_ms=self._ports.now_ms()))
        self._bridges.back(leg, headers)
        leg.call = event.call or leg.call
        leg.answered = leg.answered or event.answered
        self._ports.emit(event)
        return event.leg

    def event(self, headers: decode.Headers) -> None:
        """One event of the events link."""
        self._counters.events += 1
        self._watch_sequence(headers)
        name = decode.field(headers, "Event-Name")
        if name == "BACKGROUND_JOB":
            self._job_done(headers)
        elif name == "CUSTOM":
            self._emit_all(decode.custom_events(headers, self._settings))
            if (member := self.legs.get(decode.field(headers, "Unique-ID"))) is not None:
                self._in_room(member, decode.room_events(headers, member, self._switch))
        elif (leg := self._leg_of(headers)) is not None:
            self._leg_event(name, headers, leg)

    def _in_room(self, leg: Leg, joined: list[SwitchEvent]) -> None:
        """It may have parked on the way."""
        if joined:
            leg.away = leg.in_room = True
        self._emit_all(joined)

    def _leg_of(self, headers: decode.Headers) -> Leg | None:
        uuid = decode.field(headers, "Unique-ID")
        leg = self.legs.get(uuid)
        if leg is not None and leg.call is not None:
            return leg
        self._adopt(headers)
        return self.legs.get(uuid)

    def _adopt(self, headers: decode.Headers) -> None:
        """Take up a leg by the tags it carries: an earlier engine's, or one that ``show`` had not listed yet."""
        marks = decode.tags(headers)
        uuid = decode.field(headers, "Unique-ID")
        if marks is None or not uuid or self.legs.is_over(uuid):
            return
        call, role, agent = marks
        leg = self.legs.get(uuid)
        if leg is None:
            leg = self.legs.add(Leg(leg=LegId(uuid), role=role, since_ms=self._ports.now_ms(), adopted=True))
            if decode.field(headers, "Event-Name") != "CHANNEL_PARK":
                leg.answered = decode.field(headers, "Answer-State") == "answered"
        leg.call, leg.role, leg.agent = call, role, agent
        leg.kept = leg.kept or decode.field(headers, "variable_trunkline_kept") == "true"

    def _forget(self, present: frozenset[str]) -> None:
        """Drop notes on legs that the switch does not list and that are too old for its list to lag.

        Of one that we know to be gone a recording's end may still come: ``tick`` drops it.
        """
        now_ms = self._ports.now_ms()
        for leg in self.legs:
            if leg.leg not in present and not leg.job and leg.gone is None and now_ms - leg.since_ms > FORGET_MS:
                self.legs.drop(leg.leg)

    def _leg_event(self, name: str, headers: decode.Headers, leg: Leg) -> None:
        if name in KILL_AGAIN_EVENTS:
            self._kill_again(leg)
        if name == "CHANNEL_EXECUTE_COMPLETE":
            self._media.completed(leg, headers)
        elif name == "CHANNEL_HANGUP":
            self._media.taken_away(leg)
            self._bridges.died(leg)
        for event in decode.leg_events(headers, leg, self._switch):
            self._ports.emit(event)
            if isinstance(event, LegsBridged):
                self._bridges.stands(leg, event.other)
        if name == "DTMF":
            self._media.key_reported(leg)
        elif name in ("CHANNEL_HOLD", "CHANNEL_UNHOLD"):
            leg.held = name == "CHANNEL_HOLD"
        elif name == "CHANNEL_PARK" and leg.originated:
            leg.away = leg.in_room = False
            self._media.free(leg)
        elif name == "CHANNEL_UNBRIDGE":
            self._bridges.ended(leg)

    def _job_done(self, headers: decode.Headers) -> None:
        done = self._jobs.pop(decode.field(headers, "Job-UUID"), None)
        if done is not None:
            done(decode.field(headers, "_body"))

    def _watch_sequence(self, headers: decode.Headers) -> None:
        """A long jump in Event-Sequence may be events that the switch had to drop: then what we know may be old.

        A hint, no proof: the switch numbers all its events and we take some. It drops at most 500 for a slow reader
        and then closes the link (ES:37-38), which is the sure sign, and answered by a snapshot as well.
        """
        text = decode.field(headers, "Event-Sequence")
        if not (text.isascii() and text.isdigit()):
            return
        sequence, last = int(text), self._sequence
        self._sequence = max(sequence, last)
        ours = self._counters.commands - self._commands_seen
        self._commands_seen = self._counters.commands
        if last == 0 or sequence - last <= GAP_EVENTS + 4 * ours:
            return
        self._counters.gaps += 1
        now_ms = self._ports.now_ms()
        if self._gap_ms is None or now_ms - self._gap_ms > GAP_SNAPSHOT_MS:
            self._gap_ms = now_ms
            log.error("events may be lost (Event-Sequence %s after %s): reading the switch", sequence, last)
            self._snapshots.request()

    def _emit_all(self, events: list[SwitchEvent]) -> None:
        for event in events:
            self._ports.emit(event)
