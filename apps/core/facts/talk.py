"""Facts about talks: bridges, holds, transfers, what agents dial, recordings."""

from __future__ import annotations

from enum import StrEnum

from apps.core.events import HangupCause, TransferKind
from apps.core.facts.base import CallFact
from apps.core.ids import AgentId, LegId, QueueId, RecordingId, SwitchId, TrunkId
from apps.core.record import record


@record
class BridgeRequested(CallFact):
    leg: LegId  # agent or external
    other: LegId  # customer
    deadline_ms: int
    goes_on: bool = False  # the two have talked already, in a three-way


@record
class CallBridged(CallFact):
    leg: LegId
    other: LegId
    agent: AgentId | None
    queue: QueueId | None


@record
class BridgeOverdue(CallFact):
    """The switch has not told of it in time: before the two are taken apart it is looked whether they talk."""

    leg: LegId
    deadline_ms: int


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
