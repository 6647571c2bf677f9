"""An agent's own telephone: where it is, and how it is rung for a call."""

from __future__ import annotations

from apps.core import commands as c
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import AgentConfig, DeviceConfig, DeviceKind, TrunkConfig
from apps.core.events import LegRole
from apps.core.ids import LegId

IDLE_MS = 15_000
"""An agent's leg that has answered waits so long for its caller before it ends by itself."""


def destination_of(center: Center, device: DeviceConfig) -> tuple[c.Destination, TrunkConfig | None]:
    """An account of the switch, or a number behind a trunk, which comes with it."""
    trunk = center.state.config.trunks.get(device.trunk) if device.trunk is not None else None
    destination = c.Destination(
        kind=c.DestinationKind.TRUNK if device.kind is DeviceKind.PSTN else c.DestinationKind.DEVICE,
        address=device.address,
        trunk=trunk.id if trunk is not None else None,
        gateway=trunk.gateway if trunk is not None else "",
    )
    return destination, trunk


def ring(
    center: Center,
    call: Call,
    agent: AgentConfig,
    device: DeviceConfig,
    leg: LegId,
    ring_timeout_ms: int,
    *,
    auto_answer: bool,
    idle_timeout_ms: int = IDLE_MS,
) -> None:
    destination, trunk = destination_of(center, device)
    pstn = device.kind is DeviceKind.PSTN
    center.send(
        c.OriginateLeg(
            switch=device.switch,
            leg=leg,
            call=call.id,
            tenant=agent.tenant,
            role=LegRole.AGENT,
            destination=destination,
            ring_timeout_ms=ring_timeout_ms,
            caller_number=trunk.caller_number if pstn and trunk and trunk.caller_number else call.caller_number,
            caller_name=call.caller_name,
            agent=agent.id,
            auto_answer=auto_answer and not pstn,
            idle_timeout_ms=idle_timeout_ms,
        )
    )
