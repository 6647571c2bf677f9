"""Everything worth storing or showing: what the core decided or learned.

The core's state changes only by applying a fact (``state.py``), so folding the stored facts gives the state back.
``at_ms`` is engine time. The host adds ``seq`` and ``epoch`` when it stores a fact.
"""

from __future__ import annotations

from enum import StrEnum

from apps.core.config import CenterConfig
from apps.core.events import HangupCause, LegRole, TransferKind
from apps.core.ids import (
    AgentId,
    CallId,
    FlowId,
    LegId,
    PlayId,
    QueueId,
    RecordingId,
    SkillId,
    SwitchId,
    TenantId,
    TrunkId,
)
from apps.core.ivr.position import IvrPosition
from apps.core.record import record


@record
class Fact:
    at_ms: int
    tenant: TenantId | None  # None: about the installation, not a tenant


# --- calls ---------------------------------------------------------------------------------------------------------


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallOutcome(StrEnum):
    """Every call ends in exactly one of these."""

    SERVED = "served"  # talked with an agent or somebody we brought in
    ABANDONED = "abandoned"  # hung up while waiting in a queue
    LEFT_IN_IVR = "left_in_ivr"  # hung up in the menu
    SELF_SERVED = "self_served"  # the flow ended the call
    OVERFLOWED = "overflowed"  # the queue could not serve and ended the call
    UNKNOWN_DID = "unknown_did"
    FAILED = "failed"  # lost by a switch or a fault


@record
class CallFact(Fact):
    call: CallId


@record
class CallStarted(CallFact):
    leg: LegId
    switch: SwitchId
    direction: Direction
    did: str
    caller_number: str
    caller_name: str
    trunk: str
    answered: bool = False  # already up when it reached us


@record
class CallAnswered(CallFact):
    """The customer leg was answered by the flow or by us (not by an agent)."""


@record
class CallReattached(CallFact):
    """The customer leg came back to us: after a talk, a reclaim, or a restart."""

    leg: LegId


@record
class CallAwaited(CallFact):
    """What was due did not come; it was asked for again and may take until ``deadline_ms``."""

    reason: str
    deadline_ms: int


@record
class CallClosing(CallFact):
    """The outcome is decided; last words may play, then we hang up. By the deadline every leg must be gone."""

    outcome: CallOutcome
    cause: HangupCause
    deadline_ms: int
    play: PlayId | None = None  # the last words


@record
class CallEnded(CallFact):
    outcome: CallOutcome
    cause: HangupCause


# --- legs ----------------------------------------------------------------------------------------------------------


@record
class LegStarted(CallFact):
    """A leg that we originate. The customer's inbound leg starts with ``CallStarted``."""

    leg: LegId
    switch: SwitchId
    role: LegRole
    address: str
    agent: AgentId | None = None
    queue: QueueId | None = None
    deadline_ms: int | None = None  # for an external leg: by then it must have answered


@record
class LegRang(CallFact):
    leg: LegId


@record
class LegConnected(CallFact):
    """Answered."""

    leg: LegId


@record
class LegIdled(CallFact):
    """An originated leg is answered and parked, ready to be bridged."""

    leg: LegId


@record
class LegEnded(CallFact):
    leg: LegId
    cause: HangupCause
    raw: str = ""


# --- IVR -----------------------------------------------------------------------------------------------------------


@record
class IvrEntered(CallFact):
    flow: FlowId
    version: str
    lang: str


@record
class IvrStepped(CallFact):
    """The flow left ``node`` by ``port``; with an empty port it is still there, waiting or playing.

    ``digits`` are the keys that made the choice. ``position`` is where it is now: whole, so that a fold is complete.
    """

    node: str
    port: str
    digits: str
    position: IvrPosition


@record
class IvrLeft(CallFact):
    """The run is over: ``ended``, ``transferred``, ``hung_up``, ``limit``, ``error``."""

    reason: str


# --- queue ---------------------------------------------------------------------------------------------------------


class QueueExit(StrEnum):
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    OVERFLOWED = "overflowed"
    TRANSFERRED = "transferred"
    REMOVED = "removed"


@record
class CallQueued(CallFact):
    """``queued_ms`` is the place in line; it is kept when an offer fails or the call is put back."""

    queue: QueueId
    skills: tuple[SkillId, ...]  # required, the queue's and the caller's together, sorted
    priority: int
    queued_ms: int
    deadline_ms: int
    wanted_agent: AgentId | None = None  # a transfer to one agent: only this one is asked


@record
class CallDequeued(CallFact):
    queue: QueueId
    reason: QueueExit
    waited_ms: int


