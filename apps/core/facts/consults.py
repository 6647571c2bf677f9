"""Facts about consults and three-ways: one call, the customer set aside, somebody else asked."""

from __future__ import annotations

from enum import StrEnum

from apps.core.events import TransferKind
from apps.core.facts.base import CallFact
from apps.core.ids import AgentId, LegId, QueueId
from apps.core.record import record


class Aim(StrEnum):
    """Who is to hear whom in a consult."""

    SEEK = "seek"  # nobody has answered: the agent hears music, or the other telephone ring
    CONSULT = "consult"  # the agent and the consulted
    CUSTOMER = "customer"  # swapped: the agent and the customer; the consulted hears music
    COMPLETE = "complete"  # the customer and the consulted; the agent leaves
    MERGE = "merge"  # all three
    RETURN = "return"  # the consult is over: the agent and the customer


class ConsultEnd(StrEnum):
    COMPLETED = "completed"  # the customer talks with the consulted
    MERGED = "merged"  # into a three-way
    CANCELLED = "cancelled"  # by the agent
    NOT_REACHED = "not_reached"  # busy, no answer, nobody in time: the detail says
    OTHER_LEFT = "other_left"  # the consulted hung up
    CUSTOMER_LEFT = "customer_left"
    AGENT_LEFT = "agent_left"  # the agent's telephone is gone
    TAKEN_AWAY = "taken_away"  # by a supervisor
    FAILED = "failed"  # the switch did not bring two together


@record
class ConsultStarted(CallFact):
    """The agent's talk is set aside: the customer comes back to us and hears music, the agent's telephone parks."""

    agent: AgentId
    leg: LegId  # the agent's
    queue: QueueId | None  # of the talk
    kind: TransferKind
    target: str
    note: str
    muted: bool
    talked_ms: int
    deadline_ms: int  # by then both must be in our hands


@record
class ConsultAnswered(CallFact):
    leg: LegId
    agent: AgentId | None


@record
class ConsultAimed(CallFact):
    """What is wanted now. ``end`` and ``detail`` say why, where the consult is over."""

    aim: Aim
    deadline_ms: int | None
    end: ConsultEnd | None = None
    detail: str = ""


@record
class PairAsked(CallFact):
    leg: LegId
    other: LegId
    deadline_ms: int


@record
class PairBridged(CallFact):
    """The two hear each other, with the consult still going on."""

    leg: LegId
    other: LegId
    with_customer: bool


@record
class PairFailed(CallFact):
    leg: LegId
    other: LegId
    reason: str


@record
class ConsultEnded(CallFact):
    """Nobody is set aside any more. ``deadline_ms``: nobody of us has the customer, who is back by then."""

    agent: AgentId
    leg: LegId
    end: ConsultEnd
    detail: str = ""
    deadline_ms: int | None = None


def leaves_the_asker(fact: ConsultEnded) -> bool:
    """The agent who asked has no part in the call any more, or none for now."""
    return fact.deadline_ms is not None or fact.end in (ConsultEnd.COMPLETED, ConsultEnd.AGENT_LEFT)


@record
class CustomerLeft(CallFact):
    """The customer has hung up, and the others go on talking."""


@record
class RoomAsked(CallFact):
    """All three are sent into their room, from whatever they were in."""

    deadline_ms: int


@record
class RoomJoined(CallFact):
    leg: LegId


@record
class ThreeWayBegan(CallFact):
    room: str
    agent: AgentId  # who consulted
    leg: LegId
    other: LegId
    other_agent: AgentId | None
    queue: QueueId | None
    kind: TransferKind
    target: str
    muted: bool = False


@record
class ThreeWayLeft(CallFact):
    """One of the three is gone; the others go on."""

    leg: LegId
    agent: AgentId | None


@record
class ThreeWayEnded(CallFact):
    talked_ms: int
