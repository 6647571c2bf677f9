"""The switch itself: channels, and what may happen to them, in virtual time.

``Switch`` is synchronous and deterministic: the same seed and the same calls at the same virtual times give the same
happenings. Who listens is told at once, with the channel as it is at that moment.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable
from typing import Protocol

from apps.switches.simulator import bridge, originate, sockets, transfer
from apps.switches.simulator.channel import Channel, Job
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import FOR_EVERY_CALL, Dialplan
from apps.switches.simulator.execution import Executor
from apps.switches.simulator.faults import Faults
from apps.switches.simulator.media import SoundLibrary
from apps.switches.simulator.recording import Recorder

Listener = Callable[[str, Channel | None, dict[str, str]], None]
Dial = Callable[[Channel, list[str]], None]

UNWIND_MS = 20
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")


class Phones(Protocol):
    """The far ends that the switch can ring."""

    def is_registered(self, address: str) -> bool: ...

    def registered(self) -> list[str]: ...

    def invited(self, channel: Channel, address: str, endpoint: str) -> None:
        """An INVITE went out: ring, answer or refuse in your own time."""

    def asked_to_answer(self, channel: Channel) -> bool: ...


class NoPhones:
    def is_registered(self, address: str) -> bool:
        return False

    def registered(self) -> list[str]:
        return []

    def invited(self, channel: Channel, address: str, endpoint: str) -> None:
        return None

    def asked_to_answer(self, channel: Channel) -> bool:
        return False


class Switch:
    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Scheduler | None = None,
        dialplan: Dialplan | None = None,
        sounds: SoundLibrary | None = None,
        faults: Faults | None = None,
        recorder: Recorder | None = None,
        gateways: tuple[str, ...] = (),
        profiles: tuple[str, ...] = ("trunks", "agents"),
        max_sessions: int = 4000,
    ) -> None:
        self.clock = clock or Scheduler()
        self.rng = random.Random(f"{seed}/switch")
        self.dialplan = dialplan or Dialplan()
        self.sounds = sounds or SoundLibrary()
        self.faults = faults or Faults()
        self.recorder = recorder or Recorder()
        self.gateways = dict.fromkeys(gateways, True)
        self.profiles = profiles
        self.max_sessions = max_sessions
        self.executor = Executor(self)
        self.phones: Phones = NoPhones()
        self.dial: Dial = lambda channel, hosts: sockets.refused(channel)
        self.channels: dict[str, Channel] = {}
        self.rooms: dict[str, list[Channel]] = {}  # who is in which conference
        self.globals: dict[str, str] = {
            **{"hostname": "simulator", "domain": "127.0.0.1", "domain_name": "127.0.0.1"},
            **FOR_EVERY_CALL,
        }
        self.listeners: list[Listener] = []
        self._ended: deque[Channel] = deque()  # what ``show`` may still list
        self.core_uuid = self.globals["core_uuid"] = self.new_uuid()
        self.started_ms = self.clock.now_ms
        self.sessions = 0
        self.peak = 0

    # --- small things -------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def find(self, uuid: str) -> Channel | None:
        channel = self.channels.get(uuid)
        return channel if channel is not None and channel.alive else None

    def listed(self) -> list[Channel]:
        """All channels, as ``show`` sees them: late, when the faults say so."""
        since_ms = self.clock.now_ms - self.faults.rates.show_lag_ms
        while self._ended and self._ended[0].hangup_ms < since_ms:
            self._ended.popleft()
        return [c for c in self.channels.values() if c.created_ms <= since_ms] + list(self._ended)

    def emit(self, name: str, channel: Channel | None, headers: dict[str, str] | None = None) -> None:
        extra = headers if headers is not None else {}
        for listener in self.listeners:
            listener(name, channel, extra)

    def emit_digit(self, channel: Channel, digit: str, source: str) -> None:
        self.emit("DTMF", channel, {"DTMF-Digit": digit, "DTMF-Duration": "1280", "DTMF-Source": source})

    def job_done(self, job: Job, reply: str) -> None:
        headers = {"Job-UUID": job.uuid, "Job-Command": job.command, "Job-Command-Arg": job.argument}
        self.emit("BACKGROUND_JOB", None, {**headers, "_body": reply})

    def expand(self, channel: Channel | None, text: str) -> str:
        """``${name}`` only, of a channel and of the switch; no function is ever run."""

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if channel is not None and name == "destination_number":
                return channel.destination
            return self.globals.get(name, "") if channel is None else self.variable(channel, name)

        return _VARIABLE.sub(value, text)

    def variable(self, channel: Channel, name: str) -> str:
        """The channel's, or else the switch's own of that name."""
        return channel.variables.get(name, self.globals.get(name, ""))

    def set_variable(self, channel: Channel, name: str, value: str) -> None:
        if not name:
            return
        if value:
            channel.variables[name] = value
        else:
            channel.variables.pop(name, None)

    # --- states -------------------------------------------------------------------------------------------------

    def set_state(self, channel: Channel, state: str, callstate: str = "") -> None:
        channel.state = channel.next_state = state
        if callstate:
            self.set_callstate(channel, callstate)
        self.emit("CHANNEL_STATE", channel)

    def set_callstate(self, channel: Channel, callstate: str) -> None:
        if channel.callstate != callstate:
            before, channel.callstate = channel.callstate, callstate
            self.emit("CHANNEL_CALLSTATE", channel, {"Original-Channel-Call-State": before})

    def pre_answer(self, channel: Channel) -> None:
        if channel.answer_state == "ringing":
            channel.answer_state = "early"
            self.emit("CHANNEL_PROGRESS_MEDIA", channel)

    def answer(self, channel: Channel) -> None:
        if channel.alive and not channel.answered:
            channel.answered_ms = max(1, self.clock.now_ms)
            channel.answer_state = "answered"
            self.emit("CHANNEL_ANSWER", channel)
            self.set_callstate(channel, "ACTIVE")

    def hold(self, channel: Channel, on: bool) -> None:
        now = self.clock.now_ms
        if on and not channel.held_ms:
            channel.held_ms = now
            self.set_callstate(channel, "HELD")
            self.emit("CHANNEL_HOLD", channel)
        elif not on and channel.held_ms:
            channel.hold_total_ms += now - channel.held_ms
            channel.held_ms = 0
            self.set_callstate(channel, "UNHELD")
            self.emit("CHANNEL_UNHOLD", channel)
            self.clock.after(20, lambda: self._after_hold(channel))

    def _after_hold(self, channel: Channel) -> None:
        if channel.alive and channel.callstate == "UNHELD":
            self.set_callstate(channel, "ACTIVE")

    # --- arrival and end ----------------------------------------------------------------------------------------

    def arrive(
        self,
        *,
        destination: str,
        caller_number: str,
        caller_name: str = "",
        trunk: str = "",
        user_agent: str = "",
    ) -> Channel:
        """An INVITE from outside for ``destination``; ``trunk`` is the gateway it came by."""
        uuid = self.new_uuid()
        name = f"sofia/{self.profiles[0]}/{caller_number}@127.0.0.1"
        now = self.clock.now_ms
        channel = Channel(
            uuid=uuid,
            name=name,
            direction="inbound",
            caller_number=caller_number,
            caller_name=caller_name or caller_number,
            destination=destination,
            created_ms=now,
            profile=self.profiles[0],
        )
        channel.hit_dialplan = True
        channel.phone = user_agent
        channel.variables.update(
            direction="inbound",
            uuid=uuid,
            call_uuid=uuid,
            sofia_profile_name=channel.profile,
            channel_name=name,
            sip_from_user=caller_number,
            sip_to_user=destination,
            sip_req_user=destination,
            sip_network_ip="127.0.0.1",
        )
        if trunk:
            channel.variables["sip_gateway"] = trunk
        self.number(channel)
        if not self.add(channel):
            channel.hangup_cause = "SWITCH_CONGESTION"
            return channel
        self.set_state(channel, "CS_NEW")
        self.set_state(channel, "CS_INIT")
        channel.next_state = "CS_ROUTING"
        self.emit("CHANNEL_CREATE", channel)
        self.clock.after(2, lambda: self._routed(channel))
        return channel

    def _routed(self, channel: Channel) -> None:
        if channel.alive:
            channel.actions.extend(self.dialplan.actions(channel.destination, from_talk=False))
            self.set_state(channel, "CS_ROUTING", callstate="RINGING")
            self.set_state(channel, "CS_EXECUTE")
            self.executor.carry_on(channel)

    def number(self, channel: Channel) -> None:
        self.sessions += 1
        channel.session_id = self.sessions
        channel.variables["session_id"] = str(self.sessions)

    def add(self, channel: Channel) -> bool:
        if len(self.channels) >= self.max_sessions or channel.uuid in self.channels:
            return False
        self.channels[channel.uuid] = channel
        self.peak = max(self.peak, len(self.channels))
        return True

    def hang_up(self, channel: Channel, cause: str) -> None:
        """Either end or a command hung up; CHANNEL_HANGUP now, the rest on the channel's next tick."""
        if not channel.alive:
            return
        channel.hangup_cause = cause
        channel.hangup_ms = self.clock.now_ms
        channel.answer_state = "hangup"
        channel.next_state = "CS_HANGUP"
        channel.variables["hangup_cause"] = cause
        self.emit("CHANNEL_HANGUP", channel)
        bridge.ended_by(self, channel)
        delay = UNWIND_MS if channel.answered else 0
        self.clock.after(delay, lambda: self._destroy(channel))

    def _destroy(self, channel: Channel) -> None:
        self.executor.interrupt(channel)
        self.set_state(channel, "CS_HANGUP")
        self.recorder.stop_all(self, channel)
        self.set_callstate(channel, "HANGUP")
        self.set_state(channel, "CS_REPORTING")
        self.emit("CHANNEL_HANGUP_COMPLETE", channel)
        if channel.originate_job is not None:
            self.job_done(channel.originate_job, f"-ERR {channel.hangup_cause}\n")
            channel.originate_job = None
        channel.next_state = "CS_DESTROY"
        self.emit("CHANNEL_DESTROY", channel)
        self.set_state(channel, "CS_DESTROY")
        self.channels.pop(channel.uuid, None)
        if self.faults.rates.show_lag_ms > 0:
            self._ended.append(channel)
        if channel.controller is not None:
            controller, channel.controller = channel.controller, None
            controller.hung_up(channel)

    # --- gateways and keys --------------------------------------------------------------------------------------

    def announce_gateway(self, name: str) -> None:
        up = self.gateways[name]
        headers = {
            "Event-Subclass": "sofia::gateway_state",
            "Gateway": name,
            "State": "REGED" if up else "FAIL_WAIT",
            "Ping-Status": "UP" if up else "DOWN",
            "Phrase": "OK" if up else "Service Unavailable",
            "Status": "200" if up else "503",
        }
        self.emit("CUSTOM", None, headers)

    def set_gateway(self, name: str, up: bool) -> None:
        self.gateways[name] = up
        self.announce_gateway(name)

    def press(self, channel: Channel, digit: str, source: str = "ENDPOINT") -> None:
        """A key at the far end. Outside any application the digit is heard by whatever comes next: here, at once."""
        if not channel.alive or not channel.answered:
            return
        channel.pressed += digit
        if channel.apps and channel.bridge is None:
            channel.apps[-1].digit(digit, source)
        else:
            self.emit_digit(channel, digit, source)

    # --- parking ------------------------------------------------------------------------------------------------

    def arm_park_timeout(self, channel: Channel) -> None:
        text = channel.variables.get("park_timeout", "")
        seconds, _, cause = text.partition(":")
        if seconds.isdecimal() and int(seconds) > 0:
            channel.variables.pop("park_after_bridge", None)  # IVR:985-997
            self.disarm_park_timeout(channel)
            end = cause or "NORMAL_CLEARING"
            channel.park_timer = self.clock.after(int(seconds) * 1000, lambda: self.hang_up(channel, end))

    def disarm_park_timeout(self, channel: Channel) -> None:
        if channel.park_timer is not None:
            channel.park_timer.cancel()
            channel.park_timer = None

    def park(self, channel: Channel) -> None:
        """``uuid_park``: out of whatever it does, into a park of its own."""
        self.leave_bridge(channel, release_peer=True)
        transfer.route(self, channel, channel.destination, actions=[("park", "")])

    # --- bridging and dialling out, in their own modules --------------------------------------------------------

    def bridge(self, a: str, b: str) -> str:
        return bridge.uuid_bridge(self, a, b)

    def leave_bridge(self, channel: Channel, release_peer: bool) -> None:
        bridge.leave(self, channel, release_peer)

    def transfer(self, channel: Channel, words: list[str]) -> str:
        return transfer.uuid_transfer(self, channel, words)

    def originate(self, argument: str, job: Job) -> None:
        originate.originate(self, argument, job)
