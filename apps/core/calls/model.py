"""Calls, legs and what hangs on them at run time. Ended ones leave the state; history is the recorder's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from apps.core.callbacks.model import Callback, CallbackDialog
from apps.core.config import SkillNeed
from apps.core.events import HangupCause, LegRole, TransferKind
from apps.core.facts import Aim, CallOutcome, ConsultEnd, Direction
from apps.core.ids import (
    AgentId,
    CallId,
    FlowId,
    LegId,
    PlayId,
    QueueId,
    RecordingId,
    SwitchId,
    TenantId,
    TrunkId,
)
from apps.core.ivr.position import IvrPosition


class CallState(StrEnum):
    ARRIVED = "arrived"  # nothing decided yet; lasts only within one event
    IVR = "ivr"
    WAITING = "waiting"  # in a queue, an agent may be ringing
    DIALING = "dialing"  # a number outside is ringing for the caller; outbound: the agent's device or the number
    CONNECTING = "connecting"  # answered on the far side, bridge asked for
    TALKING = "talking"
    CONSULTING = "consulting"  # the customer is set aside while the agent asks somebody
    CONFERENCING = "conferencing"  # customer, agent and the consulted together
    RETURNING = "returning"  # the customer leg is on its way back to us
    REJOINING = "rejoining"  # the agent's telephone died in mid-talk; music until it is called back
    CLOSING = "closing"  # last words, or the hang-up is on its way


class LegState(StrEnum):
    DIALED = "dialed"
    RINGING = "ringing"
    ANSWERED = "answered"
    IDLE = "idle"  # answered and parked
    BRIDGED = "bridged"


@dataclass(slots=True, kw_only=True)
class Leg:
    id: LegId
    switch: SwitchId
    role: LegRole
    address: str
    state: LegState
    started_ms: int
    agent: AgentId | None = None
    queue: QueueId | None = None
    trunk: TrunkId | None = None
    answered_ms: int | None = None
    lent: LegId | None = None  # stands for this line of the agent's, which is kept open
    other: LegId | None = None  # bridged or about to be bridged with
    phone_of: AgentId | None = None  # rung as an extension: it is this agent's telephone


@dataclass(slots=True, kw_only=True)
class Wait:
    """A place in line."""

    queue: QueueId
    needs: tuple[SkillNeed, ...]  # the caller's own
    priority: int
    queued_ms: int
    deadline_ms: int
    entered_ms: int  # since when in this queue; the place in line may be older, or given
    wanted_agent: AgentId | None = None
    sticky_agent: AgentId | None = None  # of the last talk: first asked alone, while at work
    sticky_until_ms: int = 0
    estimate_ms: int | None = None  # of the wait, on entering
    last_wait_ms: int | None = None  # of who was answered last before that
    play: PlayId | None = None  # being announced
    play_until_ms: int = 0
    comforts: int = 0  # comfort messages said
    comforted_ms: int | None = None  # when the last of them ended
    told_ms: int | None = None  # when place and wait were told last


@dataclass(slots=True, kw_only=True)
class Offer:
    """``version`` is the call's when it was made: who answers it may have seen no less."""

    agent: AgentId
    leg: LegId
    queue: QueueId
    deadline_ms: int
    idle_since_ms: int
    offered_ms: int
    version: int
    ack_deadline_ms: int | None = None  # None: acknowledged, or no page need do so
    answer_asked: bool = False  # before it rang: to be picked up when it does
    whisper: PlayId | None = None  # being said to the agent
    whisper_until_ms: int = 0


@dataclass(slots=True, kw_only=True)
class Bridge:
    leg: LegId  # agent or external
    other: LegId  # customer
    asked_ms: int
    agent: AgentId | None = None
    queue: QueueId | None = None
    bridged_ms: int | None = None
    held_ms: int | None = None  # since when on hold
    hold_total_ms: int = 0  # on hold before that
    muted: bool = False  # on the switch
    goes_on: bool = False  # out of a three-way, with its recording
    overdue: bool = False  # once already


@dataclass(slots=True, kw_only=True)
class Transfer:
    agent: AgentId
    kind: TransferKind
    target: str
    to_head: bool = False


@dataclass(slots=True, kw_only=True)
class Consult:
    """An attended transfer on its way. ``aim`` says who is to hear whom, ``joined`` who does."""

    agent: AgentId
    leg: LegId  # the agent's
    queue: QueueId | None  # of the talk that was set aside
    kind: TransferKind
    target: str
    changed_ms: int
    aim: Aim = Aim.SEEK
    muted: bool = False  # the agent, on the switch
    other: LegId | None = None  # the consulted, once there
    other_agent: AgentId | None = None
    asked: tuple[LegId, LegId] | None = None  # to be bridged
    joined: tuple[LegId, LegId] | None = None
    gathering: bool = False  # all three are on their way into a room
    in_room: tuple[LegId, ...] = ()  # those who are there
    ring_until_ms: int | None = None  # a telephone rung for it without being offered
    end: ConsultEnd | None = None  # why it is over, while the agent is on the way back to the customer
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class ThreeWay:
    room: str
    agent: AgentId  # who consulted
    leg: LegId
    other: LegId
    other_agent: AgentId | None
    queue: QueueId | None
    kind: TransferKind
    target: str
    since_ms: int
    muted: bool = False

    def queue_of(self, leg: Leg) -> QueueId | None:
        """Which queue brought this one of the three."""
        return leg.queue if leg.id == self.other else self.queue


