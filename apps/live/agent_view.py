"""What an agent's own page shows: the agent, and the call they have (docs/live-protocol.md section 5). Pure."""

from __future__ import annotations

from apps.core.agents import pauses, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.agents.reach import lacks_media, why_blocked
from apps.core.calls import lines
from apps.core.calls.model import Bridge, Call, CallState, Consult, LegState, ThreeWay
from apps.core.config import AgentConfig, DeviceConfig, DeviceKind, PauseLimit, QueueConfig
from apps.core.events import TransferKind
from apps.core.facts import Aim, Direction
from apps.core.ids import AgentId, QueueId, TenantId
from apps.core.ivr.flow import node_title
from apps.core.state import State
from apps.live.views_of_state import Entity, View, queue_name, queue_of

_S = AgentState
_REST = ("ready", "pause", "sign_out")
_MUTE = ("mute", "unmute")
_CONNECTED = ("hang_up", *_MUTE, "mask", "unmask", "draft", "help", "mark")
_TALK = ("transfer", "consult", *_CONNECTED)
CONTROLS: dict[AgentState, tuple[str, ...]] = {
    _S.LOGGED_OUT: ("sign_in",),
    _S.PAUSED: ("dial", *_REST),
    _S.READY: ("dial", "pause", "sign_out"),
    _S.OFFERED: ("answer", "decline", *_REST),
    _S.DIALING: ("hang_up", "help", *_REST),
    _S.TALKING: ("hold", "dtmf", *_TALK, *_REST),
    _S.HOLDING: ("resume", *_TALK, *_REST),
    _S.CONSULTING: ("consult_swap", "consult_complete", "consult_cancel", "three_way", "dtmf", *_CONNECTED, *_REST),
    _S.CONFERENCING: ("consult_cancel", *_CONNECTED, *_REST),
    _S.WRAP_UP: ("finish", "extend", "draft", "help", "mark", *_REST),
    _S.NOT_RESPONDING: _REST,
    _S.DISCONNECTED: ("sign_in", "sign_out"),
}
"""What an agent may ask for in each state, before what the call at hand makes of it."""


def agent_view(state: State, tenant: TenantId, agent_id: AgentId) -> View:
    """One agent's own page: ``me`` and, when there is one, ``call``. Empty for an agent of another tenant."""
    agent = state.agents.get(agent_id)
    config = state.config.agents.get(agent_id)
    if agent is None or agent.tenant != tenant:
        return {"me": {}, "call": {}}
    call = state.calls.get(agent.call) if agent.call is not None else None
    if call is not None and call.tenant != tenant:
        call = None
    calls: dict[str, Entity] = {call.id: _agent_call(state, agent, call)} if call is not None else {}
    return {"me": {agent_id: _me(state, agent, config, call)}, "call": calls}


def _me(state: State, agent: Agent, config: AgentConfig | None, call: Call | None) -> Entity:
    device = config.device if config is not None else None
    link = state.switches.get(device.switch) if device is not None else None
    tenant = state.config.tenants.get(agent.tenant)
    last = agent.last_dial
    return {
        "id": agent.id,
        "name": config.name if config is not None else agent.id,
        "tenant": agent.tenant,
        "state": agent.state.value,
        "reason": agent.reason,
        "since_ms": agent.since_ms,
        "next_state": agent.next_state,
        "next_reason": agent.next_reason,
        "deadline_ms": agent.deadline_ms,
        "extensions_left": states.MAX_EXTENSIONS - agent.extended if agent.state is _S.WRAP_UP else 0,
        "call": agent.call,
        "disposition_required": states.owes_result(state, agent),
        "pause": _pause(state, agent),
        "missed": agent.missed,
        "offer_end": agent.offer_end.value if agent.offer_end is not None else "",
        "missed_limit": tenant.missed_limit if tenant is not None else 1,
        "line": _line(agent, device),
        "help": f"{states.HELP}/{agent.id}" in state.alarms,  # asked for, and nobody has come yet
        "controls": _controls(state, agent, config, call),
        "device": device.kind.value if device is not None else "",
        "address": device.address if device is not None else "",
        # None: the switch has not said; a PSTN seat never registers.
        "registered": link.devices.get(device.address) if link is not None and device is not None else None,
        "switch_up": link.up if link is not None else None,
        "media_ready": agent.media_ready,
        "media_epoch": agent.media_epoch,
        "media_page": agent.media_page,
        "blocked": why_blocked(state, agent, config),
        "caller_ids": _caller_ids(state, agent, config),
        "last_dial": {
            "call": last.call,
            "number": last.number,
            "outcome": last.outcome.value,
            "cause": last.cause.value,
            "at_ms": last.at_ms,
        }
        if last is not None
        else None,
        # Kept with the agent: it outlives the call.
        "draft": agent.draft,
        "draft_disposition": agent.draft_disposition,
    }


