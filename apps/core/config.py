"""Configuration as the core sees it: frozen, compiled from rows, replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from apps.core.ids import AgentId, FlowId, QueueId, SkillId, SwitchId, TenantId, TrunkId

UNKNOWN_SOUND_MS = 60_000
"""A sound whose length nobody has told is over by then."""


class Strategy(StrEnum):
    """Which of the agents who could serve a caller is asked (``queues/strategies.py``)."""

    LONGEST_IDLE = "longest_idle"
    LEAST_TALK_TIME = "least_talk_time"
    FEWEST_CALLS = "fewest_calls"
    ROUND_ROBIN = "round_robin"
    TOP_DOWN = "top_down"
    RANDOM = "random"
    RING_ALL = "ring_all"
    RING_PROGRESSIVELY = "ring_progressively"
    BEST_SKILL = "best_skill"


class DeviceKind(StrEnum):
    BROWSER = "browser"
    SIP = "sip"
    PSTN = "pstn"  # 公网坐席: any number behind a trunk


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """Where an agent is reached. SIP and browser devices register, a PSTN seat does not."""

    kind: DeviceKind
    switch: SwitchId
    address: str  # SIP account name, or number
    trunk: TrunkId | None = None  # for a PSTN seat
    kept_open: bool = False  # dialled once and left up between calls, see ``agents/kept_open.py``


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Of an agent in a queue. ``priority`` ranks this agent's own queues: 9 is served first."""

    tier: int = 1  # first line, second line … (tiers.py)
    position: int = 1  # within the tier, for strategies that go by it
    priority: int = 5


def voice_only() -> Mapping[str, int]:
    return {"voice": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    id: AgentId
    tenant: TenantId
    name: str
    device: DeviceConfig | None
    skills: Mapping[SkillId, int] = field(default_factory=dict)  # proficiency 1-5
    queues: Mapping[QueueId, Membership] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=voice_only)  # medium -> interactions at once
    may_decline: bool = True


class OverflowKind(StrEnum):
    QUEUE = "queue"
    NUMBER = "number"
    FLOW = "flow"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """Where a caller goes who cannot be served here. ``sounds`` are played first."""

    kind: OverflowKind = OverflowKind.HANGUP
    target: str = ""
    sounds: tuple[str, ...] = ()


Spoken = Mapping[str, tuple[str, ...]]
"""Language -> sound files. The first language is for callers of whom nobody knows which one they speak."""


class NoAgents(StrEnum):
    """When a queue counts as without agents; its callers then go where it overflows to."""

    NEVER = "never"
    NOBODY_SIGNED_IN = "nobody_signed_in"
    NOBODY_SERVING = "nobody_serving"  # all who are signed in are on pause, do not respond or lost their console


class ClosingTime(StrEnum):
    """What becomes of those who wait already when a queue closes."""

    SERVE = "serve"
    ANNOUNCE = "announce"  # they hear that it closes, and are served
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackOffer:
    """A call back instead of waiting on the line, in the caller's own place."""

    key: str = "1"  # pressed while waiting; empty: only flows and programs book
    from_wait_ms: int = 0  # told of only while the caller may expect to wait longer than this
    agent_first: bool = True  # the agent's telephone rings before the customer's; False: the customer's, in their turn
    attempts: int = 3  # at reaching the customer
    retry_ms: int = 900_000
    window_ms: int = 14_400_000  # not kept for longer than this


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLife:
    """A queue over the day: when it takes callers, and what they hear while they wait. Zero: never, or no limit."""

    calendar: str = ""  # key of ``CenterConfig.calendars``; empty or deleted: always open
    closed: Overflow | None = None  # outside the hours; None: as when it cannot serve
    closing: ClosingTime = ClosingTime.SERVE
    closing_sounds: Spoken = field(default_factory=dict)
    max_callers: int = 0
    no_agents: NoAgents = NoAgents.NEVER
    no_agents_grace_ms: int = 30_000  # an agent may come back
    comfort: tuple[Spoken, ...] = ()  # said in turn
    comfort_every_ms: int = 0
    tell_every_ms: int = 0  # the place in line and the expected wait, as far as they are wanted
    tell_position: bool = False
    tell_wait: bool = False
    callback: CallbackOffer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillNeed:
    """A skill that a queue or a caller asks for. One that is not required only ranks who is asked first."""

    skill: SkillId
    level: int = 1  # 1-5
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """What is asked less of an agent once a caller has waited ``after_ms``. Rings add up, earlier ones stay relaxed."""

    after_ms: int
    drop: frozenset[SkillId] = frozenset()  # no longer asked for
    lower: Mapping[SkillId, int] = field(default_factory=dict)  # asked for at this level at most
    tiers_up_to: int | None = None  # these tiers serve from now on


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """When tier n joins in: after ``wait_ms`` × (n - 1), or without ``multiply`` after ``wait_ms`` (``tiers.py``)."""

    wait_ms: int = 0
    multiply: bool = True
    skip_empty: bool = True  # a tier in which nobody is at work is not waited for


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig:
    id: QueueId
    tenant: TenantId
    name: str
    needs: tuple[SkillNeed, ...] = ()  # of every caller here, beside the caller's own
    strategy: Strategy = Strategy.LONGEST_IDLE
    rings: tuple[Ring, ...] = ()  # up to six, ascending
    tier_rule: TierRule = TierRule()
    ring_step_ms: int = 5_000  # of ring_progressively: one telephone more each time
    ageing_s: int = 0  # waiting so long counts as much as one step of priority; 0: nothing makes up for priority
    sticky_days: int = 0  # who talked with an agent here within so many days is first kept for that agent; 0: not
    sticky_wait_ms: int = 10_000  # for so long, while that agent is at work
    resume_ms: int = 0  # who hung up in line and calls again within this has the old place; 0: not
    priority: int = 5  # 0-9, 9 first; used when the flow gives none
    max_wait_ms: int = 900_000
    ring_timeout_ms: int = 20_000
    wrap_up_ms: int = 30_000
    disposition_required: bool = True  # no wrap-up ends without one; when its time is up the agent owes it
    music: str = "default"
    record: bool = True
    auto_answer: bool = False
    whisper_sounds: tuple[str, ...] = ()  # to the agent alone, when the telephone has picked up by itself
    may_decline: bool = True  # an offer; the agent must be allowed to as well
    service_level_ms: int = 20_000
    overflow: Overflow = Overflow()
    life: QueueLife = QueueLife()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkConfig:
    id: TrunkId
    tenant: TenantId
    switch: SwitchId
    name: str
    gateway: str  # its name on the switch
    caller_number: str = ""  # shown to the called party
    outbound: bool = True
    max_calls: int = 30  # at once, both directions together