@dataclass(slots=True, kw_only=True)
class Rejoin:
    """A talk whose agent's telephone died with its page: who is to have the customer back, and how the talk stood."""

    agent: AgentId
    queue: QueueId | None
    left: LegId  # the telephone that died
    until_ms: int  # then the customer goes to the head of the queue
    held: bool
    muted: bool
    customer_here: bool = False  # back in our hands


@dataclass(slots=True, kw_only=True)
class Handover:
    """What the last transferring agent told the next one."""

    agent: AgentId
    note: str


@dataclass(slots=True, kw_only=True)
class Dial:
    """An agent's call to a number, until the two are connected."""

    agent: AgentId
    leg: LegId  # the agent's
    number: str
    caller_number: str
    trunk: TrunkId


@dataclass(slots=True, kw_only=True)
class PathStep:
    """A node that the caller has passed, and the keys that made the choice."""

    node: str
    digits: str
    at_ms: int


@dataclass(slots=True, kw_only=True)
class IvrRun:
    flow: FlowId
    version: str
    position: IvrPosition | None


@dataclass(slots=True, kw_only=True)
class ActiveRecording:
    id: RecordingId
    path: str
    started: bool = False
    masked_ms: int | None = None  # paused since
    mask_until_ms: int | None = None  # then it is to resume


@dataclass(slots=True, kw_only=True)
class Call:
    """``version`` grows with every change that a person would see: a request that saw an older one is stale."""

    id: CallId
    tenant: TenantId | None
    switch: SwitchId
    leg: LegId  # the customer's
    direction: Direction
    did: str
    caller_number: str
    caller_name: str
    trunk: str
    state: CallState
    since_ms: int
    started_ms: int
    version: int = 0
    answered: bool = False
    served: bool = False  # has talked with somebody
    lang: str = ""
    customer: str = ""
    attached: Mapping[str, str] = field(default_factory=dict)
    path: list[PathStep] = field(default_factory=list)
    legs: dict[LegId, Leg] = field(default_factory=dict)
    ivr: IvrRun | None = None
    wait: Wait | None = None
    offers: dict[LegId, Offer] = field(default_factory=dict)  # several while more than one telephone rings
    bridge: Bridge | None = None
    transfer: Transfer | None = None
    consult: Consult | None = None
    three_way: ThreeWay | None = None
    rejoin: Rejoin | None = None
    handover: Handover | None = None
    dial: Dial | None = None
    digits_sent: int = 0
    dialed: LegId | None = None  # the number outside that rings, or was rung last
    bridge_lost: bool = False  # on the way back from a bridge that was not made
    recording: ActiveRecording | None = None
    recording_broken: bool = False  # of this talk
    last_agent: AgentId | None = None
    last_queue: QueueId | None = None
    last_queued_ms: int | None = None  # the place that was left there
    callback: Callback | None = None
    dialog: CallbackDialog | None = None  # about a call back
    overflow_path: list[QueueId] = field(default_factory=list)  # overflowed one into the other, nothing in between
    overflows: int = 0  # since somebody last talked
    deadline_ms: int | None = None  # of the state itself: connecting, returning, closing, dialing
    outcome: CallOutcome | None = None  # decided; told when the last leg is gone
    cause: HangupCause = HangupCause.NORMAL
    last_words: PlayId | None = None

    @property
    def in_line(self) -> bool:
        """Somebody is sought for it in a queue: for the caller, or for an agent who consults."""
        return self.wait is not None and self.state in (CallState.WAITING, CallState.CONSULTING)

    @property
    def customer_gone(self) -> bool:
        """Hung up while others go on talking."""
        return self.leg not in self.legs

    @property
    def changed_ms(self) -> int:
        """Since when the legs are as they are."""
        return max(self.since_ms, self.consult.changed_ms if self.consult is not None else 0)

    @property
    def offer(self) -> Offer | None:
        """The oldest, mostly the only one."""
        return next(iter(self.offers.values()), None)

    def offer_to(self, agent: AgentId) -> Offer | None:
        return next((offer for offer in self.offers.values() if offer.agent == agent), None)

    def move(self, state: CallState, at_ms: int, deadline_ms: int | None = None) -> None:
        """For the fold alone: enter a state, or stay in it, with a deadline of its own."""
        if self.state is not state:
            self.state = state
            self.since_ms = at_ms
        self.deadline_ms = deadline_ms
