"""A place in line that waits without a leg, and the talk by keys in which it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.core.config import SkillNeed
from apps.core.ids import AgentId, CallbackId, PlayId, QueueId
from apps.core.record import record


class CallbackState(StrEnum):
    LEAVING = "leaving"  # booked by telephone; the customer still hears that it is
    BOOKED = "booked"  # in line, or until the next try is due
    CALLING = "calling"  # the customer's telephone rings
    ON_LINE = "on_line"  # the customer has answered


class CallbackSource(StrEnum):
    QUEUE = "queue"  # a key while waiting
    FLOW = "flow"
    WEB = "web"  # asked for by a program


@dataclass(slots=True, kw_only=True)
class Callback:
    id: CallbackId
    state: CallbackState
    source: CallbackSource
    number: str
    agent_first: bool
    booked_ms: int
    due_ms: int  # not before
    until_ms: int  # then it is given up
    tried: int = 0  # times the customer's telephone rang in vain, or was busy
    play: PlayId | None = None  # the goodbye of who leaves the line
    agent: AgentId | None = None  # kept free for a customer who is called before the agent


class DialogPhase(StrEnum):
    CONFIRM = "confirm"
    NUMBER = "number"


@record
class CallbackDialog:
    """Small and whole, so that a fold gives it back. ``deadline_ms``: the prompt is over, or the key did not come."""

    phase: DialogPhase
    source: CallbackSource
    queue: QueueId
    needs: tuple[SkillNeed, ...]
    priority: int
    queued_ms: int  # the place to be kept
    number: str = ""  # to be confirmed
    typed: str = ""
    tries: int = 0
    play: PlayId | None = None
    asked_ms: int = 0  # when that began
    deadline_ms: int = 0
