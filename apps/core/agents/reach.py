"""Whether an agent who is READY can be offered a call at all."""

from __future__ import annotations

from typing import Literal

from apps.core.agents.model import Agent
from apps.core.config import AgentConfig, DeviceConfig, DeviceKind
from apps.core.state import State

Blocked = Literal["", "no_device", "switch", "media", "device", "suspended", "on_phone", "line"]


def is_away(state: State, device: DeviceConfig) -> bool:
    """The switch knows that this device is not registered. What it has not spoken of may be there."""
    link = state.switches.get(device.switch)
    registers = device.kind is not DeviceKind.PSTN
    return registers and link is not None and link.devices.get(device.address) is False


def lacks_media(agent: Agent, device: DeviceConfig) -> bool:
    """A browser phone whose page has no live microphone, or has not said so yet."""
    return device.kind is DeviceKind.BROWSER and not agent.media_ready


def why_blocked(state: State, agent: Agent, config: AgentConfig | None) -> Blocked:
    """ "" when nothing is in the way."""
    device = config.device if config is not None else None
    if device is None:
        return "no_device"
    link = state.switches.get(device.switch)
    if link is None or not link.up:
        return "switch"
    if agent.on_phone:
        return "on_phone"
    if lacks_media(agent, device):
        return "media"
    if is_away(state, device):
        return "device"
    if agent.suspended_until_ms is not None:
        return "suspended"
    open_line = agent.kept is not None and agent.kept.deadline_ms is None
    return "line" if device.kept_open and not open_line else ""
