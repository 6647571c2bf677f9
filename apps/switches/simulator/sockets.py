"""The outbound socket of an arriving call: who took it, who refused it, what becomes of the call without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.switches.simulator.applications import Socket
from apps.switches.simulator.channel import Channel, Controller

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

UNWIND_MS = 20


def accepted(switch: Switch, channel: Channel, controller: Controller, host: str) -> bool:
    """False when the channel is no longer waiting for it."""
    app = channel.apps[-1] if channel.apps else None
    if not channel.alive or not isinstance(app, Socket):
        return False
    channel.controller = controller
    app.accepted(host)
    controller.attached(channel)
    return True


def refused(channel: Channel) -> None:
    app = channel.apps[-1] if channel.apps else None
    if channel.alive and isinstance(app, Socket) and not app.connected:
        app.finish()


def controller_gone(switch: Switch, channel: Channel, controller: Controller) -> None:
    """The controller closed its socket, or died. Closing an old one un-parks the call from a new one too (live)."""
    if channel.controller is controller:
        channel.controller = None
    if not channel.alive:
        return
    if channel.state == "CS_PARK" and not channel.apps:
        channel.deaf = channel.direction == "inbound"  # a zombie until transferred or bridged
    elif any(isinstance(app, Socket) for app in channel.apps):
        channel.socket_lost = True
        switch.clock.after(UNWIND_MS, lambda: switch.executor.carry_on(channel))


def is_held(channel: Channel, controller: Controller) -> bool:
    """In its socket application, by this very controller."""
    return channel.controller is controller and any(isinstance(app, Socket) for app in channel.apps)


def is_stranded(channel: Channel, controller: Controller) -> bool:
    """Waits in a socket application for one that is not this controller: for nobody, or one that has stopped."""
    waits = bool(channel.apps) and isinstance(channel.apps[-1], Socket)
    return waits and channel.controller is not controller
