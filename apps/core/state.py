"""The state of the centre as a fold of its facts.

Nothing changes the state but ``State.apply``. The engine applies each fact as it decides it, a restarted engine
folds the journal, a standby and the web's live projection fold the stream: all with this one module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from apps.core import facts as f
from apps.core.agents import fold as _agents_fold  # noqa: F401  # its rules register themselves
from apps.core.agents import kept_fold as _kept_fold  # noqa: F401
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent, KeptLeg
from apps.core.callbacks import fold as _callbacks_fold  # noqa: F401
from apps.core.calls import consult_fold as _consult_fold  # noqa: F401
from apps.core.calls import fold as _calls_fold  # noqa: F401
from apps.core.calls import talk_fold as _talk_fold  # noqa: F401
from apps.core.calls.model import Call
from apps.core.codec import from_plain, to_plain
from apps.core.config import CenterConfig, FlowConfig
from apps.core.fold_rules import CALL_RULES, RULES, on
from apps.core.ids import AgentId, CallId, FlowId, LegId, QueueId, SwitchId, TenantId, TrunkId
from apps.core.queues import fold as _queues_fold  # noqa: F401
from apps.core.queues.load import QueueLoad
from apps.core.queues.remembered import LastTalk, LeftPlace

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
    queues: dict[QueueId, QueueLoad] = field(default_factory=dict)
    kept_legs: dict[LegId, AgentId] = field(default_factory=dict)  # of agents, up between calls
    lent_legs: dict[LegId, LegId] = field(default_factory=dict)  # a kept leg's name in the call that has it -> its own
    switches: dict[SwitchId, SwitchLink] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    pinned_flows: dict[str, FlowConfig] = field(default_factory=dict)  # replaced, but callers are in it; see pin_of
    last_talks: dict[str, LastTalk] = field(default_factory=dict)  # of callers of sticky queues; see remembered.py
    left_places: dict[str, LeftPlace] = field(default_factory=dict)  # in line, of those who hung up
    requests: dict[str, str] = field(default_factory=dict)  # cmd_id -> "" when done, else the refusal's code

    def apply(self, fact: f.Fact) -> None:
        """Change the state by one fact. A fact about something no longer here changes nothing."""
        if fact.at_ms > self.now_ms:
            self.now_ms = fact.at_ms
        kind = type(fact)
        call_rule = CALL_RULES.get(kind)
        if call_rule is not None:
            call = self.calls.get(fact.call)  # type: ignore[attr-defined]
            if call is not None:
                if kind not in _UNSEEN:
                    call.version += 1
                call_rule(self, call, fact)
        elif (rule := RULES.get(kind)) is not None:
            rule(self, fact)

    def fold(self, facts: Iterable[f.Fact]) -> None:
        for fact in facts:
            self.apply(fact)

    def call_of(self, leg: LegId) -> Call | None:
        call = self.legs.get(leg)
        return self.calls.get(call) if call is not None else None

    def kept_lines(self) -> Iterator[KeptLeg]:
        """Agents' lines that are kept open, lent to a call or not."""
        agents = (self.agents.get(agent) for agent in self.kept_legs.values())
        return (agent.kept for agent in agents if agent is not None and agent.kept is not None)

    def to_data(self) -> dict[str, Any]:
        return {name: to_plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> State:
        """Raises ``CodecError`` when the data is not ours (an older version's checkpoint, say)."""
        state: State = from_plain(cls, data, "State")
        return state


_UNSEEN: frozenset[type] = frozenset({
    f.LegStarted, f.LegRang, f.LegConnected, f.LegIdled, f.LegEnded, f.CallAwaited, f.IvrStepped,
    f.RecordingAsked, f.RecordingBegan, f.RecordingEnded, f.RecordingBroken, f.CallDisposed, f.CallAnswered,
    f.OfferAcked, f.AnswerAsked, f.CallMuted, f.CallUnmuted, f.DigitsSent, f.RecordingPauseAsked, f.RecordingPaused,
    f.RecordingResuming, f.RecordingResumed, f.CallMarked,
    f.CallReattached, f.PairAsked, f.PairBridged, f.PairFailed, f.RoomAsked, f.RoomJoined,
    f.AnnouncementStarted, f.AnnouncementEnded, f.CallbackDialogStepped,
})  # fmt: skip
"""Facts that do not make what somebody saw of a call outdated: its version stays."""


def pin_of(flow: FlowId, version: str) -> str:
    """The key of ``pinned_flows``: two companies may have flows of the same text, thus the same version."""
    return f"{flow}/{version}"


# --- requests, switches, configuration -----------------------------------------------------------------------------


def _remember(state: State, cmd_id: str, code: str) -> None:
    state.requests.setdefault(cmd_id, code)
    if len(state.requests) > REMEMBERED_REQUESTS:
        del state.requests[next(iter(state.requests))]


@on(f.RequestDone)
def _request_done(state: State, fact: f.RequestDone) -> None:
    _remember(state, fact.cmd_id, "")


@on(f.RequestRefused)
def _request_refused(state: State, fact: f.RequestRefused) -> None:
    _remember(state, fact.cmd_id, fact.code)


def _link(state: State, switch: SwitchId) -> SwitchLink:
    return state.switches.setdefault(switch, SwitchLink())


@on(f.SwitchConnected)
def _switch_connected(state: State, fact: f.SwitchConnected) -> None:
    link = _link(state, fact.switch)
    link.up, link.boot, link.since_ms = True, fact.boot, fact.at_ms


@on(f.SwitchDisconnected)
def _switch_disconnected(state: State, fact: f.SwitchDisconnected) -> None:
    link = _link(state, fact.switch)
    link.up, link.since_ms = False, fact.at_ms


@on(f.DeviceStateChanged)
def _device_state_changed(state: State, fact: f.DeviceStateChanged) -> None:
    _link(state, fact.switch).devices[fact.address] = fact.registered


@on(f.TrunkStateChanged)
def _trunk_state_changed(state: State, fact: f.TrunkStateChanged) -> None:
    _link(state, fact.switch).trunks[fact.trunk] = fact.up


@on(f.ConfigApplied)
def _config_applied(state: State, fact: f.ConfigApplied) -> None:
    """New agents begin signed out, deleted ones leave when signed out; callers stay in their flow's version."""
    known = {**state.pinned_flows, **{pin_of(flow.id, flow.version): flow for flow in state.config.flows.values()}}
    in_use = {pin_of(call.ivr.flow, call.ivr.version) for call in state.calls.values() if call.ivr is not None}
    state.pinned_flows = {pin: known[pin] for pin in sorted(in_use & known.keys())}
    state.config = fact.config
    state.queues = {queue: load for queue, load in state.queues.items() if queue in fact.config.queues}
    for agent_id, agent in fact.config.agents.items():
        if agent_id not in state.agents:
            state.agents[agent_id] = Agent(id=agent_id, tenant=agent.tenant, since_ms=fact.at_ms)
    for agent_id in [key for key in state.agents if key not in fact.config.agents]:
        if state.agents[agent_id].state is AgentState.LOGGED_OUT:
            del state.agents[agent_id]


@on(f.RunStarted)
def _run_started(state: State, fact: f.RunStarted) -> None:
    state.run = fact.run


@on(f.AlarmRaised)
def _alarm_raised(state: State, fact: f.AlarmRaised) -> None:
    key = f"{fact.kind}/{fact.subject}"
    if key not in state.alarms:
        state.alarms[key] = Alarm(
            kind=fact.kind, subject=fact.subject, detail=fact.detail, since_ms=fact.at_ms, tenant=fact.tenant
        )


@on(f.AlarmCleared)
def _alarm_cleared(state: State, fact: f.AlarmCleared) -> None:
    state.alarms.pop(f"{fact.kind}/{fact.subject}", None)