@dataclass(frozen=True, slots=True, kw_only=True)
class DidConfig:
    """A number that people call. ``number`` as the switch reports it."""

    number: str
    tenant: TenantId
    switch: SwitchId
    flow: FlowId
    priority: int | None = None  # 0-9, at least: who calls this number is somebody special


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningSpan:
    weekday: int  # 0 = Monday
    opens_min: int  # minutes after local midnight
    closes_min: int  # up to 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarConfig:
    """Business hours. ``utc_offsets`` are (from_ms, offset_min) steps, ascending: a time zone without tzdata.

    ``days`` overrides single dates (ISO ``2026-10-01``): no spans = holiday, spans = a 调休 work day.
    ``override`` is the emergency lever: ``open``, ``closed``, ``emergency`` or empty.
    """

    id: str
    spans: tuple[OpeningSpan, ...]
    days: Mapping[str, tuple[OpeningSpan, ...]] = field(default_factory=dict)
    utc_offsets: tuple[tuple[int, int], ...] = ((0, 480),)
    override: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowConfig:
    """A published flow: ``document`` is ivr/1 JSON, linted; ``sounds`` maps prompt to language to file."""

    id: FlowId
    tenant: TenantId
    version: str  # sha256 of the canonical document
    document: Mapping[str, Any]
    sounds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRule:
    """An exception to the policy. ``prefix`` is digits as dialled in the country (``110``), or E.164 (``+1900``)."""

    prefix: str
    allow: bool = False
    whole: bool = False  # only this very number


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPolicy:
    """Which numbers may be dialled, by agents, transfers and overflow alike (``calls/barring.py``)."""

    country_code: str = "86"
    international_prefix: str = "00"
    national: bool = True
    international: bool = False
    rules: tuple[DialRule, ...] = ()
    ring_timeout_ms: int = 45_000
    record: bool = True  # what agents dial
    wrap_up_ms: int = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLimit:
    """How long an agent may pause for one reason. Nothing is cut off: who stays longer is shown. Zero: no limit."""

    each_ms: int = 0
    day_ms: int = 0  # all pauses for this reason in one local day together


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantConfig:
    id: TenantId
    name: str
    utc_offsets: tuple[tuple[int, int], ...] = ((0, 480),)  # as in ``CalendarConfig``
    dispositions: tuple[str, ...] = ()
    pause_reasons: tuple[str, ...] = ()
    pause_limits: Mapping[str, PauseLimit] = field(default_factory=dict)  # by reason
    missed_limit: int = 1  # calls in a row that ring unanswered before an agent counts as not responding
    vip_priority: int = 8  # 0-9, at least: of a VIP's call
    vips: frozenset[str] = frozenset()  # their numbers, as E.164; attached data may say so of others
    unknown_did_sounds: tuple[str, ...] = ()  # the polite announcement
    apology_sounds: tuple[str, ...] = ()
    # A last resort when a flow or queue has nothing left: a number, rung through an outbound trunk.
    fallback_number: str = ""
    dialing: DialPolicy = DialPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterConfig:
    """Everything, for all tenants. Replaced as a whole; ``version`` grows."""

    version: int
    tenants: Mapping[TenantId, TenantConfig] = field(default_factory=dict)
    agents: Mapping[AgentId, AgentConfig] = field(default_factory=dict)
    queues: Mapping[QueueId, QueueConfig] = field(default_factory=dict)
    trunks: Mapping[TrunkId, TrunkConfig] = field(default_factory=dict)
    dids: Mapping[str, DidConfig] = field(default_factory=dict)  # keyed "<switch>/<number>"
    flows: Mapping[FlowId, FlowConfig] = field(default_factory=dict)
    calendars: Mapping[str, CalendarConfig] = field(default_factory=dict)  # keyed "<tenant>/<code>"
    unknown_did_sounds: tuple[str, ...] = ()
    sound_ms: Mapping[str, int] = field(default_factory=dict)  # file -> how long it lasts, where that is known
    # Language -> what we say by ourselves, by name (``position``, ``digit.7``); ``#`` stands for a number's own files.
    phrases: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)  # language -> "12" -> files

    def lasts_ms(self, sounds: Iterable[str]) -> int:
        """How long these files last, one after the other."""
        return sum(self.sound_ms.get(sound, UNKNOWN_SOUND_MS) for sound in sounds)

    def did(self, switch: SwitchId, number: str) -> DidConfig | None:
        return self.dids.get(f"{switch}/{number}")
