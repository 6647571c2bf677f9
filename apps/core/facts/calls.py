"""What is decided or learned about calls and their legs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from apps.core.events import HangupCause, LegRole, TransferKind
from apps.core.facts.base import CallFact
from apps.core.ids import AgentId, FlowId, LegId, PlayId, QueueId, RecordingId, SkillId, SwitchId, TrunkId
from apps.core.ivr.position import IvrPosition
from apps.core.record import record

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
    NOT_REACHED = "not_reached"  # outbound: busy, no answer, refused; DialEnded says which
    CANCELLED = "cancelled"  # outbound: the agent gave up before the answer
    REMOVED = "removed"  # hung up by a supervisor before anybody talked


@record
class CallStarted(CallFact):
    """``caller_number`` is the other side's in either direction, ``did`` is ours.

    ``leg`` is the other side's leg; of an outbound call it is made later, under this id.
    """

    leg: LegId
    switch: SwitchId
    direction: Direction
    did: str
    caller_number: str
    caller_name: str
    trunk: str
    answered: bool = False  # already up when it reached us
    customer: str = ""  # given by who asked for the call
    attached: Mapping[str, str] = field(default_factory=dict)


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
    trunk: TrunkId | None = None
    deadline_ms: int | None = None  # for a number that we call: by then it must have answered


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
    ack_deadline_ms: int | None = None  # by then the page of a browser phone must have acknowledged


class OfferOutcome(StrEnum):
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    FAILED = "failed"  # device unreachable, busy, invalid: see cause
    CALLER_LEFT = "caller_left"
    WITHDRAWN = "withdrawn"  # by us: agent gone, call moved
    UNACKNOWLEDGED = "unacknowledged"  # the page did not show it in time, or has no sound: not missed by the agent


@record
class OfferAcked(CallFact):
    agent: AgentId
    leg: LegId


@record
class AnswerAsked(CallFact):
    """The agent wants to answer a telephone that does not ring yet."""

    agent: AgentId
    leg: LegId


@record
class WhisperStarted(CallFact):
    """The agent's telephone has picked up by itself, and is told what comes."""

    agent: AgentId
    leg: LegId
    play: PlayId
    deadline_ms: int  # then the two are connected regardless


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
class RejoinStarted(CallFact):
    """The agent's telephone died in mid-talk (``left``): the customer hears music until it is called back.

    ``deadline_ms`` is when the customer must be back in our hands, ``until_ms`` when the waiting ends.
    """

    agent: AgentId
    queue: QueueId | None
    left: LegId
    held: bool
    muted: bool
    deadline_ms: int
    until_ms: int


class RejoinEnd(StrEnum):
    TIMED_OUT = "timed_out"
    HUNG_UP = "hung_up"  # by the agent
    TAKEN_AWAY = "taken_away"  # by a supervisor


@record
class RejoinFailed(CallFact):
    """Nobody is called back any more. One that succeeds is a ``CallBridged``."""

    agent: AgentId
    reason: RejoinEnd


@record
class CallHeld(CallFact):
    leg: LegId


@record
class CallResumed(CallFact):
    leg: LegId
    held_ms: int


@record
class CallMuted(CallFact):
    leg: LegId


@record
class CallUnmuted(CallFact):
    leg: LegId


@record
class DigitsSent(CallFact):
    """How many tones, never which: they may be a secret."""

    agent: AgentId
    leg: LegId
    count: int


@record
class TransferStarted(CallFact):
    """Blind: the transferring agent is let go; the customer comes back to us and goes on to ``target``."""

    agent: AgentId
    kind: TransferKind
    target: str
    note: str = ""
    to_head: bool = False  # of the queue: the agent was taken away by a supervisor


@record
class TransferFailed(CallFact):
    kind: TransferKind
    target: str
    reason: str


# --- dialling out --------------------------------------------------------------------------------------------------


@record
class DialStarted(CallFact):
    """An agent calls a number: ``leg`` is the agent's, rung first. ``prior`` is the state to come back to."""

    agent: AgentId
    leg: LegId
    number: str
    caller_number: str
    trunk: TrunkId
    prior: str
    prior_reason: str
    deadline_ms: int
    cmd_id: str  # of the request, so that who asked finds the call


class DialOutcome(StrEnum):
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    UNREACHABLE = "unreachable"
    CONGESTION = "congestion"
    CANCELLED = "cancelled"  # by the agent
    DEVICE = "device"  # the agent's own device did not answer or could not be reached
    FAILED = "failed"


@record
class DialEnded(CallFact):
    """Not connected. A dial that succeeds is a ``CallBridged``."""

    agent: AgentId
    number: str
    outcome: DialOutcome
    cause: HangupCause
    raw: str = ""


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
class RecordingPauseAsked(CallFact):
    recording: RecordingId
    agent: AgentId
    until_ms: int


@record
class RecordingPaused(CallFact):
    """The switch says so: from here on the recording holds silence."""

    recording: RecordingId


@record
class RecordingResuming(CallFact):
    """Asked for, by the agent or because the time is up; asked for again at ``retry_ms`` unless it is done."""

    recording: RecordingId
    retry_ms: int


@record
class RecordingResumed(CallFact):
    recording: RecordingId
    masked_ms: int


@record
class CallMarked(CallFact):
    """By the agent, for quality: this place is worth a listener."""

    agent: AgentId


@record
class RecordingEnded(CallFact):
    recording: RecordingId
    duration_ms: int


@record
class RecordingBroken(CallFact):
    recording: RecordingId
    reason: str


@record
class CallDisposed(CallFact):
    """``disposition`` is ``UNSET`` when wrap-up ran out."""

    agent: AgentId
    disposition: str
    note: str
    wrap_up_ms: int