def _pause(state: State, agent: Agent) -> Entity | None:
    """The one that goes on, with its limits; ``used_ms`` is of the same day and reason before it."""
    pause = agent.pause
    if pause is None:
        return None
    limit = pauses.limit_of(state, agent, pause.reason) or PauseLimit()
    return {
        "since_ms": pause.since_ms,
        "used_ms": pauses.used_ms(state, agent, pause.reason, pause.since_ms),
        "each_ms": limit.each_ms or None,
        "day_ms": limit.day_ms or None,
        "over": pause.over,
    }


def _line(agent: Agent, device: DeviceConfig | None) -> str:
    """Of who has it kept open: ``open``, ``dialing``, ``closed``; "" for everybody else."""
    if device is None or not device.kept_open:
        return ""
    if agent.kept is None:
        return "closed"
    return "open" if agent.kept.deadline_ms is None else "dialing"


def _caller_ids(state: State, agent: Agent, config: AgentConfig | None) -> list[str]:
    """Of the first outbound trunk that the agent's calls may take, its default number first."""
    if config is None or config.device is None:
        return []
    switch = config.device.switch
    trunks = (one for one in state.config.trunks.values() if one.tenant == agent.tenant and one.switch == switch)
    trunk = next((one for one in trunks if one.outbound), None)
    return list(lines.caller_numbers(state.config, trunk)) if trunk is not None else []


def _controls(state: State, agent: Agent, config: AgentConfig | None, call: Call | None) -> list[str]:
    """The state's, without what the device, the queue or the recording rule out just now."""
    device = config.device if config is not None else None
    out: set[str] = set()
    if device is None or lacks_media(agent, device):
        out |= {"ready", "dial"}
    if device is not None and device.kind is DeviceKind.PSTN:
        out.add("answer")
    if not _may_decline(state, config, call):
        out.add("decline")
    if call is not None:
        out |= _not_now(agent, call) | _not_in_company(agent, call)
        if any(leg.lent is not None for leg in call.legs.values() if leg.agent == agent.id):
            out.add("answer")  # who comes on an open line is connected after the beep
    return [name for name in CONTROLS[agent.state] if name not in out]


def _may_decline(state: State, config: AgentConfig | None, call: Call | None) -> bool:
    offer = call.offer if call is not None else None
    queue = state.config.queues.get(offer.queue) if offer is not None else None
    return config is not None and config.may_decline and queue is not None and queue.may_decline


def _not_now(agent: Agent, call: Call) -> set[str]:
    if call.rejoin is not None:  # nobody is there to hold or to transfer
        return {"hold", "resume", "dtmf", "transfer", "consult", "mute", "unmute", "mask", "unmask"}
    part, recording = _part(agent, call), call.recording
    muted = part is not None and part.muted
    running = recording is not None and recording.started
    masked = recording is not None and recording.mask_until_ms is not None
    return {
        "mute" if muted else "unmute",
        *(() if running and not masked else ("mask",)),
        *(() if running and masked else ("unmask",)),
        *(("transfer", "consult") if call.transfer is not None else ()),
    }


