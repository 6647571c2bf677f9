"""The dialplan applications this model runs, one class each.

A running application sits on its channel's stack. It ends by ``finish`` (by itself) or because the channel
interrupts it: hang-up, bridge and transfer interrupt the whole stack from the top.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from apps.switches.simulator import transfer
from apps.switches.simulator.clock import Timer

if TYPE_CHECKING:
    from apps.switches.simulator.channel import Channel
    from apps.switches.simulator.model import Switch

PARK_AFTER_CONNECT_MS = 4


class Application:
    """``reads_messages`` while it runs and is not locked; ``parks`` when it does nothing but wait for them."""

    reads_messages: ClassVar[bool] = False
    parks: ClassVar[bool] = False
    hears_digits: ClassVar[bool] = True

    def __init__(self, switch: Switch, channel: Channel, name: str, data: str, uuid: str, locked: bool) -> None:
        self.switch = switch
        self.channel = channel
        self.name = name
        self.data = data
        self.uuid = uuid
        self.locked = locked

    def start(self) -> None:
        self.finish()

    def finish(self) -> None:
        self.switch.executor.ended(self)

    def stop(self) -> None:
        """``uuid_break``: only media stops."""

    def interrupted(self) -> None:
        """The channel goes elsewhere; say what a real one says and forget every timer."""

    def digit(self, digit: str, source: str) -> None:
        if self.hears_digits:
            self.switch.emit_digit(self.channel, digit, source)

    def respond(self, text: str) -> None:
        self.channel.variables["current_application_response"] = text


class Nothing(Application):
    """log, ring_ready and the like: done at once."""


class SetVariable(Application):
    def start(self) -> None:
        name, _, value = self.data.partition("=")
        self.switch.set_variable(self.channel, name.strip(), self.switch.expand(self.channel, value))
        self.finish()


class SetVariables(Application):
    """``multiset``: ``a=1 b=2``, or ``^^;a=1;b=2`` with a separator of its own."""

    def start(self) -> None:
        text, separator = self.data, " "
        if text.startswith("^^") and len(text) > 2:
            text, separator = text[3:], text[2]
        for assignment in text.split(separator):
            name, _, value = assignment.partition("=")
            self.switch.set_variable(self.channel, name.strip(), self.switch.expand(self.channel, value))
        self.finish()


class Answer(Application):
    def start(self) -> None:
        self.switch.answer(self.channel)
        self.finish()


class Sleep(Application):
    timer: Timer | None = None

    def start(self) -> None:
        length = int(self.data) if self.data.strip().isdecimal() else 0
        self.timer = self.switch.clock.after(length, self.finish)

    def interrupted(self) -> None:
        if self.timer:
            self.timer.cancel()


class Forever(Application):
    """echo, eavesdrop: until interrupted."""

    def start(self) -> None:
        pass


class HangUp(Application):
    def start(self) -> None:
        self.switch.hang_up(self.channel, self.data.strip() or "NORMAL_CLEARING")


class Transfer(Application):
    def start(self) -> None:
        words = self.switch.expand(self.channel, self.data).split()
        extension = words[0] if words else ""
        self.finish_quietly()
        transfer.route(self.switch, self.channel, extension, words[2] if len(words) > 2 else "")

    def finish_quietly(self) -> None:
        self.switch.executor.ended(self, carry_on=False)


class Park(Application):
    reads_messages = True
    parks = True

    def start(self) -> None:
        self.switch.arm_park_timeout(self.channel)
        self.switch.emit("CHANNEL_PARK", self.channel)

    def interrupted(self) -> None:
        self.switch.disarm_park_timeout(self.channel)
        self.switch.emit("CHANNEL_UNPARK", self.channel)


class Socket(Application):
    """``socket host:port[|host:port…] async full``: refused by all, the dialplan goes on at once."""

    reads_messages = True
    parks = True
    connected = False

    def start(self) -> None:
        hosts = (self.data.split() or [""])[0]
        self.channel.socket_lost = False
        self.switch.dial(self.channel, hosts.split("|"))

    def accepted(self, host: str) -> None:
        self.channel.variables["socket_host"] = host
        self.switch.clock.after(PARK_AFTER_CONNECT_MS, self._park)

    def _park(self) -> None:
        if self in self.channel.apps and not self.connected:
            self.connected = True
            self.switch.emit("CHANNEL_PARK", self.channel)
            self.switch.executor.carry_on(self.channel)

    def lost(self) -> None:
        """The controller died while the call idled here: the next action of the dialplan runs."""
        self.interrupted()
        self.finish()

    def interrupted(self) -> None:
        if self.connected:
            self.connected = False
            state = self.channel.next_state
            if self.channel.resumes:
                self.channel.next_state = "CS_RESET"
            self.switch.emit("CHANNEL_UNPARK", self.channel)
            self.channel.next_state = state


class Playback(Application):
    """``playback [{timeout=ms}]path``. Digits are heard; those in ``playback_terminators`` end it."""

    reads_messages = True
    timer: Timer | None = None
    path = ""

    def start(self) -> None:
        self.switch.pre_answer(self.channel)
        self.channel.variables.pop("playback_terminator_used", None)
        self.path = self.data  # events name it with its options
        length, found = self.switch.sounds.duration_ms(self.data)
        if not found:
            self.respond("FILE NOT FOUND")
            self.finish()
            return
        self.switch.emit("PLAYBACK_START", self.channel, {"Playback-File-Path": self.path})
        if length is not None:
            self.timer = self.switch.clock.after(length, lambda: self._ended("done", "FILE PLAYED"))

    def digit(self, digit: str, source: str) -> None:
        super().digit(digit, source)
        terminators = self.switch.variable(self.channel, "playback_terminators") or "*"
        if terminators == "any" or (terminators != "none" and digit in terminators):
            self.channel.variables["playback_terminator_used"] = digit
            self._ended("break", "FILE PLAYED")

    def stop(self) -> None:
        self._ended("break", "FILE PLAYED")

    def _ended(self, status: str, response: str) -> None:
        self._say_stopped(status, response)
        self.finish()

    def _say_stopped(self, status: str, response: str) -> None:
        if self.timer:
            self.timer.cancel()
        headers = {"Playback-File-Path": self.path, "Playback-Status": status}
        self.switch.emit("PLAYBACK_STOP", self.channel, headers)
        self.respond(response)

    def interrupted(self) -> None:
        self._say_stopped("done", "PLAYBACK ERROR")


class EndlessPlayback(Playback):
    """Never takes a digit off the line, so none is reported until it ends."""

    hears_digits = False

    def start(self) -> None:
        super().start()
        if self.timer:
            self.timer.cancel()


class PlayAndGetDigits(Playback):
    """``min max tries timeout terminators file invalid var regex [digit_timeout]``."""

    reads_messages = False

    def start(self) -> None:
        words = self.data.split()
        if len(words) < 9 or not all(word.isdecimal() for word in words[:4]):
            self.finish()
            return
        self.least, self.most, self.tries = int(words[0]), int(words[1]), int(words[2])
        self.wait_ms = max(1000, int(words[3]))
        self.ends, self.file, self.invalid, self.variable = words[4], words[5], words[6], words[7]
        try:
            self.valid = re.compile(words[8])
        except re.error:
            self.finish()
            return
        self.collected = ""
        self._try(self.file)

    def _try(self, file: str) -> None:
        self.path = file
        length, _ = self.switch.sounds.duration_ms(file)
        self.playing = True
        self.switch.emit("PLAYBACK_START", self.channel, {"Playback-File-Path": self.path})
        self.timer = self.switch.clock.after(length or 0, self._played) if length is not None else None

    def _played(self) -> None:
        self._silence("done")
        self.timer = self.switch.clock.after(self.wait_ms, self._give_up_or_retry)

    def _silence(self, status: str) -> None:
        if self.timer:
            self.timer.cancel()
        if self.playing:
            self.playing = False
            headers = {"Playback-File-Path": self.path, "Playback-Status": status}
            self.switch.emit("PLAYBACK_STOP", self.channel, headers)

    def digit(self, digit: str, source: str) -> None:
        self.switch.emit_digit(self.channel, digit, source)
        self._silence("break")
        if digit in self.ends and self.ends != "none":
            self._judge()
            return
        self.collected += digit
        if len(self.collected) >= self.most:
            self._judge()
        else:
            self.timer = self.switch.clock.after(self.wait_ms, self._judge)

    def _judge(self) -> None:
        if self.timer:
            self.timer.cancel()
        if len(self.collected) >= self.least and self.valid.search(self.collected):
            self.channel.variables["read_result"] = "success"
            self.channel.variables[self.variable] = self.collected
            self.finish()
        else:
            self._give_up_or_retry()

    def _give_up_or_retry(self) -> None:
        self.tries -= 1
        if self.tries > 0:
            self.collected = ""
            self._try(self.file)
        else:
            self.channel.variables["read_result"] = "failure"
            self.finish()

    def stop(self) -> None:
        self._silence("break")
        self.finish()

    def interrupted(self) -> None:
        self._silence("done")


APPLICATIONS: dict[str, type[Application]] = {
    "answer": Answer,
    "echo": Forever,
    "eavesdrop": Forever,
    "endless_playback": EndlessPlayback,
    "export": SetVariable,
    "hangup": HangUp,
    "log": Nothing,
    "multiset": SetVariables,
    "park": Park,
    "play_and_get_digits": PlayAndGetDigits,
    "playback": Playback,
    "pre_answer": Nothing,
    "ring_ready": Nothing,
    "set": SetVariable,
    "sleep": Sleep,
    "socket": Socket,
    "transfer": Transfer,
}
