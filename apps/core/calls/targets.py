"""Where a transfer or a consult may lead, and the way there for telephones that are simply rung."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core import commands as c
from apps.core.agents import reach, states
from apps.core.agents.machine import BUSY, AgentState
from apps.core.agents.model import Agent
from apps.core.calls import lines
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import AgentConfig, DeviceKind, TrunkConfig
from apps.core.events import TransferKind
from apps.core.ids import AgentId, QueueId
from apps.core.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A telephone to ring that nobody is offered a call at. ``trunk``: a number outside."""

    destination: c.Destination
    caller_number: str
    trunk: TrunkConfig | None = None
    owner: AgentId | None = None  # of an extension


def problem(center: Center, call: Call, by: AgentId, kind: TransferKind, target: str) -> Refusal | None:
    """Why a transfer to it by this agent cannot work, or None when it can."""
    config, owner = center.state.config, _agent_of(center, call, kind, target)
    if owner is not None and owner.id == by:
        return Refusal("yourself", "that is you: the call is with you already")
    if kind is TransferKind.QUEUE:
        queue = config.queues.get(QueueId(target))
        known = queue is not None and queue.tenant == call.tenant
        return None if known else Refusal("bad_target", "no such queue")
    if kind is TransferKind.AGENT:
        agent = config.agents.get(AgentId(target))
        if agent is None or agent.tenant != call.tenant or agent.device is None:
            return Refusal("bad_target", "no such agent")
        here = agent.device.switch == call.switch
        return None if here else Refusal("bad_target", "this agent's telephone is on another switch")
    if kind is TransferKind.EXTENSION:
        return None if owner_of(center, call, target) is not None else Refusal("bad_target", "no such extension")
    refusal = lines.way_out(center, call.tenant, call.switch, target)[1]
    return Refusal("bad_target", refusal.reason) if refusal is not None and refusal.code == "bad_number" else refusal


def unavailable(center: Center, call: Call, kind: TransferKind, target: str) -> Refusal | None:
    """Why nobody would answer there now. A queue may be waited for; of a number nobody knows."""
    config = _agent_of(center, call, kind, target)
    agent = center.agent(config.id) if config is not None else None
    if config is None or config.device is None or agent is None:
        return None
    if agent.call == call.id:
        return Refusal("bad_target", "this is one of those who talk already")
    if kind is TransferKind.AGENT and not is_free(center, agent, config):
        return Refusal("not_available", f"{config.name} cannot be called now: {agent.state}")
    if kind is TransferKind.EXTENSION and (states.logical(agent) in BUSY or agent.on_phone):
        return Refusal("not_available", f"{config.name} cannot be called now: {agent.state}")
    if reach.is_away(center.state, config.device):
        return Refusal("not_available", "this telephone is not registered")
    return None


def is_free(center: Center, agent: Agent, config: AgentConfig) -> bool:
    return agent.state is AgentState.READY and not reach.why_blocked(center.state, agent, config)


def wanted_agent(center: Center, call: Call, kind: TransferKind, target: str) -> AgentId | None:
    """The agent to whom it is to be offered: the one named, or who is ready at this extension."""
    if kind is TransferKind.AGENT:
        return AgentId(target)
    config = _agent_of(center, call, kind, target)
    agent = center.agent(config.id) if config is not None else None
    return config.id if config is not None and agent is not None and is_free(center, agent, config) else None


def way_to(center: Center, call: Call, kind: TransferKind, target: str) -> Way | None:
    """For a number or an extension. None: there is no way to it, or it is barred."""
    if kind is TransferKind.NUMBER:
        return _outside(center, call, target)
    owner = owner_of(center, call, target)
    if owner is None or owner.device is None:
        return None
    destination = c.Destination(kind=c.DestinationKind.DEVICE, address=owner.device.address)
    return Way(destination=destination, caller_number=call.caller_number, owner=owner.id)


def owner_of(center: Center, call: Call, extension: str) -> AgentConfig | None:
    """Whose telephone on this switch has the number."""
    agent = center.agent_at(call.switch, extension)
    config = center.agent_config(agent) if agent is not None else None
    registers = config is not None and config.device is not None and config.device.kind is not DeviceKind.PSTN
    return config if config is not None and registers and config.tenant == call.tenant else None


def _agent_of(center: Center, call: Call, kind: TransferKind, target: str) -> AgentConfig | None:
    if kind is TransferKind.AGENT:
        return center.agent_config(AgentId(target))
    return owner_of(center, call, target) if kind is TransferKind.EXTENSION else None


def _outside(center: Center, call: Call, number: str) -> Way | None:
    trunk, refusal = lines.way_out(center, call.tenant, call.switch, number)
    if refusal is not None and refusal.code in ("barred", "bad_number"):
        detail = f"a call was to go to {number[:33]!r}: {refusal.reason}"
        center.alarm("number_barred", call.tenant or "", detail, call.tenant)
    if trunk is None:
        return None
    destination = c.Destination(kind=c.DestinationKind.TRUNK, address=number, trunk=trunk.id, gateway=trunk.gateway)
    return Way(destination=destination, caller_number=trunk.caller_number or call.caller_number, trunk=trunk)