def _not_in_company(agent: Agent, call: Call) -> set[str]:
    """What a consult or a three-way rules out for this one of the agents in it.

    The switch's mute is known of the one who asked alone; a browser phone mutes itself without asking.
    """
    consult, room = call.consult, call.three_way
    if consult is not None and consult.agent != agent.id:  # was asked: the talk is another's
        return {"hold", "resume", "dtmf", "transfer", "consult", "mask", "unmask", *_MUTE}
    if room is not None:
        mine = room.agent == agent.id
        return (set() if mine else set(_MUTE)) | (set() if mine and room.other in call.legs else {"consult_cancel"})
    if consult is None:
        return set()
    together = consult.asked is not None or consult.joined is not None
    both = consult.other is not None and together and consult.aim in (Aim.CONSULT, Aim.CUSTOMER)
    out = set() if both and not call.customer_gone else {"consult_swap", "consult_complete", "three_way"}
    out |= set() if both and consult.asked is None else {"dtmf"}  # there must be one who hears them
    out |= set() if consult.aim is Aim.CUSTOMER else {"mask", "unmask"}
    return out if consult.aim in (Aim.SEEK, Aim.CONSULT, Aim.CUSTOMER) else out | {"consult_cancel"}


# --- the call ------------------------------------------------------------------------------------------------------


def _agent_call(state: State, agent: Agent, call: Call) -> Entity:
    queue_id = queue_of(call)
    queue = state.config.queues.get(queue_id) if queue_id is not None else None
    return {
        "id": call.id,
        "version": call.version,
        "state": call.state.value,
        "since_ms": call.since_ms,
        "direction": call.direction.value,
        "number": call.caller_number,
        "name": call.caller_name,
        "did": call.did,
        "trunk": call.trunk,
        "lang": call.lang,
        "queue": queue_name(state, call),
        "queue_id": queue_id,
        "started_ms": call.started_ms,
        # While it rings here: later on somebody else may be waited for.
        "queued_ms": call.wait.queued_ms if call.wait is not None and agent.state is _S.OFFERED else None,
        "dial": _dial(call),
        "callback": _callback(call),
        "attached": dict(call.attached),
        "customer": call.customer,
        "path": [_step(state, call, index) for index in range(len(call.path))],
        **_handover(state, agent, call),
        **_offer(agent, call, queue),
        **_talk(agent, call),
        "company": company(state, agent.id, call) if agent.state is not _S.WRAP_UP else None,
        "draft": agent.draft,
        "draft_disposition": agent.draft_disposition,
        "digits_sent": call.digits_sent,
    }


def _dial(call: Call) -> Entity | None:
    dialled = call.direction is Direction.OUTBOUND or call.dial is not None
    if not dialled or call.state is not CallState.DIALING:
        return None
    leg = call.legs.get(call.leg)
    return {"phase": "device" if leg is None else "number", "ringing": leg is not None and _rings(leg.state)}


def _callback(call: Call) -> Entity | None:
    """Somebody who did not stay on the line: to be called, or just called, in their turn."""
    back = call.callback
    return {"number": back.number, "tried": back.tried, "booked_ms": back.booked_ms} if back is not None else None


def _rings(state: LegState) -> bool:
    return state is LegState.RINGING


def _step(state: State, call: Call, index: int) -> Entity:
    step = call.path[index]
    flow = state.config.flows.get(call.ivr.flow) if call.ivr is not None else None
    node = flow.document["nodes"].get(step.node, {}) if flow is not None else {}
    return {"node": step.node, "title": node_title(node), "digits": step.digits, "at_ms": step.at_ms}


