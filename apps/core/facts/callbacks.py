"""Facts about calls back: a place in line without a leg."""

from __future__ import annotations

from enum import StrEnum

from apps.core.callbacks.model import CallbackDialog, CallbackSource
from apps.core.config import SkillNeed
from apps.core.events import HangupCause
from apps.core.facts.base import CallFact
from apps.core.facts.talk import DialOutcome
from apps.core.ids import AgentId, CallbackId, LegId, PlayId, QueueId
from apps.core.record import record


@record
class CallbackDialogStepped(CallFact):
    """The caller is asked, or has answered; None: the asking is over."""

    dialog: CallbackDialog | None


@record
class CallbackBooked(CallFact):
    """``queued_ms`` is the place that is kept. ``cmd_id`` and ``actor`` of the request, when a program asked.

    ``sticky_agent`` talked with the customer last: asked alone from when it is due until ``sticky_until_ms``.
    """

    callback: CallbackId
    queue: QueueId
    needs: tuple[SkillNeed, ...]
    priority: int
    queued_ms: int
    number: str
    agent_first: bool
    source: CallbackSource
    due_ms: int  # the first call not before
    until_ms: int  # then it is given up
    play: PlayId | None = None  # said to the caller, who is then let go
    deadline_ms: int | None = None  # by then the caller is gone
    cmd_id: str = ""
    actor: str = ""
    sticky_agent: AgentId | None = None
    sticky_until_ms: int = 0


@record
class CallbackDialed(CallFact):
    """The customer is called, on ``leg`` from now on. ``agent``: who is kept free meanwhile, or is on the line."""

    callback: CallbackId
    leg: LegId
    agent: AgentId


@record
class CallbackJoined(CallFact):
    """The customer has answered and stands in the old place; ``deadline_ms`` for an agent to be there."""

    callback: CallbackId
    deadline_ms: int
    sticky_until_ms: int = 0


@record
class CallbackTried(CallFact):
    """The customer was not reached. ``counted``: by the customer's doing; what failed on our side does not count."""

    callback: CallbackId
    outcome: DialOutcome
    cause: HangupCause
    counted: bool
    next_ms: int
    raw: str = ""
    sticky_until_ms: int = 0


class CallbackOutcome(StrEnum):
    """Every call back ends in exactly one of these."""

    SERVED = "served"
    NOT_REACHED = "not_reached"  # as often as it was to be tried
    EXPIRED = "expired"  # its window is over
    ABANDONED = "abandoned"  # answered, and hung up before an agent came
    CANCELLED = "cancelled"
    OVERFLOWED = "overflowed"  # answered, and sent on by the queue
    FAILED = "failed"  # its queue is gone


@record
class CallbackEnded(CallFact):
    callback: CallbackId
    outcome: CallbackOutcome
