"""Facts about calls, their legs and their way through a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from apps.core.events import HangupCause, LegRole
from apps.core.facts.base import CallFact
from apps.core.ids import AgentId, FlowId, LegId, PlayId, QueueId, SwitchId, TrunkId
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
    lent: LegId | None = None  # stands for this leg, which is kept open and answered already
    phone_of: AgentId | None = None  # rung as an extension: this agent's telephone, without an offer


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

    ``digits`` are the keys that made the choice, ``***`` of a node marked secret. ``position`` is where it is now, so
    that a fold is complete; but for keys that have decided nothing yet, which no fact has.
    """

    node: str
    port: str
    digits: str
    position: IvrPosition


@record
class IvrLeft(CallFact):
    """The run is over: ``ended``, ``transferred``, ``hung_up``, ``limit``, ``error``."""

    reason: str
