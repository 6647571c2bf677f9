"""What a switch reported. Text is already cleaned by the driver."""

from __future__ import annotations

from enum import StrEnum

from apps.core.events.base import Event, HangupCause, LegRole
from apps.core.ids import AgentId, CallId, LegId, PlayId, RecordingId, SwitchId, TrunkId
from apps.core.record import record


@record
class SwitchEvent(Event):
    switch: SwitchId


@record
class LinkUp(SwitchEvent):
    """The driver reaches the switch and is subscribed. ``boot`` changes when the switch itself restarted."""

    boot: str


@record
class LinkDown(SwitchEvent):
    reason: str


@record
class CallArrived(SwitchEvent):
    """A customer leg was handed to us, idle, for control.

    ``call`` is set when the channel already carried our call id: then this is a re-attach (after a talk, after a
    restart of the engine, after ``ReclaimLeg``). Text fields are already cleaned: no control characters, at most
    128 characters.
    """

    leg: LegId
    did: str
    caller_number: str
    caller_name: str = ""
    trunk: str = ""  # the gateway or profile it came in by, as the switch names it
    call: CallId | None = None
    answered: bool = False


@record
class LegRinging(SwitchEvent):
    leg: LegId


@record
class LegAnswered(SwitchEvent):
    leg: LegId


@record
class LegParked(SwitchEvent):
    """A leg that we originated is answered and idle: it may be bridged or played to."""

    leg: LegId


@record
class LegHungUp(SwitchEvent):
    """The leg is gone, or an originate never became one. May come twice for one leg; the first counts."""

    leg: LegId
    cause: HangupCause
    raw: str = ""


@record
class LegsBridged(SwitchEvent):
    """The two legs hear each other. The order of the two says nothing."""

    leg: LegId
    other: LegId


@record
class LegsUnbridged(SwitchEvent):
    leg: LegId
    other: LegId


@record
class LegJoined(SwitchEvent):
    """The leg is in the room (``JoinRoom``) and hears the others there. It leaves by a bridge or by its end."""

    leg: LegId
    room: str


@record
class BridgeFailed(SwitchEvent):
    """The switch refused the bridge at once (an ``-ERR``); silence instead is caught by the core's own deadline."""

    leg: LegId
    other: LegId
    reason: str


@record
class LegHeld(SwitchEvent):
    leg: LegId


@record
class LegUnheld(SwitchEvent):
    leg: LegId


@record
class LegMuted(SwitchEvent):
    """What this leg says is heard by nobody: the switch has said that it mutes it."""

    leg: LegId


@record
class LegUnmuted(SwitchEvent):
    leg: LegId


class PlayOutcome(StrEnum):
    DONE = "done"
    STOPPED = "stopped"  # by us or by a key
    FAILED = "failed"


@record
class PlayEnded(SwitchEvent):
    leg: LegId
    play: PlayId
    outcome: PlayOutcome


@record
class DigitPressed(SwitchEvent):
    leg: LegId
    digit: str  # one of 0-9 * # A-D


@record
class RecordingStarted(SwitchEvent):
    leg: LegId
    recording: RecordingId


@record
class RecordingStopped(SwitchEvent):
    leg: LegId
    recording: RecordingId
    duration_ms: int


@record
class RecordingFailed(SwitchEvent):
    leg: LegId
    recording: RecordingId
    reason: str


@record
class RecordingMasked(SwitchEvent):
    """From here on the recording holds silence, at its full length."""

    leg: LegId
    recording: RecordingId


@record
class RecordingUnmasked(SwitchEvent):
    leg: LegId
    recording: RecordingId


@record
class DeviceChanged(SwitchEvent):
    """A SIP account registered or went away. ``address`` is the account name, e.g. ``1001``."""

    address: str
    registered: bool


@record
class TrunkChanged(SwitchEvent):
    trunk: TrunkId
    up: bool
    detail: str = ""


@record
class SnapshotLeg:
    """One leg as the switch lists it."""

    leg: LegId
    call: CallId | None = None  # trunkline_call, when the channel carries it
    role: LegRole | None = None
    agent: AgentId | None = None
    answered: bool = False
    bridged_to: LegId | None = None
    controlled: bool = False  # an arrival socket of ours holds it now
    in_room: bool = False  # with others in a three-way


@record
class SwitchSnapshot(SwitchEvent):
    """All legs of the switch: with our tags in full, the ``others`` by id. Answer to ``request_snapshot``.

    A customer leg may lack our tag for a moment: the engine can die between taking a call and marking it.

    The list lags: it may miss legs younger than 250 ms and show ghosts as old.
    """

    legs: tuple[SnapshotLeg, ...]
    others: tuple[LegId, ...] = ()
    registered: tuple[str, ...] | None = None  # addresses of all registered devices; None: it was not told
