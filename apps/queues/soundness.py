"""What can never work in a tenant's configuration: queues that nobody can serve, and circles of overflow. Pure.

It looks at what the engine would work with, so it knows of everything that takes part: queues, agents, published flows
and the numbers that are our own. ``refusing`` asks it before and after a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

from apps.core.calls.barring import same_number
from apps.core.config import (
    AgentConfig,
    CenterConfig,
    FlowConfig,
    NoAgents,
    Overflow,
    OverflowKind,
    QueueConfig,
)
from apps.core.ids import FlowId, QueueId, SkillId, TenantId
from apps.core.ivr.nodes.enqueue import needs_of
from apps.core.queues.needs import Needs, lacking, relaxed, together
from apps.core.queues.tiers import are_timed as tiers_are_timed

MOST_RINGS = 6


class Flaw(StrEnum):
    UNSERVED = "unserved"  # no enabled agent serves the queue, or none who could ever be offered a call
    UNSKILLED = "unskilled"  # none of those has all that is required, even when all relaxations are over
    FLOW_UNSKILLED = "flow_unskilled"  # with what a flow asks for besides
    ELSEWHERE = "elsewhere"  # a number leads there on a switch on which none of them has a telephone
    CIRCLE = "circle"  # overflow comes back to where it began, and nobody asks the caller
    TOO_MANY_RINGS = "too_many_rings"
    RING_TWICE = "ring_twice"  # two of them at one time, or not in the order of time
    RING_TIGHTENS = "ring_tightens"  # asks for more than the ring before, or than the queue
    NO_TIERS = "no_tiers"  # a rule about tiers, and everybody is in the first


class Station(NamedTuple):
    """Where a caller is: in a queue or at a flow's node. ``back`` is the node that queued; it may say how to go on."""

    queue: QueueId | None = None
    flow: FlowId | None = None
    node: str = ""
    back: tuple[FlowId, str] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """``queues`` are those it is about; ``names`` tell people: the skills, or the way round."""

    flaw: Flaw
    queues: frozenset[QueueId]
    names: tuple[str, ...] = ()


def problems(config: CenterConfig) -> list[Problem]:
    """All of them, in a stable order."""
    serving = _serving(config.agents.values())
    found: list[Problem] = []
    for queue in config.queues.values():
        found += _of_rings(queue)
        found += _of_tiers(queue, serving.get(queue.id, []))
        found += _of_skills(queue, serving.get(queue.id, []), config.flows.values())
    return [*found, *_elsewhere(config, serving), *_circles(config)]


# --- who can serve -------------------------------------------------------------------------------------------------


def _serving(agents: Iterable[AgentConfig]) -> dict[QueueId, list[AgentConfig]]:
    """Whom a queue's callers could ever be offered to: who has a telephone, and takes calls."""
    agents = list(agents)
    some_phone = any(agent.device is not None for agent in agents)  # or all switches are off, and nobody can call
    found: dict[QueueId, list[AgentConfig]] = {}
    for agent in agents:
        able = agent.capacity.get("voice", 0) > 0 and (agent.device is not None or not some_phone)
        for queue in agent.queues if able else ():
            found.setdefault(queue, []).append(agent)
    return found


def _of_skills(queue: QueueConfig, agents: list[AgentConfig], flows: Iterable[FlowConfig]) -> Iterator[Problem]:
    me = frozenset({queue.id})
    if not agents:
        yield Problem(Flaw.UNSERVED, me)
        return
    own = _least(queue)
    if not _anybody(agents, own):
        yield Problem(Flaw.UNSKILLED, me, _named(own))
        return
    for flow in flows:
        for more in sorted(_asked_by(flow, queue.id), key=str):
            asked = _least(queue, more)
            if not _anybody(agents, asked):
                yield Problem(Flaw.FLOW_UNSKILLED, me, (str(flow.document.get("id", "")), *_named(asked)))


def _elsewhere(config: CenterConfig, serving: Mapping[QueueId, list[AgentConfig]]) -> Iterator[Problem]:
    """A call is offered on its own switch alone."""
    far: set[QueueId] = set()
    ways = {(did.switch, did.flow) for did in config.dids.values()}
    reached = {flow: _queues_behind(config, flow) for _switch, flow in ways}
    for switch, flow in ways:
        for queue in reached[flow]:
            devices = [agent.device for agent in serving.get(queue, ()) if agent.device is not None]
            if devices and all(device.switch != switch for device in devices):
                far.add(queue)
    yield from (Problem(Flaw.ELSEWHERE, frozenset({queue})) for queue in sorted(far))


