"""What a switch tells of the telephones that register with it, and of its trunks."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.center import Center
from apps.core.config import DeviceKind
from apps.core.events import DeviceChanged, SwitchSnapshot, TrunkChanged
from apps.core.ids import SwitchId
from apps.core.texts import LONGEST_DETAIL, LONGEST_RAW


def device_changed(center: Center, event: DeviceChanged) -> None:
    _is(center, event.switch, event.address[:LONGEST_RAW], event.registered)


def listed(center: Center, event: SwitchSnapshot) -> None:
    """The switch's list is the whole truth about devices that register, of those as well that it does not name."""
    if event.registered is None:
        return
    link = center.state.switches.get(event.switch)
    known = link.devices if link is not None else {}
    registered = set(event.registered)
    devices = (agent.device for agent in center.state.config.agents.values() if agent.device is not None)
    ours = {one.address for one in devices if one.switch == event.switch and one.kind is not DeviceKind.PSTN}
    for address in sorted(registered | ours | {name for name, is_on in known.items() if is_on}):
        _is(center, event.switch, address, address in registered)


def _is(center: Center, switch: SwitchId, address: str, registered: bool) -> None:
    link = center.state.switches.get(switch)
    if link is None or link.devices.get(address) is not registered:
        center.emit(
            f.DeviceStateChanged(
                at_ms=center.now_ms, tenant=None, switch=switch, address=address, registered=registered
            )
        )


def trunk_changed(center: Center, event: TrunkChanged) -> None:
    """Drivers tell it again and again."""
    link = center.state.switches.get(event.switch)
    if link is not None and link.trunks.get(event.trunk) is event.up:
        return
    config = center.state.config.trunks.get(event.trunk)
    tenant, detail = config.tenant if config is not None else None, event.detail[:LONGEST_DETAIL]
    center.emit(
        f.TrunkStateChanged(
            at_ms=center.now_ms, tenant=tenant, switch=event.switch, trunk=event.trunk, up=event.up, detail=detail
        )
    )
    if event.up:
        center.clear_alarm("trunk_down", event.trunk)
    else:
        center.alarm("trunk_down", event.trunk, detail, tenant)