@record
class AgentOffered(CallFact):
    """The decision: this agent for this caller, and from how many on either side."""

    agent: AgentId
    leg: LegId
    queue: QueueId
    deadline_ms: int
    ready_agents: int  # eligible and ready when decided, the chosen one included
    waiting_calls: int  # in this line, this one included
    idle_since_ms: int
    rule: str = "longest_idle"


class OfferOutcome(StrEnum):
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    FAILED = "failed"  # device unreachable, busy, invalid: see cause
    CALLER_LEFT = "caller_left"
    WITHDRAWN = "withdrawn"  # by us: agent gone, call moved


@record
class OfferEnded(CallFact):
    agent: AgentId
    leg: LegId
    outcome: OfferOutcome
    cause: HangupCause | None = None


# --- talk ----------------------------------------------------------------------------------------------------------


@record
class BridgeRequested(CallFact):
    leg: LegId  # agent or external
    other: LegId  # customer
    deadline_ms: int


@record
class CallBridged(CallFact):
    leg: LegId
    other: LegId
    agent: AgentId | None
    queue: QueueId | None


@record
class BridgeLost(CallFact):
    """The bridge did not come about or broke without a hang-up; the customer is being reclaimed."""

    leg: LegId
    other: LegId
    reason: str
    deadline_ms: int


@record
class CallUnbridged(CallFact):
    leg: LegId
    other: LegId
    talked_ms: int
    deadline_ms: int  # by then the customer leg must have come back or gone


@record
class CallHeld(CallFact):
    leg: LegId


@record
class CallResumed(CallFact):
    leg: LegId
    held_ms: int


@record
class TransferStarted(CallFact):
    """Blind: the transferring agent is let go; the customer comes back to us and goes on to ``target``."""

    agent: AgentId
    kind: TransferKind
    target: str


@record
class TransferFailed(CallFact):
    kind: TransferKind
    target: str
    reason: str


# --- recording -----------------------------------------------------------------------------------------------------


@record
class RecordingAsked(CallFact):
    recording: RecordingId
    leg: LegId
    switch: SwitchId
    path: str


@record
class RecordingBegan(CallFact):
    recording: RecordingId


@record
class RecordingEnded(CallFact):
    recording: RecordingId
    duration_ms: int


@record
class RecordingBroken(CallFact):
    recording: RecordingId
    reason: str


# --- agents --------------------------------------------------------------------------------------------------------


@record
class AgentStateChanged(Fact):
    """``state`` and ``prior`` are values of ``agents.machine.AgentState``.

    With DISCONNECTED, ``prior`` is the state to come back to; it goes on changing while the agent is away.
    """

    agent: AgentId
    state: str
    prior: str
    reason: str = ""
    call: CallId | None = None
    next_state: str = ""  # where a call or wrap-up will end: READY, PAUSED, LOGGED_OUT
    next_reason: str = ""
    deadline_ms: int | None = None  # wrap-up or disconnection runs out
    idle_since_ms: int | None = None  # for longest idle; set while READY


@record
class AgentNextStateSet(Fact):
    agent: AgentId
    next_state: str
    next_reason: str = ""


@record
class CallDisposed(CallFact):
    """``disposition`` is ``UNSET`` when wrap-up ran out."""

    agent: AgentId
    disposition: str
    note: str
    wrap_up_ms: int


# --- requests, switches, faults ------------------------------------------------------------------------------------


@record
class RequestDone(Fact):
    cmd_id: str
    actor: str
    request: str  # the event's type name


@record
class RequestRefused(Fact):
    """``code`` is stable, for machines and screens (``stale``, ``wrong_state`` …); ``reason`` is English."""

    cmd_id: str
    actor: str
    request: str
    code: str
    reason: str


@record
class SwitchConnected(Fact):
    switch: SwitchId
    boot: str


@record
class SwitchDisconnected(Fact):
    switch: SwitchId
    reason: str


@record
class DeviceStateChanged(Fact):
    switch: SwitchId
    address: str
    registered: bool


@record
class TrunkStateChanged(Fact):
    switch: SwitchId
    trunk: TrunkId
    up: bool
    detail: str


@record
class ConfigApplied(Fact):
    """Carries the configuration itself, so that a fold needs nothing else."""

    config: CenterConfig


@record
class RunStarted(Fact):
    """A new engine run; ids are minted from it."""

    run: str


@record
class Anomaly(Fact):
    """Something arrived that does not fit the state. Nothing was changed by it."""

    event: str
    subject: str
    state: str
    detail: str
    call: CallId | None = None


@record
class AlarmRaised(Fact):
    """A person should look. ``kind``: unknown_did, queue_unserved, recording_failed, device_invalid, disk_full …"""

    kind: str
    subject: str
    detail: str


@record
class AlarmCleared(Fact):
    kind: str
    subject: str