def _queues_behind(config: CenterConfig, flow_id: FlowId) -> set[QueueId]:
    """Every queue that a caller of this flow can get to, by whatever choice."""
    flow = config.flows.get(flow_id)
    pending = [_start(flow)] if flow is not None else []
    seen: set[Station] = set()
    while pending:
        here = pending.pop()
        if here not in seen:
            seen.add(here)
            node = _node(config, here.flow, here.node)
            chosen = node.get("keys", {}).values() if node.get("type") == "menu" else ()
            pending += [Station(flow=here.flow, node=str(target)) for target in (*chosen, *node.get("on", {}).values())]
            pending += _onward(config, here)
    return {station.queue for station in seen if station.queue is not None}


def _least(queue: QueueConfig, more: Needs = ()) -> Needs:
    """What is still asked for when every relaxation is in force."""
    return relaxed(together(queue.needs, more), queue.rings)


def _anybody(agents: Iterable[AgentConfig], asked: Needs) -> bool:
    return any(lacking(asked, agent.skills) is None for agent in agents)


def _named(asked: Needs) -> tuple[str, ...]:
    return tuple(f"{need.skill} {need.level}" for need in asked if need.required)


def _asked_by(flow: FlowConfig, queue: QueueId) -> set[Needs]:
    """What a flow's nodes ask for in this queue, in each of the flow's languages."""
    document = flow.document
    return {
        needs_of(node, str(lang))
        for node in document["nodes"].values()
        if node["type"] in ("enqueue", "callback") and node.get("queue") == queue
        for lang in document.get("langs", ("",))
    }


# --- relaxations and tiers -----------------------------------------------------------------------------------------


def _of_rings(queue: QueueConfig) -> Iterator[Problem]:
    me = frozenset({queue.id})
    if len(queue.rings) > MOST_RINGS:
        yield Problem(Flaw.TOO_MANY_RINGS, me)
    if any(later.after_ms <= ring.after_ms for ring, later in pairwise(queue.rings)):
        yield Problem(Flaw.RING_TWICE, me)
    asked = {need.skill: need.level for need in queue.needs}
    tiers, dropped = 0, set[SkillId]()
    for ring in queue.rings:
        tighter = {skill for skill, level in ring.lower.items() if skill in dropped or level >= asked.get(skill, 6)}
        if tighter or (ring.tiers_up_to is not None and ring.tiers_up_to < tiers):
            yield Problem(Flaw.RING_TIGHTENS, me, (f"{ring.after_ms // 1000} s", *sorted(tighter)))
        asked.update(ring.lower)
        dropped |= ring.drop
        tiers = ring.tiers_up_to or tiers


def _of_tiers(queue: QueueConfig, agents: Iterable[AgentConfig]) -> Iterator[Problem]:
    tiers = {agent.queues[queue.id].tier for agent in agents}
    if tiers_are_timed(queue) and tiers and max(tiers) == 1:
        yield Problem(Flaw.NO_TIERS, frozenset({queue.id}))


# --- circles -------------------------------------------------------------------------------------------------------


def _circles(config: CenterConfig) -> Iterator[Problem]:
    """Ways that lead a caller round without anybody asking: each once, wherever it is entered."""
    starts = [Station(queue=queue) for queue in config.queues]
    starts += [_start(flow) for flow in config.flows.values()]
    seen: set[frozenset[Station]] = set()
    clear: set[Station] = set()  # no circle behind these
    for start in starts:
        way = _round_trip(config, start, clear)
        if way and frozenset(way) not in seen:
            seen.add(frozenset(way))
            first = way.index(min(way, key=str))
            queues = frozenset(station.queue for station in way if station.queue is not None)
            yield Problem(Flaw.CIRCLE, queues, _told(config, way[first:] + way[:first]))


def _round_trip(config: CenterConfig, start: Station, clear: set[Station]) -> list[Station]:
    """The first circle met on the way from here, without what leads into it; depth first, without recursion."""
    path: list[Station] = [start]
    branches = [iter(_onward(config, start))]
    while path:
        following = next(branches[-1], None)
        if following is None:
            branches.pop()
            clear.add(path.pop())
        elif following in path:
            return path[path.index(following) :]
        elif following not in clear:
            path.append(following)
            branches.append(iter(_onward(config, following)))
    return []


