"""What each role may see of the engine's state, as plain JSON data. Pure.

A view is ``{kind: {id: entity}}``; an entity is a flat JSON object. Times are engine milliseconds. Everything here is
cut to one tenant: a view never holds an entity of another one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from apps.core.agents.machine import IN_CALL, AgentState
from apps.core.agents.model import Agent
from apps.core.agents.reach import why_blocked
from apps.core.callbacks.readiness import off_line
from apps.core.calls.lines import use_of_trunks
from apps.core.calls.model import Call
from apps.core.config import AgentConfig, DeviceKind, QueueConfig
from apps.core.events import LegRole
from apps.core.ids import AgentId, QueueId, TenantId
from apps.core.queues.estimates import errors_ms, expected_ms
from apps.core.state import State
from apps.queues.scope import Scope

Entity = dict[str, Any]
View = dict[str, dict[str, Entity]]

_S = AgentState


def directory(state: State, tenant: TenantId, asker: AgentId) -> Entity:
    """Whom ``asker`` may transfer to: the tenant's queues, and its other agents with what they do now."""
    queues = [
        {"id": queue.id, "name": queue.name, "waiting": waiting}
        for queue, waiting in _queues_with_waiting(state, tenant)
    ]
    agents = [
        {"id": agent.id, "name": config.name, "state": agent.state.value, "extension": _extension(config)}
        for agent, config in _agents_of(state, tenant)
        if agent.id != asker
    ]
    return {"queues": sorted(queues, key=_by_name), "agents": sorted(agents, key=_by_name)}


def _extension(config: AgentConfig) -> str:
    """Of a telephone on the desk. A page answers what is offered to its agent, and nothing that only rings."""
    device = config.device
    return device.address if device is not None and device.kind is DeviceKind.SIP else ""


# --- wall ----------------------------------------------------------------------------------------------------------


def wall_view(state: State, tenant: TenantId, only: Scope | None = None) -> View:
    """One tenant's floor: ``queues``, ``agents``, ``calls``, ``callbacks``, ``switches``, ``trunks``, ``alarms``.

    ``only`` confines it to some agents and queues. A queue is counted whole; trunks and switches carry everybody.
    """
    calls = [call for call in state.calls.values() if call.tenant == tenant and _within(call, only)]
    agents = [(agent, config) for agent, config in _agents_of(state, tenant) if only is None or agent.id in only.agents]
    queues = [(queue, item) for queue, item in _wall_queues(state, tenant) if only is None or queue.id in only.queues]
    return {
        "queues": {queue.id: entity for queue, entity in queues},
        "agents": {agent.id: _wall_agent(state, agent, config) for agent, config in agents},
        "calls": {call.id: _wall_call(state, call, only) for call in calls if not off_line(call) or call.legs},
        "callbacks": {call.id: callback_entity(state, call) for call in calls if call.callback is not None},
        "switches": _wall_switches(state, tenant),
        "trunks": _wall_trunks(state, tenant),
        "alarms": _wall_alarms(state, tenant),
    }  # fmt: skip


def _within(call: Call, only: Scope | None) -> bool:
    """With one of the agents, or waiting in one of the queues, also while it is offered to somebody else."""
    if only is None or _agent_on(call, only) in only.agents:
        return True
    return call.wait is not None and call.wait.queue in only.queues


def _wall_queues(state: State, tenant: TenantId) -> list[tuple[QueueConfig, Entity]]:
    staff: dict[QueueId, Counter[str]] = {}
    for agent, config in _agents_of(state, tenant):
        for queue_id in config.queues:
            staff.setdefault(queue_id, Counter())[_activity(agent.state)] += 1
    oldest: dict[QueueId, int] = {}
    for call in state.calls.values():
        if call.tenant == tenant and call.wait is not None and not off_line(call):
            oldest[call.wait.queue] = min(call.wait.queued_ms, oldest.get(call.wait.queue, call.wait.queued_ms))
    return [
        (queue, _wall_queue(state, queue, waiting, oldest.get(queue.id), staff.get(queue.id, Counter())))
        for queue, waiting in _queues_with_waiting(state, tenant)
    ]


