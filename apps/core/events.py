"""Every input of the core: what a switch reported and what people asked for.

All are frozen and named in the past tense. ``SwitchEvent`` comes from a driver, ``Request`` from a person or an
integrator through the door, the rest from the host. Times are engine milliseconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from apps.core.config import CenterConfig
from apps.core.ids import AgentId, CallId, LegId, PlayId, RecordingId, SwitchId, TenantId, TrunkId
from apps.core.record import record


class HangupCause(StrEnum):
    """Why a leg ended, in words common to all switches. The switch's own word travels beside it as ``raw``."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    NOT_REGISTERED = "not_registered"
    UNALLOCATED = "unallocated"  # no such number
    UNREACHABLE = "unreachable"  # the far end or the trunk cannot be reached just now
    CONGESTION = "congestion"
    CANCELLED = "cancelled"  # by us, before it was answered
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    MEDIA_TIMEOUT = "media_timeout"
    INVALID = "invalid"  # wrong address, codec, gateway or profile: configuration, not chance
    LOST = "lost"  # the switch no longer knows the leg
    ERROR = "error"


class LegRole(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    EXTERNAL = "external"  # somebody outside, brought in by a transfer


@record
class Event:
    """Base of every input."""


# --- from a switch -------------------------------------------------------------------------------------------------


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


@record
class SwitchSnapshot(SwitchEvent):
    """All legs of the switch: with our tags in full, the ``others`` by id. Answer to ``request_snapshot``.

    A customer leg may lack our tag for a moment: the engine can die between taking a call and marking it.

    The list lags: it may miss legs younger than 250 ms and show ghosts as old (freeswitch.md section 8).
    """

    legs: tuple[SnapshotLeg, ...]
    others: tuple[LegId, ...] = ()
    registered: tuple[str, ...] | None = None  # addresses of all registered devices; None: it was not told


# --- from people ---------------------------------------------------------------------------------------------------


@record
class Request(Event):
    """Somebody asked for something. The outcome is a ``RequestDone`` or ``RequestRefused`` fact with the same id.

    ``cmd_id`` makes it idempotent: a repeat is answered with the first outcome and changes nothing.
    """

    tenant: TenantId
    cmd_id: str
    actor: str  # who asked, for the audit: a user name, or "system"


@record
class AgentRequest(Request):
    agent: AgentId


@record
class AgentSignedIn(AgentRequest):
    """Lands in PAUSED(login)."""


@record
class AgentSignedOut(AgentRequest):
    """During a call or wrap-up it is kept as the next state."""


@record
class AgentWentReady(AgentRequest):
    pass


@record
class AgentPaused(AgentRequest):
    reason: str = ""


@record
class AgentConnectionLost(AgentRequest):
    """No heartbeat from any console page of this agent for 4 s."""


@record
class AgentConnectionRestored(AgentRequest):
    pass


@record
class MediaClaimed(AgentRequest):
    """A page of this agent has the microphone and the speaker from now on; older pages lose them.

    ``page`` is an id that the page chose for itself.
    """

    page: str


@record
class MediaReady(AgentRequest):
    """The browser phone passed its preflight and has a live microphone, or lost it.

    ``epoch`` is that of the page's claim, 0 where none was ever made.
    """

    ready: bool
    epoch: int = 0


@record
class DialRequested(AgentRequest):
    """Ring the agent's own device, then ``number``, then connect them.

    ``caller_number`` is the one to show, empty for the default. ``customer`` and ``attached`` travel with the call;
    their meaning is the asker's.
    """

    number: str
    caller_number: str = ""
    customer: str = ""
    attached: Mapping[str, str] = field(default_factory=dict)


@record
class CallRequest(AgentRequest):
    """About the call the agent holds. ``version`` is the call's as the asker saw it; an older one is stale."""

    call: CallId
    version: int | None = None


@record
class CallRemovalRequested(Request):
    """Hang up a call that no agent talks on: it waits, hears a menu, or rings a number. For supervisors."""

    call: CallId
    version: int | None = None


@record
class OfferAcknowledged(CallRequest):
    """The page of a browser phone shows the offer and could take it. ``live``: microphone and speaker both work."""

    live: bool


@record
class AnswerRequested(CallRequest):
    pass


@record
class DeclineRequested(CallRequest):
    pass


@record
class HangUpRequested(CallRequest):
    pass


@record
class HoldRequested(CallRequest):
    pass


@record
class ResumeRequested(CallRequest):
    pass


@record
class MuteRequested(CallRequest):
    """On the switch: for telephones that a page cannot mute."""


@record
class UnmuteRequested(CallRequest):
    pass


@record
class RejoinRequested(CallRequest):
    """A browser phone has no sound for this talk: its page was loaded anew, or the network changed. Call it back."""


@record
class HelpRequested(CallRequest):
    wanted: bool  # False: it has come, or is not needed any more


@record
class CallMarkRequested(CallRequest):
    """Somebody should listen to this place of the recording."""


@record
class DigitsRequested(CallRequest):
    """Tones towards the other side. ``digits`` are 1 to 32 of 0-9 * # A-D; they are not stored."""

    digits: str


@record
class RecordingPauseRequested(CallRequest):
    """Silence in the recording, for a card number; it resumes by itself."""


@record
class RecordingResumeRequested(CallRequest):
    pass


class TransferKind(StrEnum):
    QUEUE = "queue"
    AGENT = "agent"
    NUMBER = "number"


@record
class TransferRequested(CallRequest):
    """Blind transfer. ``target`` is a queue id, an agent id or a number ``^\\+?[0-9*#]{1,32}$``."""

    kind: TransferKind
    target: str
    note: str = ""  # for who takes it


@record
class DraftSaved(AgentRequest):
    """What the agent has typed so far about this call. Typing when wrap-up is about to end gives a little more time."""

    call: CallId
    note: str
    disposition: str = ""


@record
class WrapUpFinished(AgentRequest):
    call: CallId
    disposition: str
    note: str = ""


@record
class LateResultGiven(AgentRequest):
    """The result of a call whose wrap-up ran out. Whoever lets this in knows that the agent owes it (history does)."""

    call: CallId
    disposition: str
    note: str = ""


@record
class WrapUpExtended(AgentRequest):
    call: CallId


@record
class AgentForced(AgentRequest):
    """A supervisor puts an agent into READY, PAUSED or LOGGED_OUT: after the call, or ``now``."""

    state: str
    reason: str = ""
    now: bool = False


# --- from the host -------------------------------------------------------------------------------------------------


@record
class ConfigChanged(Event):
    config: CenterConfig


@record
class DeadlinePassed(Event):
    """The timer fired: ``now_ms`` has reached ``next_deadline_ms``. Early or late firing is harmless."""


@record
class EngineRestarted(Event):
    """First event after a fold of the journal: state may be ahead of or behind every switch."""

    run: str
    detail: str = field(default="")
