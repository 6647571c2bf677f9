"""The ``uuid_…`` commands: each acts on one channel, its first word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from apps.switches.simulator import headers

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

NO_CHANNEL = "-ERR No such channel!\n"
NO_SESSION = "-ERR Cannot locate session!\n"


def bridge(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    return switch.bridge(words[0], words[1]) if words else "-USAGE: <uuid> <other_uuid>\n"


def kill(switch: Switch, argument: str) -> str:
    words = _words(argument, 1)
    if not words:
        return "-USAGE: <uuid> [cause]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return NO_CHANNEL
    switch.hang_up(channel, words[1] if len(words) > 1 else "NORMAL_CLEARING")
    return "+OK\n"


def transfer(switch: Switch, argument: str) -> str:
    words = _quoted_words(argument)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = switch.find(words[0])
    return NO_CHANNEL if channel is None else switch.transfer(channel, words[1:])


def break_(switch: Switch, argument: str) -> str:
    words = _words(argument, 1)
    if not words:
        return "-USAGE: <uuid> [all]\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_CHANNEL
    running = channel.apps[-1] if channel.apps else None
    if "all" in words[1:]:
        channel.inbox.clear()
    if running is not None:  # a break never hits the application after the one it was meant for
        switch.clock.after(20, lambda: running.stop() if running in channel.apps else None)
    return "+OK\n"


def setvar(switch: Switch, argument: str) -> str:
    words = argument.split(" ", 2)
    if len(words) < 2 or not words[0]:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_CHANNEL
    if not words[1]:
        return "-ERR No variable specified\n"
    switch.set_variable(channel, words[1], words[2] if len(words) > 2 else "")
    return "+OK\n"


def setvar_multi(switch: Switch, argument: str) -> str:
    uuid, _, assignments = argument.partition(" ")
    if not assignments:
        return "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    channel = switch.find(uuid)
    if channel is None:
        return NO_CHANNEL
    for assignment in assignments.split(";"):
        name, _, value = assignment.partition("=")
        if not name.strip():
            return "-ERR No variable specified\n"
        switch.set_variable(channel, name.strip(), value)
    return "+OK\n"


def getvar(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.find(words[0])
    return NO_CHANNEL if channel is None else channel.variables.get(words[1], "_undef_")


def dump(switch: Switch, argument: str) -> str:
    words = _words(argument, 1)
    if not words:
        return "-USAGE: <uuid> [format]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return NO_CHANNEL
    dumped = headers.event(switch, 0, "CHANNEL_DATA", channel, {})
    if words[1:] == ["json"]:
        return headers.as_json(dumped).decode(errors="surrogateescape")
    return headers.as_plain(dumped).decode()


def record(switch: Switch, argument: str) -> str:
    words = argument.split(" ", 2)
    if len(words) < 3:
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_SESSION
    action, path = words[1], words[2].split(" ")[0]
    recorder = switch.recorder
    if action == "start":
        return recorder.start(switch, channel, path)
    if action == "stop":
        return recorder.stop(switch, channel, path)
    if action in ("mask", "unmask"):
        return recorder.mask(switch, channel, path, action == "mask")
    return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"


def hold(switch: Switch, argument: str) -> str:
    """An unknown uuid still answers +OK (IVR:1567-1577)."""
    words = _words(argument, 1)
    if not words:
        return "-USAGE: [off|toggle] <uuid> [<display>]\n"
    off = words[0] in ("off", "toggle")
    channel = switch.find(words[1] if off and len(words) > 1 else words[0])
    if channel is not None:
        on = not channel.held_ms if words[0] == "toggle" else not off
        switch.hold(channel, on)
    return "+OK Success\n"


def phone_event(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <event>\n"
    channel = switch.find(words[0])
    if channel is None:
        return "-ERR Operation failed\n"
    if words[1] == "talk":
        switch.phones.asked_to_answer(channel)
    return "+OK Success\n"


def audio(switch: Switch, argument: str) -> str:
    """Of all that it can do only the mute of what a channel says is modelled."""
    words = argument.split()
    if len(words) < 2 or (words[1] == "start" and len(words) < 5):
        return "-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_CHANNEL
    if words[1] == "stop":
        channel.muted = False
    elif words[2:4] == ["read", "mute"]:
        channel.muted = words[4] != "0"
    return "+OK\n"


def send_dtmf(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_SESSION
    channel.tones_heard += words[1].partition("@")[0]
    return f"+OK {words[0]} sent DTMF {words[1]}.\n"


def recv_dtmf(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_SESSION
    for digit in words[1].partition("@")[0]:
        switch.clock.after(20, lambda digit=digit: switch.press(channel, digit, "APP"))  # type: ignore[misc]
    return f"+OK {words[0]} received DTMF {words[1]}.\n"


def park(switch: Switch, argument: str) -> str:
    channel = switch.find(argument.strip())
    if channel is None:
        return NO_CHANNEL
    switch.park(channel)
    return "+OK\n"


def answer(switch: Switch, argument: str) -> str:
    channel = switch.find(argument.strip())
    if channel is None:
        return "-ERROR\n"
    switch.answer(channel)
    return "+OK\n"


def displace(switch: Switch, argument: str) -> str:
    words = _words(argument, 3)
    if not words:
        return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
    return "+OK Success\n" if switch.find(words[0]) else NO_SESSION


def exists(switch: Switch, argument: str) -> str:
    return "true" if switch.find(argument.strip()) else "false"


def _words(argument: str, least: int) -> list[str] | None:
    words = argument.split()
    return words if len(words) >= least else None


def _quoted_words(argument: str) -> list[str]:
    """Parted at spaces, but for those between single quotes."""
    return ["".join(pair) for pair in re.findall(r"'([^']*)'|(\S+)", argument)]
