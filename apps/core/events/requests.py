"""What people and integrators asked for, through the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from apps.core.events.base import Event
from apps.core.ids import AgentId, CallId, QueueId, TenantId
from apps.core.record import record


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
class CallbackRequested(Request):
    """Call ``number`` back when it is its turn in the queue, not before ``due_ms``; None: from now on.

    ``name``, ``customer`` and ``attached`` travel with the call; their meaning is the asker's.
    """

    queue: QueueId
    number: str
    due_ms: int | None = None
    agent_first: bool | None = None  # None: as the queue does
    name: str = ""
    customer: str = ""
    attached: Mapping[str, str] = field(default_factory=dict)


@record
class CallbackCancelRequested(Request):
    call: CallId


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
    EXTENSION = "extension"  # an agent's telephone by its number, also when nobody is signed in there


@record
class TransferRequested(CallRequest):
    """Blind transfer. ``target`` is a queue id, an agent id, or a number or extension ``^\\+?[0-9*#]{1,32}$``."""

    kind: TransferKind
    target: str
    note: str = ""  # for who takes it


@record
class ConsultRequested(CallRequest):
    """Put the customer aside with music and call somebody: the first step of an attended transfer."""

    kind: TransferKind
    target: str
    note: str = ""  # for who is asked


@record
class ConsultSwapRequested(CallRequest):
    """Talk with the other of the two: customer or consulted."""


@record
class ConsultCompleteRequested(CallRequest):
    """Connect the customer with the consulted, and leave."""


@record
class ConsultCancelRequested(CallRequest):
    """Let the consulted go, at any stage of a consult or from a three-way, and go on with the customer."""


@record
class ThreeWayRequested(CallRequest):
    """Customer, agent and consulted together."""


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