def _handover(state: State, agent: Agent, call: Call) -> Entity:
    """Not to whom it is their own: who asks still has the call."""
    handover = call.handover if call.handover is not None and call.handover.agent != agent.id else None
    config = state.config.agents.get(handover.agent) if handover is not None else None
    return {
        "transferred_by": config.name if config is not None else "",
        "transfer_note": handover.note if handover is not None else "",
    }


def company(state: State, agent: AgentId, call: Call) -> Entity | None:
    """A consult or a three-way as one of its agents sees it: whom they ask, or who asks them, and who hears whom."""
    part = call.consult or call.three_way
    if part is None:
        return None
    consult = call.consult
    mine = part.agent == agent
    asked, asker = part.other_agent, state.config.agents.get(part.agent)
    other = state.config.agents.get(asked) if asked is not None else None
    return {
        "mine": mine,
        "kind": part.kind.value,
        "name": (other.name if other is not None else _target_name(state, part.kind, part.target)) if mine
        else asker.name if asker is not None else "",
        "aim": consult.aim.value if consult is not None else "three_way",
        "ended": consult.end.value if consult is not None and consult.end is not None else "",
        "detail": consult.detail if consult is not None else "",
        "customer_gone": call.customer_gone,
    }  # fmt: skip


def _target_name(state: State, kind: TransferKind, target: str) -> str:
    queue = state.config.queues.get(QueueId(target)) if kind is TransferKind.QUEUE else None
    agent = state.config.agents.get(AgentId(target)) if kind is TransferKind.AGENT else None
    found = queue or agent
    return found.name if found is not None else target


def _offer(agent: Agent, call: Call, queue: QueueConfig | None) -> Entity:
    offer = call.offer_to(agent.id)
    return {
        "offered_ms": offer.offered_ms if offer is not None else None,
        "ack_deadline_ms": offer.ack_deadline_ms if offer is not None else None,
        "acknowledged": offer is not None and offer.ack_deadline_ms is None,
        "offer_deadline_ms": offer.deadline_ms if offer is not None else None,
        "ring_timeout_ms": queue.ring_timeout_ms if queue is not None else None,
        "auto_answer": queue is not None and queue.auto_answer,
    }


def _talk(agent: Agent, call: Call) -> Entity:
    """This agent's own part: others may go on talking when it is over."""
    part, recording = _part(agent, call), call.recording if agent.state is not _S.WRAP_UP else None
    bridge = part if isinstance(part, Bridge) else None
    return {
        "talking_ms": _talking_ms(agent, call),
        "bridged_ms": bridge.bridged_ms if bridge is not None else None,
        "held_ms": bridge.held_ms if bridge is not None else None,
        "hold_total_ms": bridge.hold_total_ms if bridge is not None else 0,
        "muted": part is not None and part.muted,
        # Music until the agent's own telephone is called back, at the latest now.
        "rejoin_until_ms": call.rejoin.until_ms if call.rejoin is not None else None,
        "recording": recording is not None and recording.started,
        "recording_failed": bridge is not None and call.recording_broken,
        "masked_ms": recording.masked_ms if recording is not None else None,
        "mask_until_ms": recording.mask_until_ms if recording is not None else None,
    }


def _part(agent: Agent, call: Call) -> Bridge | Consult | ThreeWay | None:
    """What this agent holds of the call; who was asked holds none of it yet."""
    part = call.bridge or call.consult or call.three_way
    return part if part is not None and part.agent == agent.id else None


def _talking_ms(agent: Agent, call: Call) -> int | None:
    """Since when somebody is on the line with this agent, whoever it was in between."""
    if call.state in (CallState.DIALING, CallState.CONNECTING) or agent.state in (_S.OFFERED, _S.WRAP_UP):
        return None
    answered = [leg.answered_ms for leg in call.legs.values() if leg.agent == agent.id and leg.answered_ms is not None]
    customer = call.legs.get(call.leg)
    return max([*answered, (customer.answered_ms or 0) if customer is not None else 0]) if answered else None
