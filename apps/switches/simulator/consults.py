"""What the in-process driver does to legs for an attended transfer and a three-way: as the FreeSWITCH driver does."""

from __future__ import annotations

from apps.core.commands import JoinRoom, PartLegs
from apps.core.events import LegRole
from apps.core.ids import LegId
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.dialplan import ARRIVAL, CONTEXT
from apps.switches.simulator.model import Switch

TO_ARRIVAL = [ARRIVAL, "XML", CONTEXT]


def is_customer(channel: Channel) -> bool:
    return channel.variables.get("trunkline_role") == LegRole.CUSTOMER


def outlive(model: Switch, leg: LegId, keep: bool, idle_timeout_ms: int) -> None:
    """A telephone in a consult parks when its peer goes, and no longer after it. One kept open does so anyway."""
    channel = model.find(leg)
    if channel is None or is_customer(channel) or channel.variables.get("trunkline_kept"):
        return
    if keep:
        channel.variables["park_after_bridge"] = "true"
        channel.variables["park_timeout"] = str(max(1, idle_timeout_ms // 1000))
    elif channel.variables.pop("park_after_bridge", ""):
        channel.variables["park_timeout"] = "15"


def part(model: Switch, command: PartLegs) -> None:
    outlive(model, command.leg, True, command.idle_timeout_ms)
    customer = model.find(command.other)
    if customer is not None:
        model.transfer(customer, TO_ARRIVAL)


def join_room(model: Switch, command: JoinRoom) -> None:
    channel = model.find(command.leg)
    if channel is None:
        return
    outlive(model, command.leg, True, command.idle_timeout_ms)
    channel.variables["hangup_after_conference"] = "false"
    afterwards = f"transfer:{' '.join(TO_ARRIVAL)}" if is_customer(channel) else "park"
    model.transfer(channel, [f"conference:{command.room}@default,{afterwards}", "inline"])