def _onward(config: CenterConfig, here: Station) -> list[Station]:
    """Where a caller gets to without being asked. A menu asks: whatever follows it is the caller's own choice."""
    if here.queue is not None:
        queue = config.queues.get(here.queue)
        return _ways_out(config, queue, here.back) if queue is not None else []
    flow = config.flows.get(here.flow) if here.flow is not None else None
    node = _node(config, here.flow, here.node)
    if flow is None or not node or node["type"] == "menu":
        return []
    if node["type"] == "enqueue":
        queue_id = QueueId(str(node.get("queue", "")))
        return [Station(queue=queue_id, back=(flow.id, here.node))] if queue_id in config.queues else []
    if node["type"] == "transfer":
        return _dialed(config, flow.tenant, str(node.get("to", "")))
    return [Station(flow=flow.id, node=str(target)) for target in node.get("on", {}).values()]


def _ways_out(config: CenterConfig, queue: QueueConfig, back: tuple[FlowId, str] | None) -> list[Station]:
    """For each reason: where the flow goes on by it, if it says so, else by the queue's own rule."""
    wired = _node(config, *back).get("on", {}) if back is not None else {}
    found: list[Station] = []
    for reason in _reasons(queue):
        if back is not None and reason in wired:
            found.append(Station(flow=back[0], node=str(wired[reason])))
        elif reason == "closed" and queue.life.closed is not None:
            found += _way_out(config, queue, queue.life.closed, back)
        else:
            found += _way_out(config, queue, queue.overflow, back)
    return found


def _reasons(queue: QueueConfig) -> list[str]:
    """Why a caller may be sent away from here, as flows name it."""
    life = queue.life
    return ["timeout", *(
        reason for reason, may_be in (
            ("closed", life.calendar or life.closed is not None),
            ("full", life.max_callers),
            ("no_agents", life.no_agents is not NoAgents.NEVER),
        ) if may_be
    )]  # fmt: skip


def _way_out(
    config: CenterConfig, queue: QueueConfig, rule: Overflow, back: tuple[FlowId, str] | None
) -> list[Station]:
    if rule.kind is OverflowKind.QUEUE:
        target = QueueId(rule.target)
        return [Station(queue=target, back=back)] if target in config.queues else []
    if rule.kind is OverflowKind.FLOW:
        flow = config.flows.get(FlowId(rule.target))
        return [_start(flow)] if flow is not None else []
    if rule.kind is OverflowKind.NUMBER:
        return _dialed(config, queue.tenant, rule.target)
    tenant = config.tenants.get(queue.tenant)
    if rule.sounds or tenant is None:
        return []
    return _dialed(config, queue.tenant, tenant.fallback_number)


def _dialed(config: CenterConfig, tenant_id: TenantId, number: str) -> list[Station]:
    """A number that is our own comes in again and goes where it leads."""
    tenant = config.tenants.get(tenant_id)
    if tenant is None or not number:
        return []
    dids = (did for did in config.dids.values() if same_number(tenant.dialing, did.number, number))
    flows = {did.flow: config.flows.get(did.flow) for did in dids}
    return [_start(flow) for flow in flows.values() if flow is not None]


def _node(config: CenterConfig, flow_id: FlowId | None, name: str) -> Mapping[str, Any]:
    """Empty where there is none."""
    flow = config.flows.get(flow_id) if flow_id is not None else None
    node: Mapping[str, Any] = flow.document["nodes"].get(name, {}) if flow is not None else {}
    return node


def _start(flow: FlowConfig) -> Station:
    return Station(flow=flow.id, node=str(flow.document["start"]))


def _told(config: CenterConfig, way: list[Station]) -> tuple[str, ...]:
    """The stops that people know: queues by name, flows by code, and the first again at the end."""
    stops: list[str] = []
    for station in way:
        flow = config.flows.get(station.flow) if station.flow is not None else None
        name = config.queues[station.queue].name if station.queue is not None else ""
        name = str(flow.document.get("id", "")) if flow is not None else name
        if name and stops[-1:] != [name]:
            stops.append(name)
    return (*stops, stops[0]) if stops else ()
