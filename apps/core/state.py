"""The state of the centre as a fold of its facts.

Nothing changes the state but ``State.apply``. The engine applies each fact as it decides it, a restarted engine
folds the journal, a standby and the web's live projection fold the stream: all with this one module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.calls.model import (
    ActiveRecording,
    Bridge,
    Call,
    CallState,
    IvrRun,
    Leg,
    LegState,
    Offer,
    Transfer,
    Wait,
)
from apps.core.codec import from_plain, to_plain
from apps.core.config import CenterConfig, FlowConfig
from apps.core.events import LegRole
from apps.core.ids import AgentId, CallId, FlowId, LegId, SwitchId, TenantId, TrunkId

REMEMBERED_REQUESTS = 10_000
"""Outcomes kept so that a repeated ``cmd_id`` is answered with the first one."""


@dataclass(slots=True, kw_only=True)
class SwitchLink:
    up: bool = False
    boot: str = ""
    since_ms: int = 0
    devices: dict[str, bool] = field(default_factory=dict)  # address -> registered
    trunks: dict[TrunkId, bool] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Alarm:
    kind: str
    subject: str
    detail: str
    since_ms: int
    tenant: TenantId | None = None  # None: about the installation


@dataclass(slots=True)
class State:
    """Everything the core knows. Plain data: ``to_data`` and ``from_data`` are exact inverses."""

    run: str = ""
    now_ms: int = 0
    config: CenterConfig = field(default_factory=lambda: CenterConfig(version=0))
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    legs: dict[LegId, CallId] = field(default_factory=dict)
    switches: dict[SwitchId, SwitchLink] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    pinned_flows: dict[str, FlowConfig] = field(default_factory=dict)  # replaced, but callers are in it; see pin_of
    requests: dict[str, str] = field(default_factory=dict)  # cmd_id -> "" when done, else the refusal's code

    def apply(self, fact: f.Fact) -> None:
        """Change the state by one fact. A fact about something no longer here changes nothing."""
        if fact.at_ms > self.now_ms:
            self.now_ms = fact.at_ms
        kind = type(fact)
        call_rule = _CALL_RULES.get(kind)
        if call_rule is not None:
            call = self.calls.get(fact.call)  # type: ignore[attr-defined]
            if call is not None:
                if kind not in _UNSEEN:
                    call.version += 1
                call_rule(self, call, fact)
        elif (rule := _RULES.get(kind)) is not None:
            rule(self, fact)

    def fold(self, facts: Iterable[f.Fact]) -> None:
        for fact in facts:
            self.apply(fact)

    def call_of(self, leg: LegId) -> Call | None:
        call = self.legs.get(leg)
        return self.calls.get(call) if call is not None else None

    def to_data(self) -> dict[str, Any]:
        return {name: to_plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> State:
        """Raises ``CodecError`` when the data is not ours (an older version's checkpoint, say)."""
        state: State = from_plain(cls, data, "State")
        return state


_UNSEEN: frozenset[type] = frozenset({
    f.LegStarted, f.LegRang, f.LegConnected, f.LegIdled, f.LegEnded, f.CallAwaited, f.IvrStepped,
    f.RecordingAsked, f.RecordingBegan, f.RecordingEnded, f.RecordingBroken, f.CallDisposed,
})  # fmt: skip
"""Facts that do not make what somebody saw of a call outdated: its version stays."""

CallRule = Callable[[State, Call, Any], None]
Rule = Callable[[State, Any], None]
_CALL_RULES: dict[type, CallRule] = {}
_RULES: dict[type, Rule] = {}


def pin_of(flow: FlowId, version: str) -> str:
    """The key of ``pinned_flows``: two companies may have flows of the same text, thus the same version."""
    return f"{flow}/{version}"


def _on_call(kind: type) -> Callable[[CallRule], CallRule]:
    def register(rule: CallRule) -> CallRule:
        _CALL_RULES[kind] = rule
        return rule

    return register


def _on(kind: type) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        _RULES[kind] = rule
        return rule

    return register


def _move(call: Call, state: CallState, at_ms: int, deadline_ms: int | None = None) -> None:
    if call.state is not state:
        call.state = state
        call.since_ms = at_ms
    call.deadline_ms = deadline_ms


# --- calls ---------------------------------------------------------------------------------------------------------


@_on(f.CallStarted)
def _call_started(state: State, fact: f.CallStarted) -> None:
    call = Call(
        id=fact.call, tenant=fact.tenant, switch=fact.switch, leg=fact.leg, direction=fact.direction,
        did=fact.did, caller_number=fact.caller_number, caller_name=fact.caller_name, trunk=fact.trunk,
        state=CallState.ARRIVED, since_ms=fact.at_ms, started_ms=fact.at_ms, answered=fact.answered,
    )  # fmt: skip
    call.legs[fact.leg] = Leg(
        id=fact.leg, switch=fact.switch, role=LegRole.CUSTOMER, address=fact.caller_number,
        state=LegState.IDLE, started_ms=fact.at_ms, answered_ms=fact.at_ms if fact.answered else None,
    )  # fmt: skip
    state.calls[fact.call] = call
    state.legs[fact.leg] = fact.call


@_on_call(f.CallAnswered)
def _call_answered(state: State, call: Call, fact: f.CallAnswered) -> None:
    call.answered = True
    leg = call.legs.get(call.leg)
    if leg is not None and leg.answered_ms is None:
        leg.answered_ms = fact.at_ms


@_on_call(f.CallReattached)
def _call_reattached(state: State, call: Call, fact: f.CallReattached) -> None:
    if call.state is CallState.RETURNING:
        call.deadline_ms = None
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state, leg.other = LegState.IDLE, None


@_on_call(f.CallAwaited)
def _call_awaited(state: State, call: Call, fact: f.CallAwaited) -> None:
    call.deadline_ms = fact.deadline_ms


@_on_call(f.CallClosing)
def _call_closing(state: State, call: Call, fact: f.CallClosing) -> None:
    call.outcome, call.cause, call.last_words = fact.outcome, fact.cause, fact.play
    call.bridge = None
    _move(call, CallState.CLOSING, fact.at_ms, fact.deadline_ms)


@_on_call(f.CallEnded)
def _call_ended(state: State, call: Call, fact: f.CallEnded) -> None:
    del state.calls[call.id]
    for leg in call.legs:
        state.legs.pop(leg, None)


# --- legs ----------------------------------------------------------------------------------------------------------


@_on_call(f.LegStarted)
def _leg_started(state: State, call: Call, fact: f.LegStarted) -> None:
    call.legs[fact.leg] = Leg(
        id=fact.leg, switch=fact.switch, role=fact.role, address=fact.address, state=LegState.DIALED,
        started_ms=fact.at_ms, agent=fact.agent, queue=fact.queue,
    )  # fmt: skip
    state.legs[fact.leg] = call.id
    if fact.role is LegRole.EXTERNAL:
        call.dialed = fact.leg
        _move(call, CallState.DIALING, fact.at_ms, fact.deadline_ms)


@_on_call(f.LegRang)
def _leg_rang(state: State, call: Call, fact: f.LegRang) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state = LegState.RINGING


@_on_call(f.LegConnected)
def _leg_connected(state: State, call: Call, fact: f.LegConnected) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state = LegState.ANSWERED
        leg.answered_ms = fact.at_ms


@_on_call(f.LegIdled)
def _leg_idled(state: State, call: Call, fact: f.LegIdled) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state = LegState.IDLE
        if leg.answered_ms is None:
            leg.answered_ms = fact.at_ms


@_on_call(f.LegEnded)
def _leg_ended(state: State, call: Call, fact: f.LegEnded) -> None:
    call.legs.pop(fact.leg, None)
    state.legs.pop(fact.leg, None)


# --- IVR -----------------------------------------------------------------------------------------------------------


@_on_call(f.IvrEntered)
def _ivr_entered(state: State, call: Call, fact: f.IvrEntered) -> None:
    call.ivr = IvrRun(flow=fact.flow, version=fact.version, position=None)
    call.lang = fact.lang
    _move(call, CallState.IVR, fact.at_ms)


@_on_call(f.IvrStepped)
def _ivr_stepped(state: State, call: Call, fact: f.IvrStepped) -> None:
    if call.ivr is not None:
        call.ivr.position = fact.position
        call.lang = fact.position.lang


@_on_call(f.IvrLeft)
def _ivr_left(state: State, call: Call, fact: f.IvrLeft) -> None:
    if call.ivr is not None:
        call.ivr.position = None


# --- queue ---------------------------------------------------------------------------------------------------------


@_on_call(f.CallQueued)
def _call_queued(state: State, call: Call, fact: f.CallQueued) -> None:
    before = call.wait
    call.wait = Wait(
        queue=fact.queue, skills=fact.skills, priority=fact.priority, queued_ms=fact.queued_ms,
        deadline_ms=fact.deadline_ms, wanted_agent=fact.wanted_agent,
        entered_ms=before.entered_ms if before is not None else fact.at_ms,
    )  # fmt: skip
    call.last_queue = fact.queue
    if fact.wanted_agent is None:
        call.transfer = None
    _move(call, CallState.WAITING, fact.at_ms)


@_on_call(f.CallDequeued)
def _call_dequeued(state: State, call: Call, fact: f.CallDequeued) -> None:
    call.wait = None


@_on_call(f.AgentOffered)
def _agent_offered(state: State, call: Call, fact: f.AgentOffered) -> None:
    call.offer = Offer(
        agent=fact.agent, leg=fact.leg, queue=fact.queue, deadline_ms=fact.deadline_ms,
        idle_since_ms=fact.idle_since_ms,
    )  # fmt: skip


@_on_call(f.OfferEnded)
def _offer_ended(state: State, call: Call, fact: f.OfferEnded) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer = None


# --- talk ----------------------------------------------------------------------------------------------------------


@_on_call(f.BridgeRequested)
def _bridge_requested(state: State, call: Call, fact: f.BridgeRequested) -> None:
    far = call.legs.get(fact.leg)
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms,
        agent=far.agent if far else None, queue=far.queue if far else None,
    )  # fmt: skip
    _move(call, CallState.CONNECTING, fact.at_ms, fact.deadline_ms)


