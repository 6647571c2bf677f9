"""Facts about waiting in line and being offered."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from apps.core.config import SkillNeed, Strategy
from apps.core.events import HangupCause
from apps.core.facts.base import CallFact, Fact
from apps.core.ids import AgentId, LegId, PlayId, QueueId, SwitchId
from apps.core.record import record


class QueueExit(StrEnum):
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    OVERFLOWED = "overflowed"
    REMOVED = "removed"
    CALLBACK = "callback"  # the place is kept, the line is not


@record
class CallQueued(CallFact):
    """``queued_ms`` is the place in line; it is kept when an offer fails or the call is put back.

    ``estimate_ms`` is the wait to expect when the caller entered, ``last_wait_ms`` that of who was answered last
    before: what the estimate is held against.
    """

    queue: QueueId
    needs: tuple[SkillNeed, ...]  # the caller's own; the queue's are added when somebody is looked for
    priority: int
    queued_ms: int
    deadline_ms: int
    wanted_agent: AgentId | None = None  # a transfer to one agent: only this one is asked
    sticky_agent: AgentId | None = None  # of the last talk: first only this one is asked, while at work
    sticky_until_ms: int = 0
    resumed: bool = False  # the place of an earlier call that was abandoned
    estimate_ms: int | None = None
    last_wait_ms: int | None = None
    consult: bool = False  # not the caller waits: an agent who has set them aside
    callback: bool = False  # who is called back waits on, on the line: until ``CallbackEnded``, not ``CallDequeued``


@record
class CallDequeued(CallFact):
    queue: QueueId
    reason: QueueExit
    waited_ms: int
    consult: bool = False


@record
class AgentOffered(CallFact):
    """This agent for this caller, and from how many on either side. ``OfferDecided`` before it says why."""

    agent: AgentId
    leg: LegId
    queue: QueueId
    deadline_ms: int
    ready_agents: int  # eligible and ready when decided, the chosen one included
    waiting_calls: int  # in this line, this one included
    idle_since_ms: int
    rule: str = "longest_idle"
    ack_deadline_ms: int | None = None  # by then the page of a browser phone must have acknowledged


class Considered(NamedTuple):
    """A free agent of the queue, with all that the decision goes by. ``levels`` are of the decision's needs.

    Who could be asked has a ``rank``, smaller first; who could not has a ``code`` instead, and perhaps a ``detail``:
    ``other_switch``, ``no_capacity`` (medium), ``tier_waits`` (tier), ``lacks_skill`` (``skill=level``).
    """

    agent: AgentId
    switch: SwitchId
    capacity: int  # left for the medium
    tier: int
    position: int
    levels: tuple[int, ...]
    idle_since_ms: int
    talked_ms: int
    served: int
    offered_ms: int
    rank: tuple[int, ...]
    code: str = ""
    detail: str = ""


class PassedOver(NamedTuple):
    """Signed in and not free. ``code``: ``paused``, ``offered``, ``talking``, ``wrap_up``, ``device`` …"""

    agent: AgentId
    code: str
    detail: str = ""


@record
class OfferDecided(CallFact):
    """Why this agent: what was asked, who could have been asked, who was passed over. See ``queues/decision.py``.

    ``needs`` and ``tiers_up_to`` are what is asked in ``ring`` (so many rings were passed), which was reached at
    ``ring_since_ms``. ``considered`` holds the best of those who fit, in their order, then some of those who do not;
    ``passed_over`` some of those who are busy. ``eligible`` and ``waiting`` count all.
    """

    agent: AgentId
    leg: LegId
    queue: QueueId
    strategy: Strategy
    switch: SwitchId
    medium: str
    cost: int
    needs: tuple[SkillNeed, ...]
    tiers_up_to: int | None
    only: AgentId | None  # nobody else was asked: a transfer to one agent, or the agent of the last talk
    ring: int
    ring_since_ms: int
    eligible: int
    waiting: int
    considered: tuple[Considered, ...]
    passed_over: tuple[PassedOver, ...]


class OfferOutcome(StrEnum):
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    FAILED = "failed"  # device unreachable, busy, invalid: see cause
    ANSWERED_ELSEWHERE = "answered_elsewhere"  # another agent's telephone, which rang at the same time
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


# --- the queue over the day ----------------------------------------------------------------------------------------


class OverflowReason(StrEnum):
    """Why a queue does not take a caller, or does not keep one."""

    CLOSED = "closed"  # outside its hours, or by the emergency lever
    FULL = "full"
    NO_AGENTS = "no_agents"
    TIMED_OUT = "timed_out"
    REMOVED = "removed"  # the queue itself
    CANNOT_MATCH = "cannot_match"  # no agent could ever serve this caller


@record
class CallOverflowed(CallFact):
    """The caller leaves a queue, or its door, for where it overflows to; ``fallback``: that leads in a circle."""

    queue: QueueId
    reason: OverflowReason
    kind: str
    target: str
    fallback: bool = False


@record
class AnnouncementStarted(CallFact):
    """Said to somebody who waits: ``parts`` of comfort, position, wait, callback, closing. Over by ``deadline_ms``."""

    play: PlayId
    parts: tuple[str, ...]
    deadline_ms: int
    position: int | None = None
    estimate_ms: int | None = None


@record
class AnnouncementEnded(CallFact):
    play: PlayId


@record
class QueueClosed(Fact):
    """``reason``: closed, holiday, emergency."""

    queue: QueueId
    reason: str


@record
class QueueOpened(Fact):
    queue: QueueId


@record
class QueueDeserted(Fact):
    """By its rule there is nobody who would serve here."""

    queue: QueueId


@record
class QueueStaffed(Fact):
    queue: QueueId
