"""The ``api`` commands of this slice and what a real switch answers, errors included (CMD; api_errors_and_status)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from apps.switches.simulator import headers
from apps.switches.simulator.channel import Channel

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

VERSION = "1.11.1-release git simulator 2026-08-21 14:10:14Z 64bit"
NO_CHANNEL = "-ERR No such channel!\n"
NO_SESSION = "-ERR Cannot locate session!\n"

Handler = Callable[["Switch", str], str]


def run(switch: Switch, command: str, argument: str) -> str:
    handler = COMMANDS.get(command)
    return handler(switch, argument) if handler else f"-ERR {command} Command not found!\n"


def expanded(switch: Switch, command: str, argument: str) -> tuple[str, str]:
    """What an ``expand`` comes to: the switch's variables in the arguments, never in a command's name."""
    while command == "expand":
        command, _, argument = switch.expand(None, argument).strip().partition(" ")
    return command, argument


def _words(argument: str, least: int) -> list[str] | None:
    words = argument.split()
    return words if len(words) >= least else None


def _quoted_words(argument: str) -> list[str]:
    """Parted at spaces, but for those between single quotes."""
    return ["".join(pair) for pair in re.findall(r"'([^']*)'|(\S+)", argument)]


# --- one channel -------------------------------------------------------------------------------------------------


def _bridge(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    return switch.bridge(words[0], words[1]) if words else "-USAGE: <uuid> <other_uuid>\n"


def _kill(switch: Switch, argument: str) -> str:
    words = _words(argument, 1)
    if not words:
        return "-USAGE: <uuid> [cause]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return NO_CHANNEL
    switch.hang_up(channel, words[1] if len(words) > 1 else "NORMAL_CLEARING")
    return "+OK\n"


def _hang_up_all(switch: Switch, argument: str) -> str:
    cause = argument.strip() or "MANAGER_REQUEST"
    for channel in reversed(list(switch.channels.values())):
        switch.hang_up(channel, cause)
    return f"+OK hangup all channels with cause {cause}\n"


def _conference(switch: Switch, argument: str) -> str:
    words = argument.split()
    members = switch.rooms.get(words[0], []) if words else []
    if words[1:] != ["list"]:
        return "-USAGE: conference <name> list\n"
    if not members:
        return f"-ERR Conference {words[0]} not found\n"
    rows = [f"{number};{member.name};{member.uuid};{member.caller_name};{member.caller_number};hear|speak;0;0;0"
            for number, member in enumerate(members, 1)]  # fmt: skip
    return "".join(f"{row}\n" for row in reversed(rows))


def _transfer(switch: Switch, argument: str) -> str:
    words = _quoted_words(argument)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = switch.find(words[0])
    return NO_CHANNEL if channel is None else switch.transfer(channel, words[1:])


def _break(switch: Switch, argument: str) -> str:
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


def _setvar(switch: Switch, argument: str) -> str:
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


def _setvar_multi(switch: Switch, argument: str) -> str:
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


def _getvar(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.find(words[0])
    return NO_CHANNEL if channel is None else channel.variables.get(words[1], "_undef_")


def _dump(switch: Switch, argument: str) -> str:
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


def _record(switch: Switch, argument: str) -> str:
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


def _hold(switch: Switch, argument: str) -> str:
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


def _phone_event(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <event>\n"
    channel = switch.find(words[0])
    if channel is None:
        return "-ERR Operation failed\n"
    if words[1] == "talk":
        switch.phones.asked_to_answer(channel)
    return "+OK Success\n"


def _audio(switch: Switch, argument: str) -> str:
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


def _send_dtmf(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_SESSION
    channel.tones_heard += words[1].partition("@")[0]
    return f"+OK {words[0]} sent DTMF {words[1]}.\n"


def _recv_dtmf(switch: Switch, argument: str) -> str:
    words = _words(argument, 2)
    if not words:
        return "-USAGE: <uuid> <dtmf_data>\n"
    channel = switch.find(words[0])
    if channel is None:
        return NO_SESSION
    for digit in words[1].partition("@")[0]:
        switch.clock.after(20, lambda digit=digit: switch.press(channel, digit, "APP"))  # type: ignore[misc]
    return f"+OK {words[0]} received DTMF {words[1]}.\n"


def _park(switch: Switch, argument: str) -> str:
    channel = switch.find(argument.strip())
    if channel is None:
        return NO_CHANNEL
    switch.park(channel)
    return "+OK\n"


def _answer(switch: Switch, argument: str) -> str:
    channel = switch.find(argument.strip())
    if channel is None:
        return "-ERROR\n"
    switch.answer(channel)
    return "+OK\n"


def _displace(switch: Switch, argument: str) -> str:
    words = _words(argument, 3)
    if not words:
        return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
    return "+OK Success\n" if switch.find(words[0]) else NO_SESSION


def _exists(switch: Switch, argument: str) -> str:
    return "true" if switch.find(argument.strip()) else "false"


# --- lists -------------------------------------------------------------------------------------------------------


def _show(switch: Switch, argument: str) -> str:
    words = argument.split()
    kind = words[0] if words else ""
    tables: dict[str, Callable[[Switch], list[dict[str, str]]]] = {
        "channels": _channel_rows,
        "calls": _call_rows,
        "bridged_calls": _call_rows,
        "registrations": _registration_rows,
    }
    if kind not in tables:
        return "-USAGE: codec|endpoint|application|api|dialplan|calls [count]|channels [count]|registrations\n"
    rows = tables[kind](switch)
    if words[1:] == ["as", "json"]:
        table: dict[str, object] = {"row_count": len(rows)}
        if not rows:
            return '{"row_count": 0}\n'
        table["rows"] = rows
        return json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)] if rows else []
    body = "" if words[1:] == ["count"] else "".join(f"{line}\n" for line in lines)
    return f"{body}\n{len(rows)} total.\n"


def _channel_rows(switch: Switch) -> list[dict[str, str]]:
    return [_channel_row(switch, channel) for channel in switch.listed()]


def _channel_row(switch: Switch, channel: Channel) -> dict[str, str]:
    created = time.gmtime(channel.created_ms / 1000)
    peer = channel.bridged_to
    return {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": time.strftime("%Y-%m-%d %H:%M:%S", created),
        "created_epoch": str(channel.created_ms // 1000),
        "name": channel.name,
        "state": channel.state,
        "cid_name": channel.caller_name,
        "cid_num": channel.caller_number,
        "ip_addr": channel.network_addr,
        "dest": channel.destination,
        "application": channel.variables.get("current_application", ""),
        "application_data": channel.variables.get("current_application_data", ""),
        "dialplan": "XML",
        "context": channel.context,
        "read_codec": "PCMU",
        "read_rate": "8000",
        "read_bit_rate": "64000",
        "write_codec": "PCMU",
        "write_rate": "8000",
        "write_bit_rate": "64000",
        "secure": "",
        "hostname": switch.globals["hostname"],
        "presence_id": "",
        "presence_data": "",
        "accountcode": "",
        "callstate": channel.callstate,
        "callee_name": "",
        "callee_num": "",
        "callee_direction": "",
        "call_uuid": peer.uuid if peer is not None else "",
        "sent_callee_name": "",
        "sent_callee_num": "",
        "initial_cid_name": channel.caller_name,
        "initial_cid_num": channel.caller_number,
        "initial_ip_addr": channel.network_addr,
        "initial_dest": channel.destination,
        "initial_dialplan": "XML",
        "initial_context": channel.context,
    }


def _call_rows(switch: Switch) -> list[dict[str, str]]:
    rows = []
    for channel in switch.channels.values():
        if channel.bridge is not None and channel.bridge.up and channel.bridge.a is channel:
            other = {f"b_{key}": value for key, value in _channel_row(switch, channel.bridge.b).items()}
            rows.append({**_channel_row(switch, channel), **other})
    return rows


def _registration_rows(switch: Switch) -> list[dict[str, str]]:
    return [
        {
            "reg_user": address,
            "realm": switch.globals["domain"],
            "token": f"{address}@simulator",
            "url": f"sofia/{switch.profiles[-1]}/sip:{address}@127.0.0.1:5090",
            "expires": str(switch.clock.now_ms // 1000 + 3600),
            "network_ip": "127.0.0.1",
            "network_port": "5090",
            "network_proto": "udp",
            "hostname": switch.globals["hostname"],
            "metadata": "",
        }
        for address in switch.phones.registered()
    ]


# --- the switch --------------------------------------------------------------------------------------------------


def _status(switch: Switch, argument: str) -> str:
    up_s = max(0, switch.clock.now_ms - switch.started_ms) // 1000
    days, rest = divmod(up_s, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return (
        f"UP 0 years, {days} days, {hours} hours, {minutes} minutes, {seconds} seconds, "
        "0 milliseconds, 0 microseconds\n"
        f"FreeSWITCH (Version {VERSION}) is ready\n"
        f"{switch.sessions} session(s) since startup\n"
        f"{len(switch.channels)} session(s) - peak {switch.peak}, last 5min {switch.peak} \n"
        f"0 session(s) per Sec out of max 500, peak 0, last 5min 0 \n"
        f"{switch.max_sessions} session(s) max\nmin idle cpu 0.00/99.00\nCurrent Stack Size/Max 240K/8192K\n"
    )


def _version(switch: Switch, argument: str) -> str:
    return f"FreeSWITCH Version {VERSION} (simulator)\n"


def _global_setvar(switch: Switch, argument: str) -> str:
    """``name=value[=expected]``: compare and set when a third part is there. +OK either way.

    An empty third part compares with nothing, and an empty value is none. **live**
    """
    name, equals, rest = argument.partition("=")
    if not equals or not name:
        return "-USAGE: <var>=<value> [=<value2>]\n"
    value, _, expected = rest.partition("=")
    if not expected or switch.globals.get(name, "") == expected:
        switch.globals[name] = value
        if not value:
            del switch.globals[name]
    return "+OK"


def _global_getvar(switch: Switch, argument: str) -> str:
    if not argument:
        return "".join(f"{name}={value}\n" for name, value in switch.globals.items())
    return switch.globals.get(argument.strip(), "-ERR no reply\n")


def _sofia(switch: Switch, argument: str) -> str:
    words = argument.split()
    if words[:2] == ["status", "gateway"] and len(words) > 2:
        return _gateway_status(switch, words[2])
    if words[:1] != ["status"]:
        return "-ERR Unknown command!\n"
    line = "=" * 97 + "\n"
    rows = [
        f"{profile:>25}\tprofile\t{f'sip:mod_sofia@127.0.0.1:{5080 - 20 * index}':>42}\tRUNNING (0)\n"
        for index, profile in enumerate(switch.profiles)
    ]
    rows += [
        f"{f'{switch.profiles[0]}::{name}':>25}\tgateway\t{f'sip:{name}@127.0.0.1':>42}\t{_gateway_word(up)}\n"
        for name, up in switch.gateways.items()
    ]
    heading = f"{'Name':>25}\t{'Type':>7}\t{'Data':>42}\tState\n"
    return f"{heading}{line}{''.join(rows)}{line}{len(switch.profiles)} profiles 0 aliases\n"


def _gateway_word(up: bool) -> str:
    return "REGED" if up else "FAIL_WAIT"


def _gateway_status(switch: Switch, name: str) -> str:
    if name not in switch.gateways:
        return "Invalid Gateway!\n"
    up = switch.gateways[name]
    line = "=" * 97 + "\n"
    state = "UP" if up else "DOWN"
    return f"{line}Name    \t{name}\nState   \t{_gateway_word(up)}\nStatus  \t{state}\n{line}"


COMMANDS: dict[str, Handler] = {
    "conference": _conference,
    "create_uuid": lambda switch, argument: switch.new_uuid(),
    "global_getvar": _global_getvar,
    "global_setvar": _global_setvar,
    "hostname": lambda switch, argument: switch.globals["hostname"],
    "hupall": _hang_up_all,
    "reloadxml": lambda switch, argument: "+OK [Success]\n",
    "show": _show,
    "sofia": _sofia,
    "status": _status,
    "strepoch": lambda switch, argument: str(switch.clock.now_ms // 1000),
    "uuid_answer": _answer,
    "uuid_audio": _audio,
    "uuid_break": _break,
    "uuid_bridge": _bridge,
    "uuid_displace": _displace,
    "uuid_dump": _dump,
    "uuid_exists": _exists,
    "uuid_getvar": _getvar,
    "uuid_hold": _hold,
    "uuid_kill": _kill,
    "uuid_park": _park,
    "uuid_phone_event": _phone_event,
    "uuid_record": _record,
    "uuid_recv_dtmf": _recv_dtmf,
    "uuid_send_dtmf": _send_dtmf,
    "uuid_setvar": _setvar,
    "uuid_setvar_multi": _setvar_multi,
    "uuid_transfer": _transfer,
    "version": _version,
}