def _wall_queue(state: State, queue: QueueConfig, waiting: int, oldest_ms: int | None, staff: Counter[str]) -> Entity:
    load = state.queues.get(queue.id)
    serving = sum(staff[name] for name in ("ready", "ringing", "talking", "wrap_up"))
    return {
        "id": queue.id,
        "name": queue.name,
        "waiting": waiting,
        "oldest_ms": oldest_ms,  # queued since, of who waits longest
        "service_level_ms": queue.service_level_ms,
        "closed": load.closed if load is not None else "",
        "expected_ms": expected_ms(waiting, staff["ready"], serving, load),  # for who would join now
        "expected_off_ms": errors_ms(load),  # of such estimates, and of the last wait
        "staffed": serving + staff["paused"],
        "ready": staff["ready"],
        "ringing": staff["ringing"],
        "talking": staff["talking"],
        "wrap_up": staff["wrap_up"],
        "paused": staff["paused"],
    }


def _activity(state: AgentState) -> str:
    """The column of the queue table an agent counts in. NOT_RESPONDING stands apart from work like a pause does."""
    if state in IN_CALL:
        return "talking"
    return {
        _S.READY: "ready",
        _S.OFFERED: "ringing",
        _S.WRAP_UP: "wrap_up",
        _S.PAUSED: "paused",
        _S.NOT_RESPONDING: "paused",
    }.get(state, "away")


def _wall_agent(state: State, agent: Agent, config: AgentConfig) -> Entity:
    call = state.calls.get(agent.call) if agent.call is not None else None
    bridge = call.bridge if call is not None and call.bridge is not None and call.bridge.agent == agent.id else None
    queues = (state.config.queues.get(queue_id) for queue_id in config.queues)
    return {
        "id": agent.id,
        "name": config.name,
        "state": agent.state.value,
        "reason": agent.reason,
        "since_ms": agent.since_ms,
        "next_state": agent.next_state,
        "next_reason": agent.next_reason,
        "call": call.id if call is not None else None,
        "number": call.caller_number if call is not None else "",
        "direction": call.direction.value if call is not None else "",
        "queue": queue_name(state, call) if call is not None else "",
        "bridged_ms": bridge.bridged_ms if bridge is not None else None,
        "held_ms": bridge.held_ms if bridge is not None else None,
        "device": config.device.kind.value if config.device is not None else "",
        "blocked": why_blocked(state, agent, config) if agent.state is _S.READY else "",
        "pause_over": agent.pause is not None and agent.pause.over,
        "skills": sorted(config.skills),
        "queues": sorted(queue.name for queue in queues if queue is not None),
    }


def _wall_call(state: State, call: Call, only: Scope | None) -> Entity:
    agent_id = _agent_on(call, only)
    if only is not None and agent_id not in only.agents:
        agent_id = None
    agent = state.config.agents.get(agent_id) if agent_id is not None else None
    bridge, recording = call.bridge, call.recording
    return {
        "id": call.id,
        "number": call.caller_number,
        "name": call.caller_name,
        "did": call.did,
        "direction": call.direction.value,
        "trunk": call.trunk,
        "state": call.state.value,
        "since_ms": call.since_ms,
        "started_ms": call.started_ms,
        "queue": queue_name(state, call),
        "queue_id": queue_of(call),
        "priority": call.wait.priority if call.wait is not None else None,
        "agent": agent.name if agent is not None else "",
        "agent_id": agent_id,
        "held_ms": bridge.held_ms if bridge is not None else None,
        "muted": bridge is not None and bridge.muted,
        "recording": recording is not None and recording.started,
        "masked_ms": recording.masked_ms if recording is not None else None,
    }


def callback_entity(state: State, call: Call) -> Entity:
    """A place in line that waits for a call back. ``due_ms``: not before."""
    callback = call.callback
    assert callback is not None
    return {
        "id": call.id,
        "callback": callback.id,
        "number": callback.number,
        "name": call.caller_name,
        "queue": queue_name(state, call),
        "queue_id": queue_of(call),
        "state": callback.state.value,
        "source": callback.source.value,
        "booked_ms": callback.booked_ms,
        "due_ms": callback.due_ms,
        "until_ms": callback.until_ms,
        "tried": callback.tried,
    }


