"""Commands that speak to the switch as a whole: its state, its variables, its gateways and rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

VERSION = "1.11.1-release git simulator 2026-08-21 14:10:14Z 64bit"


def status(switch: Switch, argument: str) -> str:
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


def version(switch: Switch, argument: str) -> str:
    return f"FreeSWITCH Version {VERSION} (simulator)\n"


def global_setvar(switch: Switch, argument: str) -> str:
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


def global_getvar(switch: Switch, argument: str) -> str:
    if not argument:
        return "".join(f"{name}={value}\n" for name, value in switch.globals.items())
    return switch.globals.get(argument.strip(), "-ERR no reply\n")


def sofia(switch: Switch, argument: str) -> str:
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


def conference(switch: Switch, argument: str) -> str:
    words = argument.split()
    members = switch.rooms.get(words[0], []) if words else []
    if words[1:] != ["list"]:
        return "-USAGE: conference <name> list\n"
    if not members:
        return f"-ERR Conference {words[0]} not found\n"
    rows = [f"{number};{member.name};{member.uuid};{member.caller_name};{member.caller_number};hear|speak;0;0;0"
            for number, member in enumerate(members, 1)]  # fmt: skip
    return "".join(f"{row}\n" for row in reversed(rows))


def hupall(switch: Switch, argument: str) -> str:
    cause = argument.strip() or "MANAGER_REQUEST"
    for channel in reversed(list(switch.channels.values())):
        switch.hang_up(channel, cause)
    return f"+OK hangup all channels with cause {cause}\n"
