"""What is decided or learned about agents."""

from __future__ import annotations

from apps.core.events import HangupCause
from apps.core.facts.base import AgentFact
from apps.core.ids import CallId, LegId, SwitchId, TrunkId
from apps.core.record import record


@record
class AgentStateChanged(AgentFact):
    """``state`` and ``prior`` are values of ``agents.machine.AgentState``.

    With DISCONNECTED, ``prior`` is the state to come back to; it goes on changing while the agent is away.
    """

    state: str
    prior: str
    reason: str = ""
    call: CallId | None = None
    next_state: str = ""  # where a call or wrap-up will end: READY, PAUSED, LOGGED_OUT
    next_reason: str = ""
    deadline_ms: int | None = None  # wrap-up or disconnection runs out
    back_deadline_ms: int | None = None  # with DISCONNECTED: the wrap-up behind it runs out
    idle_since_ms: int | None = None  # for longest idle; set while READY


@record
class AgentNextStateSet(AgentFact):
    next_state: str
    next_reason: str = ""


@record
class PauseOverran(AgentFact):
    """The pause at hand is longer than this reason allows, at once or over the day."""

    reason: str


@record
class AgentOverruled(AgentFact):
    """A supervisor forced a state. For the audit: who, on whom, what it was and what it was to be."""

    actor: str
    before: str
    state: str
    reason: str
    now: bool
    call: CallId | None = None


@record
class AgentMediaMoved(AgentFact):
    """Another page of this agent has microphone and speaker now."""

    epoch: int
    page: str


@record
class AgentMediaChanged(AgentFact):
    ready: bool


@record
class AgentDrafted(AgentFact):
    """``deadline_ms``: wrap-up goes on until then because somebody types; None: it ends when it would have."""

    call: CallId
    note: str
    disposition: str
    deadline_ms: int | None = None


@record
class KeptLegDialed(AgentFact):
    """The agent's telephone is rung to stay on the line between calls (``agents/kept_open.py``)."""

    leg: LegId
    switch: SwitchId
    address: str
    deadline_ms: int
    trunk: TrunkId | None = None


@record
class KeptLegOpened(AgentFact):
    leg: LegId


@record
class KeptLegClosed(AgentFact):
    """It was not answered, has ended, or was let go."""

    leg: LegId
    cause: HangupCause
    raw: str = ""


@record
class OffersSuspended(AgentFact):
    """The switch could not ring this agent's telephone: until then it is not tried again."""

    until_ms: int
    cause: HangupCause
    raw: str = ""


@record
class OffersResumed(AgentFact):
    pass