def _agent_on(call: Call, only: Scope | None) -> AgentId | None:
    """Where several telephones ring for it, that of an agent within ``only``."""
    part = call.consult or call.three_way
    if part is not None:
        return part.agent
    if call.offers:
        ringing = [offer.agent for offer in call.offers.values()]
        return next((agent for agent in ringing if only is None or agent in only.agents), ringing[0])
    if call.dial is not None:
        return call.dial.agent
    leg = call.legs.get(call.bridge.leg) if call.bridge is not None else None
    return leg.agent if leg is not None and leg.role is LegRole.AGENT else None


def _wall_switches(state: State, tenant: TenantId) -> dict[str, Entity]:
    """Those that this tenant's trunks, numbers or phones are on: a switch may be another tenant's own."""
    used = {trunk.switch for trunk in state.config.trunks.values() if trunk.tenant == tenant}
    used |= {did.switch for did in state.config.dids.values() if did.tenant == tenant}
    used |= {agent.device.switch for _, agent in _agents_of(state, tenant) if agent.device is not None}
    return {
        switch: {"id": switch, "up": link.up, "since_ms": link.since_ms}
        for switch, link in state.switches.items()
        if switch in used
    }


def _wall_trunks(state: State, tenant: TenantId) -> dict[str, Entity]:
    trunks: dict[str, Entity] = {}
    use = use_of_trunks(state)
    causes = {alarm.subject: alarm for alarm in state.alarms.values() if alarm.kind == "trunk_down"}
    for trunk in state.config.trunks.values():
        link = state.switches.get(trunk.switch)
        if trunk.tenant == tenant:
            up = link.trunks.get(trunk.id) if link is not None else None
            cause = causes.get(trunk.id) if up is False else None
            trunks[trunk.id] = {
                "id": trunk.id,
                "name": trunk.name,
                "switch": trunk.switch,
                "up": up,
                "switch_up": link.up if link is not None else None,
                "detail": cause.detail if cause is not None else "",
                "down_ms": cause.since_ms if cause is not None else None,
                "used": use[trunk.id],
                "max": trunk.max_calls,
                "outbound": trunk.outbound,
            }
    return trunks


def _wall_alarms(state: State, tenant: TenantId) -> dict[str, Entity]:
    """The tenant's own, and the installation's where it serves a single tenant: the words may name another's number."""
    alone = len(state.config.tenants) <= 1
    return {
        key: {"id": key, "kind": alarm.kind, "subject": alarm.subject, "detail": alarm.detail,
              "since_ms": alarm.since_ms}
        for key, alarm in state.alarms.items()
        if alarm.tenant == tenant or (alarm.tenant is None and alone)
    }  # fmt: skip


# --- shared --------------------------------------------------------------------------------------------------------


def _by_name(entity: Entity) -> tuple[str, str]:
    return (str(entity["name"]), str(entity["id"]))


def queue_of(call: Call) -> QueueId | None:
    """The customer's: what an agent asks in a consult is not where they wait."""
    if call.consult is not None:
        return call.consult.queue or call.last_queue
    return call.wait.queue if call.wait is not None else call.last_queue


def queue_name(state: State, call: Call) -> str:
    queue_id = queue_of(call)
    queue = state.config.queues.get(queue_id) if queue_id is not None else None
    return queue.name if queue is not None else ""


def _agents_of(state: State, tenant: TenantId) -> list[tuple[Agent, AgentConfig]]:
    """Agents with a configuration row, of this tenant in both places."""
    found = []
    for agent in state.agents.values():
        config = state.config.agents.get(agent.id)
        if agent.tenant == tenant and config is not None and config.tenant == tenant:
            found.append((agent, config))
    return found


def _queues_with_waiting(state: State, tenant: TenantId) -> list[tuple[QueueConfig, int]]:
    waiting = Counter(
        call.wait.queue
        for call in state.calls.values()
        if call.wait is not None and call.tenant == tenant and not off_line(call)
    )
    return [(queue, waiting[queue.id]) for queue in state.config.queues.values() if queue.tenant == tenant]
