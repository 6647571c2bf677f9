"""One agent at run time."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.core.agents.machine import AgentState
from apps.core.events import HangupCause
from apps.core.facts import DialOutcome, OfferOutcome
from apps.core.ids import AgentId, CallId, LegId, QueueId, SwitchId, TenantId, TrunkId


@dataclass(slots=True, kw_only=True)
class LastDial:
    """Why the agent's last attempt to call somebody came to nothing."""

    call: CallId
    number: str
    outcome: DialOutcome
    cause: HangupCause
    at_ms: int


@dataclass(slots=True, kw_only=True)
class Pause:
    """One that goes on, also behind a lost console."""

    reason: str
    since_ms: int
    over: bool = False  # longer than allowed, and it has been said


@dataclass(slots=True, kw_only=True)
class KeptLeg:
    """The agent's line that stays up between calls (``kept_open.py``)."""

    leg: LegId
    switch: SwitchId
    address: str
    trunk: TrunkId | None
    since_ms: int
    deadline_ms: int | None  # by then it must be open; None: it is
    lent_as: LegId | None = None  # its name in the call that has it


@dataclass(slots=True, kw_only=True)
class Agent:
    """``call`` is the call offered, talked on or wrapped up; ``back_state`` is where a reconnect returns to."""

    id: AgentId
    tenant: TenantId
    state: AgentState = AgentState.LOGGED_OUT
    since_ms: int = 0
    reason: str = ""
    call: CallId | None = None
    next_state: str = ""
    next_reason: str = ""
    back_state: str = ""
    deadline_ms: int | None = None
    back_deadline_ms: int | None = None  # of the wrap-up behind a lost console: it runs on
    idle_since_ms: int = 0
    # Of this shift, for those who are to get the next call; a shift begins with a sign-in after a longer absence.
    served: int = 0  # talks that a queue brought
    talked_ms: int = 0  # in those
    offered_ms: int = 0  # when last offered a call, answered or not
    serves: QueueId | None = None  # the queue of the call in hand, since it was connected
    busy_since_ms: int = 0  # offered, dialled: when idleness ended
    wrap_up_since_ms: int = 0  # of the latest; a lost console does not end it
    extended: int = 0  # times this wrap-up was extended
    typed_on: int = 0  # times it went on because somebody typed
    ends_at_once: bool = False  # a supervisor wants no wrap-up after this talk
    draft: str = ""
    draft_disposition: str = ""
    media_ready: bool = False  # of a browser phone: preflight passed, microphone live
    media_epoch: int = 0
    media_page: str = ""  # the page that has the sound
    last_dial: LastDial | None = None
    kept: KeptLeg | None = None
    on_phone: list[LegId] = field(default_factory=list)  # the telephone was rung as an extension, and is in these
    pause: Pause | None = None
    paused_day_ms: int = 0  # the midnight from which the following counts
    paused_ms: dict[str, int] = field(default_factory=dict)  # pauses that are over, by reason
    missed: int = 0  # calls in a row that rang unanswered
    offer_end: OfferOutcome | None = None  # how the latest offer ended: why the telephone rings no more
    suspended_until_ms: int | None = None  # not offered to: the switch could not ring the telephone
    not_rung: int = 0  # times in a row that it could not
