"""Everything we may ask of a switch. Imperative; never answered, its outcome is a later event.

Every command names the leg it is about and the switch that leg lives on. Text is cleaned by the driver before it
leaves, whatever it holds.
"""

from __future__ import annotations

from enum import StrEnum

from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId, CallId, LegId, PlayId, RecordingId, SwitchId, TenantId, TrunkId
from apps.core.record import record


@record
class Command:
    switch: SwitchId
    leg: LegId


class DestinationKind(StrEnum):
    DEVICE = "device"  # a SIP account of this switch
    TRUNK = "trunk"  # a number behind a trunk


@record
class Destination:
    kind: DestinationKind
    address: str  # account name, or number
    trunk: TrunkId | None = None
    gateway: str = ""  # the trunk's name on the switch


@record
class OriginateLeg(Command):
    """Create ``leg`` (the id is ours) and let it ring; answered, it parks (``LegParked``)."""

    call: CallId
    tenant: TenantId
    role: LegRole
    destination: Destination
    ring_timeout_ms: int
    caller_number: str = ""
    caller_name: str = ""
    agent: AgentId | None = None
    auto_answer: bool = False
    idle_timeout_ms: int = 15_000  # answered, it waits so long for a bridge before it ends by itself
    kept_open: bool = False  # instead it stands by for one bridge after another until it is hung up; of no call


@record
class TagLeg(Command):
    """Write our ids on a customer leg's channel, so that a restarted engine knows it again."""

    call: CallId
    tenant: TenantId


@record
class AnswerLeg(Command):
    """Answer an arrived customer leg."""


@record
class AnswerDevice(Command):
    """Make a ringing agent device pick up, where it can (SIP ``Event: talk``); elsewhere a no-op."""


@record
class HangUpLeg(Command):
    """End a leg, or cancel an originate, also one whose channel does not exist yet."""

    cause: HangupCause = HangupCause.NORMAL


@record
class ParkLeg(Command):
    """Take a leg that is kept open out of what it is in or plays: it stands by. To its peer it is as if it ended."""


@record
class BridgeLegs(Command):
    """Connect ``leg`` (agent or external) with ``other`` (the customer). Only ``LegsBridged`` is success.

    Either may be taken out of another bridge or a room for it. ``keep``: part of a consult. ``other`` may be one that
    we originated as well, and such legs do not end with their peer: they park (``LegParked``), for ``idle_timeout_ms``
    at most.
    """

    other: LegId
    keep: bool = False
    idle_timeout_ms: int = 15_000


@record
class PartLegs(Command):
    """Take a bridge apart and end neither side: ``leg`` parks, ``other`` (the customer) comes back to us."""

    other: LegId
    idle_timeout_ms: int


@record
class JoinRoom(Command):
    """Out of whatever it is in and into a three-way: ``LegJoined``. The last one left in a room is sent back to us."""

    room: str
    idle_timeout_ms: int = 15_000  # of a leg that we originated, when it is sent back


@record
class PlayPrompts(Command):
    """Play sound files one after another, instead of whatever plays now. Ends with one ``PlayEnded``.

    ``sounds`` are file names relative to the switch's sound directory. A key press stops it if ``barge``;
    every key is reported as ``DigitPressed`` either way.
    """

    play: PlayId
    sounds: tuple[str, ...]
    barge: bool = True


@record
class StopPlay(Command):
    """Stop prompt or music."""


RINGING_TONE = "ringing_tone"
BEEP = "beep"
"""Among the sounds of ``PlayPrompts``: a short tone. Somebody comes on a line that is open."""


@record
class StartMusic(Command):
    """Play music until something else is asked for. Holds a lease: if the engine dies the leg comes free.

    ``RINGING_TONE`` is what a caller hears while the other side rings.
    """

    music: str = "default"


@record
class HoldLeg(Command):
    """On the agent's leg: its peer hears the hold music."""

    music: str = "default"


@record
class UnholdLeg(Command):
    pass


@record
class MuteLeg(Command):
    """Nobody hears what this leg says: ``LegMuted``. An agent's leg."""


@record
class UnmuteLeg(Command):
    pass


@record
class SendDigits(Command):
    """Play DTMF tones to the far end of this leg."""

    digits: str


@record
class StartRecording(Command):
    """Record a customer leg, both directions, to ``path`` relative to the switch's recording directory.

    The file's name without its ending is the recording's id: so a driver knows one that another has begun.
    """

    recording: RecordingId
    path: str


@record
class StopRecording(Command):
    recording: RecordingId
    path: str


@record
class MaskRecording(Command):
    """Write silence for the time being: ``RecordingMasked``. Nothing follows when there is no such recording."""

    recording: RecordingId
    path: str


@record
class UnmaskRecording(Command):
    recording: RecordingId
    path: str


@record
class ReclaimLeg(Command):
    """Take a customer leg out of whatever it is in and bring it to us again: a ``CallArrived`` with its call id."""


@record
class RequestSnapshot(Command):
    """Ask for a ``SwitchSnapshot``; ``leg`` is empty."""


@record
class BelievedLeg:
    """``talking``: bridged; None while that is in motion. ``ours``: the customer's, idle in our hands.

    ``new``: asked for only just, so that it may not be there yet.
    """

    leg: LegId
    new: bool = False
    talking: bool | None = None
    ringing: bool = False
    ours: bool = False


@record
class CompareLegs(Command):
    """Compare with the switch's list; only if it differs for good a ``SwitchSnapshot`` follows. ``leg`` is empty."""

    believed: tuple[BelievedLeg, ...]
