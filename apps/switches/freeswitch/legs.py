"""What the driver must remember of a leg between two events. The switch is the truth; this is a note of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.core.commands import PlayPrompts
from apps.core.events import HangupCause, LegRole, PlayOutcome
from apps.core.ids import AgentId, CallId, LegId, RecordingId

OVER_LIMIT = 5_000


@dataclass(slots=True)
class Media:
    """What a leg should hear, and the application that runs for it now."""

    play: PlayPrompts | None = None  # wanted; it goes before music
    music: str = ""  # wanted music, "" for none
    token: str = ""  # of the playback asked for, "" when none is
    asked_ms: int = 0
    answering: bool = False  # what is wanted begins when that has been replied to
    terminators: str = ""  # the channel's playback_terminators, "" when unknown
    keys: int = 0  # keys reported since the prompt began
    held: PlayOutcome | None = None  # the prompt is over by a key whose DTMF event has not come yet
    music_failed: bool = False  # the stream is missing: silence keeps the lease instead


@dataclass(slots=True)
class Leg:
    leg: LegId
    role: LegRole
    since_ms: int
    call: CallId | None = None
    agent: AgentId | None = None
    adopted: bool = False  # an earlier engine's: what it has begun on it is unknown
    kept: bool = False  # stands by between talks; no end of a talk is to end it
    called: bool = False  # a customer whom we have called, until the leg has first parked
    job: str = ""  # Job-UUID of an originate that has not reported
    rang: bool = False
    answered: bool = False
    gone: tuple[HangupCause, str] | None = None  # hung up; reported once its recording has stopped
    ended: bool = False  # LegHungUp is out
    settled_ms: int = 0  # gone, and by then nothing more of it will come
    doomed: str = ""  # to be killed with this word as soon as the channel exists
    killed: bool = False  # so asked, and not refused
    bridging: LegId | None = None  # uuid_bridge asked for, CHANNEL_BRIDGE not yet seen
    bridged: LegId | None = None
    held: bool = False
    away: bool = False  # on its way into or out of a bridge: it takes no application until it is back
    left_alone: bool = False  # the far side died in the gap: the switch sends this leg back to us
    back_ms: int | None = None  # when it came back from there
    in_room: bool = False
    outlives: bool = False  # originated, and to park when its peer goes: part of a consult
    way_back: bool = False  # its channel carries all that the next talk's end needs; a bridge uses it up
    recordings: dict[str, RecordingId] = field(default_factory=dict)  # running, by absolute path
    recorded: set[RecordingId] = field(default_factory=set)  # stopped
    media: Media = field(default_factory=Media)

    @property
    def originated(self) -> bool:
        """An agent's or external leg: it never comes back to us by itself."""
        return self.role is not LegRole.CUSTOMER


class Legs:
    """The legs of this switch that are ours: arrived, originated, or carrying our tags."""

    def __init__(self) -> None:
        self._legs: dict[LegId, Leg] = {}
        self._over: dict[str, None] = {}  # the latest to end: their last events may still come

    def __len__(self) -> int:
        return len(self._legs)

    def __iter__(self) -> Iterator[Leg]:
        return iter(list(self._legs.values()))

    def get(self, leg: str) -> Leg | None:
        return self._legs.get(LegId(leg))

    def add(self, leg: Leg) -> Leg:
        """The leg as known; an entry that is already there stays."""
        return self._legs.setdefault(leg.leg, leg)

    def drop(self, leg: LegId) -> None:
        if self._legs.pop(leg, None) is not None:
            self._over[leg] = None
            if len(self._over) > OVER_LIMIT:
                del self._over[next(iter(self._over))]

    def is_over(self, leg: str) -> bool:
        """Whether this leg was ours and ended lately."""
        return leg in self._over

    def clear(self) -> None:
        self._legs.clear()
