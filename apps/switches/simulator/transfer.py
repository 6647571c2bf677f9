"""Moving a channel to another place of the dialplan."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.switches.simulator.channel import Channel
    from apps.switches.simulator.model import Switch

TICK_MS = 20


def uuid_transfer(switch: Switch, channel: Channel, words: list[str]) -> str:
    """``[-both|-bleg] <ext> [<dialplan>] [<context>]``; takes effect on the channel's next tick."""
    both = bool(words) and words[0] in ("-both", "-bleg")
    if both:
        words = words[1:]
    if not words:
        return "-ERR Invalid extension\n"
    inline = len(words) > 1 and words[1] == "inline"
    extension = words[0]
    context = words[2] if len(words) > 2 else ""
    targets = [channel]
    if both and channel.bridged_to is not None:
        targets.append(channel.bridged_to)
    for target in targets:
        go = partial(_go, switch, target, extension, context, inline, both)
        switch.clock.after(TICK_MS, go)
    return "+OK\n"


def _go(switch: Switch, channel: Channel, extension: str, context: str, inline: bool, both: bool) -> None:
    if channel.alive:
        channel.next_state, channel.peer = "CS_ROUTING", None
        switch.leave_bridge(channel, release_peer=not both)
        actions = [_inline_action(part) for part in extension.split(",")] if inline else None
        route(switch, channel, extension, context, actions)


def _inline_action(text: str) -> tuple[str, str]:
    name, _, data = text.partition(":")
    return name, data


def route(
    switch: Switch,
    channel: Channel,
    extension: str,
    context: str = "",
    actions: list[tuple[str, str]] | None = None,
) -> None:
    """Drop whatever runs and start the extension's actions."""
    switch.executor.interrupt(channel)
    channel.inbox.clear()
    channel.deaf = False
    channel.destination = extension
    channel.context = context or channel.context
    channel.peer = None
    from_talk = "bridge_uuid" in channel.variables
    channel.actions = deque(actions if actions is not None else switch.dialplan.actions(extension, from_talk))
    switch.set_state(channel, "CS_ROUTING", callstate="RINGING" if channel.direction == "inbound" else "")
    channel.hit_dialplan = True
    switch.set_state(channel, "CS_EXECUTE", callstate="ACTIVE" if channel.answered else "RINGING")
    switch.executor.carry_on(channel)
