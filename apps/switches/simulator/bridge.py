"""Two channels that hear each other, and the gap before they do.

Seen live: CHANNEL_BRIDGE fires on A only, 40 ms after the command. If B dies in the gap, A
is transferred to B's ``rdnis``, if B has that variable, and else hung up. If A dies in the first 25 ms of it, B stays
in CS_SOFT_EXECUTE without an event until it is transferred; later in the gap about half of them do. Not modelled: in
about one death of A in fifty the switch hangs B up with DESTINATION_OUT_OF_ORDER (3 of 162 seen on 1.11.1;
switch_ivr_bridge.c, uuid_bridge_on_soft_execute). The driver makes the customer A, whom neither can hit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.switches.simulator import transfer

if TYPE_CHECKING:
    from apps.switches.simulator.channel import Channel
    from apps.switches.simulator.model import Switch

UNWIND_MS = 20
CONNECT_MS = 40
SURELY_STUCK_MS = 25


@dataclass(slots=True, eq=False)
class Bridge:
    a: Channel
    b: Channel
    asked_ms: int
    up: bool = False

    def other(self, channel: Channel) -> Channel:
        return self.b if channel is self.a else self.a

    def headers(self) -> dict[str, str]:
        return {"Bridge-A-Unique-ID": self.a.uuid, "Bridge-B-Unique-ID": self.b.uuid}


def uuid_bridge(switch: Switch, a_uuid: str, b_uuid: str) -> str:
    """``+OK <B>`` is not a bridge yet: CHANNEL_BRIDGE is."""
    a, b = switch.find(a_uuid), switch.find(b_uuid)
    if a is None or b is None or a is b or not (a.answered and b.answered):
        return "-ERR Invalid uuid\n"
    for channel in (a, b):
        leave(switch, channel, release_peer=True)
    bridge = Bridge(a, b, switch.clock.now_ms)
    for channel in (a, b):
        channel.bridge, channel.peer = bridge, bridge.other(channel)
        channel.next_state = "CS_HIBERNATE"
        for name in ("bridge_uuid", "signal_bond"):
            channel.variables[name] = bridge.other(channel).uuid
    a.hit_dialplan = True
    if b.direction == "outbound":
        b.hit_dialplan = False
    switch.clock.after(UNWIND_MS, lambda: _unwind(switch, bridge))
    switch.clock.after(CONNECT_MS, lambda: _connect(switch, bridge))
    death_ms = switch.faults.gap_death_ms()
    if death_ms is not None:
        far = a if a.direction == "outbound" else b
        switch.clock.after(death_ms, lambda: switch.hang_up(far, "NORMAL_CLEARING"))
    return f"+OK {b.uuid}\n"


def _unwind(switch: Switch, bridge: Bridge) -> None:
    for channel in (bridge.b, bridge.a):
        if channel.alive and channel.bridge is bridge:
            _into_soft_execute(switch, channel)


def _into_soft_execute(switch: Switch, channel: Channel) -> None:
    switch.executor.interrupt(channel)
    channel.actions.clear()
    for state in ("CS_HIBERNATE", "CS_RESET", "CS_SOFT_EXECUTE"):
        switch.set_state(channel, state)


def _connect(switch: Switch, bridge: Bridge) -> None:
    a, b = bridge.a, bridge.b
    if a.bridge is not bridge or b.bridge is not bridge:
        return
    bridge.up = True
    for channel in (a, b):
        channel.bridged_ms = switch.clock.now_ms
        data = {"Application": "uuid_bridge", "Application-Data": bridge.other(channel).uuid}
        switch.emit("CHANNEL_EXECUTE", channel, data)
    switch.set_state(b, "CS_CONSUME_MEDIA")
    switch.emit("CHANNEL_BRIDGE", a, bridge.headers())
    switch.set_state(b, "CS_EXCHANGE_MEDIA")
    switch.emit("CALL_UPDATE", a)
    switch.emit("CALL_UPDATE", b)


def leave(switch: Switch, channel: Channel, release_peer: bool) -> None:
    """``channel`` is taken out of its bridge by a command; its peer does what it does after a bridge."""
    bridge = channel.bridge
    if bridge is None:
        return
    peer = bridge.other(channel)
    channel.bridge = peer.bridge = None
    if bridge.up:
        switch.emit("CHANNEL_UNBRIDGE", bridge.a, bridge.headers())
    if release_peer and peer.alive:
        after(switch, peer)


def ended_by(switch: Switch, channel: Channel) -> None:
    """``channel`` hung up: what becomes of the one at the other end."""
    bridge = channel.bridge
    if bridge is None:
        return
    peer = bridge.other(channel)
    channel.bridge = None
    if not bridge.up and channel is bridge.a:
        _died_in_the_gap(switch, bridge)
        return
    peer.bridge = None
    switch.clock.after(UNWIND_MS, lambda: _closed(switch, bridge, peer))


def _closed(switch: Switch, bridge: Bridge, peer: Channel) -> None:
    way_out = bridge.b.variables.get("rdnis", "")
    if not bridge.up and peer is bridge.a and way_out and peer.alive and peer.bridge is None:
        transfer.route(switch, peer, way_out)
        return
    survivor_first = peer is bridge.b
    if survivor_first:
        after(switch, peer)
    if bridge.up:
        switch.emit("CHANNEL_UNBRIDGE", bridge.a, bridge.headers())
    if not survivor_first:
        after(switch, peer)


def _died_in_the_gap(switch: Switch, bridge: Bridge) -> None:
    b = bridge.b
    late = switch.clock.now_ms - bridge.asked_ms > SURELY_STUCK_MS
    b.deaf = True
    if late and switch.rng.random() < 0.5:
        b.bridge = None
        switch.clock.after(UNWIND_MS, lambda: after(switch, b))


def after(switch: Switch, channel: Channel) -> None:
    """park_after_bridge before transfer_after_bridge before hanging up (BR:1927-1943)."""
    if not channel.alive or channel.bridge is not None:
        return
    channel.deaf = False
    where = channel.variables.get("transfer_after_bridge", "")
    if channel.flag("park_after_bridge"):
        switch.executor.interrupt(channel)
        switch.set_state(channel, "CS_PARK")
        switch.arm_park_timeout(channel)
        switch.emit("CHANNEL_PARK", channel)
        switch.executor.carry_on(channel)
    elif where:
        del channel.variables["transfer_after_bridge"]  # the switch forgets it each time (BR:958)
        extension, _, rest = where.partition(":")
        transfer.route(switch, channel, extension, rest.partition(":")[2])
    else:
        if channel.state == "CS_SOFT_EXECUTE" and not channel.flag("hangup_after_bridge"):
            switch.set_state(channel, "CS_EXECUTE")
        switch.hang_up(channel, "NORMAL_CLEARING")