@_on_call(f.CallBridged)
def _call_bridged(state: State, call: Call, fact: f.CallBridged) -> None:
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms, agent=fact.agent, queue=fact.queue, bridged_ms=fact.at_ms
    )
    call.served = True
    call.bridge_lost = False
    call.transfer = None
    if fact.agent is not None:
        call.last_agent = fact.agent
    for mine, peer in ((fact.leg, fact.other), (fact.other, fact.leg)):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.BRIDGED, peer
    _move(call, CallState.TALKING, fact.at_ms)


@_on_call(f.BridgeLost)
def _bridge_lost(state: State, call: Call, fact: f.BridgeLost) -> None:
    call.bridge = None
    call.bridge_lost = True
    _move(call, CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@_on_call(f.CallUnbridged)
def _call_unbridged(state: State, call: Call, fact: f.CallUnbridged) -> None:
    call.bridge = None
    for mine in (fact.leg, fact.other):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.IDLE, None
    _move(call, CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@_on_call(f.CallHeld)
def _call_held(state: State, call: Call, fact: f.CallHeld) -> None:
    if call.bridge is not None:
        call.bridge.held_ms = fact.at_ms


@_on_call(f.CallResumed)
def _call_resumed(state: State, call: Call, fact: f.CallResumed) -> None:
    if call.bridge is not None:
        call.bridge.held_ms = None


@_on_call(f.TransferStarted)
def _transfer_started(state: State, call: Call, fact: f.TransferStarted) -> None:
    call.transfer = Transfer(agent=fact.agent, kind=fact.kind, target=fact.target)


@_on_call(f.TransferFailed)
def _transfer_failed(state: State, call: Call, fact: f.TransferFailed) -> None:
    call.transfer = None


# --- recording -----------------------------------------------------------------------------------------------------


@_on_call(f.RecordingAsked)
def _recording_asked(state: State, call: Call, fact: f.RecordingAsked) -> None:
    call.recording = ActiveRecording(id=fact.recording, path=fact.path)


@_on_call(f.RecordingBegan)
def _recording_began(state: State, call: Call, fact: f.RecordingBegan) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.started = True


@_on_call(f.RecordingEnded)
@_on_call(f.RecordingBroken)
def _recording_over(state: State, call: Call, fact: f.RecordingEnded | f.RecordingBroken) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording = None


# --- agents --------------------------------------------------------------------------------------------------------


@_on(f.AgentStateChanged)
def _agent_state_changed(state: State, fact: f.AgentStateChanged) -> None:
    agent = state.agents.get(fact.agent)
    if agent is None:
        if fact.tenant is None:
            return
        agent = state.agents[fact.agent] = Agent(id=fact.agent, tenant=fact.tenant)
    following = AgentState(fact.state)
    stays_in_wrap_up = following is agent.state is AgentState.WRAP_UP
    agent.extended = agent.extended + 1 if stays_in_wrap_up else 0
    behind = AgentState.WRAP_UP in (agent.state, agent.back_state)
    agent.back_state = fact.prior if following is AgentState.DISCONNECTED else ""
    if AgentState.WRAP_UP in (following, agent.back_state) and not behind:
        agent.wrap_up_since_ms = fact.at_ms
    if agent.state is not following:
        agent.since_ms = fact.at_ms
    agent.state, agent.reason, agent.call = following, fact.reason, fact.call
    agent.next_state, agent.next_reason = fact.next_state, fact.next_reason
    agent.deadline_ms = fact.deadline_ms
    if fact.idle_since_ms is not None:
        agent.idle_since_ms = fact.idle_since_ms


@_on(f.AgentNextStateSet)
def _agent_next_state_set(state: State, fact: f.AgentNextStateSet) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.next_state, agent.next_reason = fact.next_state, fact.next_reason


# --- requests, switches, configuration -----------------------------------------------------------------------------


def _remember(state: State, cmd_id: str, code: str) -> None:
    state.requests.setdefault(cmd_id, code)
    if len(state.requests) > REMEMBERED_REQUESTS:
        del state.requests[next(iter(state.requests))]


@_on(f.RequestDone)
def _request_done(state: State, fact: f.RequestDone) -> None:
    _remember(state, fact.cmd_id, "")


@_on(f.RequestRefused)
def _request_refused(state: State, fact: f.RequestRefused) -> None:
    _remember(state, fact.cmd_id, fact.code)


def _link(state: State, switch: SwitchId) -> SwitchLink:
    return state.switches.setdefault(switch, SwitchLink())


@_on(f.SwitchConnected)
def _switch_connected(state: State, fact: f.SwitchConnected) -> None:
    link = _link(state, fact.switch)
    link.up, link.boot, link.since_ms = True, fact.boot, fact.at_ms


@_on(f.SwitchDisconnected)
def _switch_disconnected(state: State, fact: f.SwitchDisconnected) -> None:
    link = _link(state, fact.switch)
    link.up, link.since_ms = False, fact.at_ms


@_on(f.DeviceStateChanged)
def _device_state_changed(state: State, fact: f.DeviceStateChanged) -> None:
    _link(state, fact.switch).devices[fact.address] = fact.registered


@_on(f.TrunkStateChanged)
def _trunk_state_changed(state: State, fact: f.TrunkStateChanged) -> None:
    _link(state, fact.switch).trunks[fact.trunk] = fact.up


@_on(f.ConfigApplied)
def _config_applied(state: State, fact: f.ConfigApplied) -> None:
    """New agents begin signed out, deleted ones leave when signed out; callers stay in their flow's version."""
    known = {**state.pinned_flows, **{pin_of(flow.id, flow.version): flow for flow in state.config.flows.values()}}
    in_use = {pin_of(call.ivr.flow, call.ivr.version) for call in state.calls.values() if call.ivr is not None}
    state.pinned_flows = {pin: known[pin] for pin in sorted(in_use & known.keys())}
    state.config = fact.config
    for agent_id, agent in fact.config.agents.items():
        if agent_id not in state.agents:
            state.agents[agent_id] = Agent(id=agent_id, tenant=agent.tenant, since_ms=fact.at_ms)
    for agent_id in [key for key in state.agents if key not in fact.config.agents]:
        if state.agents[agent_id].state is AgentState.LOGGED_OUT:
            del state.agents[agent_id]


@_on(f.RunStarted)
def _run_started(state: State, fact: f.RunStarted) -> None:
    state.run = fact.run


@_on(f.AlarmRaised)
def _alarm_raised(state: State, fact: f.AlarmRaised) -> None:
    key = f"{fact.kind}/{fact.subject}"
    if key not in state.alarms:
        state.alarms[key] = Alarm(
            kind=fact.kind, subject=fact.subject, detail=fact.detail, since_ms=fact.at_ms, tenant=fact.tenant
        )


@_on(f.AlarmCleared)
def _alarm_cleared(state: State, fact: f.AlarmCleared) -> None:
    state.alarms.pop(f"{fact.kind}/{fact.subject}", None)
