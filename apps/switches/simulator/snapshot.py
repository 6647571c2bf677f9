"""What a driver that asks the switch for everything is told: our legs, who else is there, which telephones."""

from __future__ import annotations

from apps.core import events
from apps.core.ids import AgentId, CallId, LegId, SwitchId
from apps.switches.simulator.channel import Channel, Controller
from apps.switches.simulator.model import Switch
from apps.switches.simulator.rooms import is_in_room
from apps.switches.simulator.sockets import is_held


def snapshot(switch: SwitchId, model: Switch, driver: Controller) -> events.SwitchSnapshot:
    """As ``driver`` sees it. With faults that make the list late, the dead are still in it."""
    listed = model.listed()
    ghosts = model.faults.rates.show_lag_ms > 0
    legs = tuple(
        _leg(channel, driver)
        for channel in listed
        if (channel.alive or ghosts) and "trunkline_call" in channel.variables
    )
    tagged = {leg.leg for leg in legs}
    others = tuple(LegId(channel.uuid) for channel in listed if channel.uuid not in tagged)
    registered = tuple(sorted(model.phones.registered()))
    return events.SwitchSnapshot(switch=switch, legs=legs, others=others, registered=registered)


def _leg(channel: Channel, driver: Controller) -> events.SnapshotLeg:
    variables = channel.variables
    call, role, agent = (variables.get(f"trunkline_{name}") for name in ("call", "role", "agent"))
    peer = channel.bridged_to
    return events.SnapshotLeg(
        leg=LegId(channel.uuid),
        call=CallId(call) if call else None,
        role=events.LegRole(role) if role else None,
        agent=AgentId(agent) if agent else None,
        answered=channel.answered,
        bridged_to=LegId(peer.uuid) if peer is not None else None,
        controlled=is_held(channel, driver),
        in_room=is_in_room(channel),
    )
