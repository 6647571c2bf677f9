"""From an event's headers to the core's events. No I/O; all state is the small note in ``legs.py``.

Only the event's own headers are read, by name: nothing a caller chose (his name, his number) is ever a header here.
Seen live unless said otherwise: CHANNEL_BRIDGE and CHANNEL_UNBRIDGE come on the A leg only; a gateway that does not
exist gives no hangup, and the cause in the job's reply.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from apps.core.events import (
    CallArrived,
    DeviceChanged,
    DigitPressed,
    HangupCause,
    LegAnswered,
    LegHeld,
    LegHungUp,
    LegJoined,
    LegParked,
    LegRinging,
    LegRole,
    LegsBridged,
    LegsUnbridged,
    LegUnheld,
    RecordingFailed,
    RecordingStopped,
    SnapshotLeg,
    SwitchEvent,
    TrunkChanged,
)
from apps.core.ids import AgentId, CallId, LegId, RecordingId, SwitchId, TrunkId
from apps.switches.freeswitch import clean, framing
from apps.switches.freeswitch.causes import cause_of
from apps.switches.freeswitch.encode import TAG, TOKEN
from apps.switches.freeswitch.legs import Leg
from apps.switches.freeswitch.settings import FreeSwitchSettings

Headers = framing.Event

# The switch has deleted the file again: no audio came, or too little of it (switch_ivr_async.c).
_NO_FILE = frozenset({"empty-file", "input-too-short"})
_DIGITS = frozenset("0123456789*#ABCD")

# What the events connection asks for: each event costs the switch 4 to 12 KB of text, the later in a call the more.
# CHANNEL_STATE, CALL_UPDATE and the like are half of all bytes and tell nothing; CHANNEL_HANGUP_COMPLETE and
# CHANNEL_DESTROY, the largest, tell nothing that CHANNEL_HANGUP and RECORD_STOP have not told; CHANNEL_CREATE tells
# what an arrival or an originate tells, CHANNEL_ANSWER what CHANNEL_PARK or the reply to uuid_answer tells, and
# RECORD_START what the reply to uuid_record tells. Of a customer's leg fewer still are let through: ``encode.FILTERS``.
SUBSCRIPTION = (
    "CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_PARK "
    "CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_EXECUTE_COMPLETE "
    "CHANNEL_HANGUP DTMF RECORD_STOP BACKGROUND_JOB HEARTBEAT "
    "CUSTOM sofia::register sofia::unregister sofia::expire sofia::gateway_state conference::maintenance"
)


_GATEWAY_WORKS = frozenset({"REGED", "NOREG"})


def field(headers: Headers, name: str) -> str:
    """A header's text; "" when it is missing or, as with repeated variables, not a text."""
    value = headers.get(name)
    return value if isinstance(value, str) else ""


def token(headers: Headers) -> str:
    """What ``encode.playback`` has put into the argument of a playback that is over; "" in another's."""
    argument = field(headers, "Application-Data")
    if not argument.startswith("{" + TOKEN):
        return ""
    return argument[1 + len(TOKEN) :].partition("}")[0].partition(",")[0]


def tags(headers: Headers) -> tuple[CallId, LegRole, AgentId | None] | None:
    """Our mark on a channel, when it carries one (``encode._tag``)."""
    role, _, rest = field(headers, f"variable_{TAG}").partition(":")
    call, _, agent = rest.partition(":")
    agent = agent.partition(":")[2]
    if not call or role not in list(LegRole):
        return None
    return CallId(call), LegRole(role), AgentId(agent) if agent else None


ARRIVAL_HEADERS = (
    "Unique-ID", "Answer-State", "Caller-Destination-Number", "Caller-Caller-ID-Number", "Caller-Caller-ID-Name",
    f"variable_{TAG}", "variable_trunkline_did",
    "variable_trunkline_trunk", "variable_sip_req_user", "variable_sip_to_user", "variable_sip_gateway",
    "variable_sofia_profile_name", "variable_playback_terminators", "variable_transfer_after_bridge",
)  # fmt: skip


def arrival(headers: Headers, settings: FreeSwitchSettings) -> CallArrived:
    """From the reply to ``connect`` on a per-call socket, its ``ARRIVAL_HEADERS`` unquoted.

    Raises ``clean.Unsafe`` when it names no channel.
    """
    marks = tags(headers)
    did = field(headers, "variable_trunkline_did") or field(headers, "Caller-Destination-Number")
    if did == settings.arrival_extension:  # a transfer has put the extension's name there
        did = field(headers, "variable_sip_req_user") or field(headers, "variable_sip_to_user") or did
    trunk = (
        field(headers, "variable_trunkline_trunk")
        or field(headers, "variable_sip_gateway")
        or field(headers, "variable_sofia_profile_name")
    )
    return CallArrived(
        switch=settings.switch,
        leg=LegId(clean.ident(field(headers, "Unique-ID"))),
        did=clean.text(did),
        caller_number=clean.text(field(headers, "Caller-Caller-ID-Number")),
        caller_name=clean.text(field(headers, "Caller-Caller-ID-Name")),
        trunk=clean.text(trunk),
        call=marks[0] if marks else None,
        answered=field(headers, "Answer-State") == "answered",
    )


def hungup(leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    """The one ``LegHungUp`` of a leg whose end is known, once nothing of it is outstanding."""
    if leg.gone is None or leg.ended:
        return []
    leg.ended = True
    cause, word = leg.gone
    return [LegHungUp(switch=switch, leg=leg.leg, cause=cause, raw=word)]


def _ringing(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    if leg.rang or leg.answered or not (leg.originated or leg.called):
        return []
    leg.rang = True
    return [LegRinging(switch=switch, leg=leg.leg)]


def _answered(leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    """It parks as soon as it is answered."""
    if leg.answered:
        return []
    leg.answered = True
    return [LegAnswered(switch=switch, leg=leg.leg)]


def _parked(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    # A customer leg "parks" each time it waits in the socket application: that is its normal state.
    if not (leg.originated or leg.called) or field(headers, "Answer-State") != "answered":
        return []
    leg.called = False  # from here on a customer like any other
    return [*_answered(leg, switch), LegParked(switch=switch, leg=leg.leg)]


def _bridged(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    other = field(headers, "Bridge-B-Unique-ID") or field(headers, "Other-Leg-Unique-ID")
    return [LegsBridged(switch=switch, leg=leg.leg, other=LegId(other))] if other else []


def _unbridged(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    other = field(headers, "Bridge-B-Unique-ID") or field(headers, "Other-Leg-Unique-ID")
    return [LegsUnbridged(switch=switch, leg=leg.leg, other=LegId(other))] if other else []


def _held(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    return [LegHeld(switch=switch, leg=leg.leg)]


def _unheld(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    return [LegUnheld(switch=switch, leg=leg.leg)]


def _digit(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    digit = field(headers, "DTMF-Digit")
    return [DigitPressed(switch=switch, leg=leg.leg, digit=digit)] if digit in _DIGITS else []


def _recording(headers: Headers, leg: Leg) -> tuple[str, RecordingId | None]:
    path = field(headers, "Record-File-Path")
    known = leg.recordings.get(path)
    if known is None and leg.adopted:
        known = RecordingId(clean.text(PurePosixPath(path).stem))  # begun by an engine that is no more
    return path, known


def _record_stopped(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    path, recording = _recording(headers, leg)
    leg.recordings.pop(path, None)
    if recording is None or recording in leg.recorded:
        return []
    leg.recorded.add(recording)
    return [_recorded(headers, leg, recording, switch), *([] if leg.recordings else hungup(leg, switch))]


def _recorded(headers: Headers, leg: Leg, recording: RecordingId, switch: SwitchId) -> SwitchEvent:
    if (why := field(headers, "Record-Completion-Cause")) in _NO_FILE:
        return RecordingFailed(switch=switch, leg=leg.leg, recording=recording, reason=why)
    length = field(headers, "variable_record_ms")
    duration_ms = int(length) if length.isascii() and length.isdigit() else 0
    return RecordingStopped(switch=switch, leg=leg.leg, recording=recording, duration_ms=duration_ms)


def _hangup(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    if leg.gone is None:
        word = field(headers, "Hangup-Cause") or "NONE"
        leg.gone = (cause_of(word), word)
    # RECORD_STOP comes after CHANNEL_HANGUP, and is told first; ``Control.tick`` does not wait for it for ever.
    return [] if may_record(leg) else hungup(leg, switch)


def may_record(leg: Leg) -> bool:
    """The end of a recording of this leg may still be to come."""
    return bool(leg.recordings) or (leg.adopted and not leg.originated and not leg.recorded)


LegDecoder = Callable[[Headers, Leg, SwitchId], list[SwitchEvent]]

_BY_NAME: dict[str, LegDecoder] = {
    "CHANNEL_PROGRESS": _ringing,
    "CHANNEL_PROGRESS_MEDIA": _ringing,
    "CHANNEL_PARK": _parked,
    "CHANNEL_BRIDGE": _bridged,
    "CHANNEL_UNBRIDGE": _unbridged,
    "CHANNEL_HOLD": _held,
    "CHANNEL_UNHOLD": _unheld,
    "CHANNEL_HANGUP": _hangup,
    "DTMF": _digit,
    "RECORD_STOP": _record_stopped,
}


_AFTER_THE_END = frozenset({"CHANNEL_UNBRIDGE", "RECORD_STOP"})  # these come after CHANNEL_HANGUP, and still count


def leg_events(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    """What an event of one of our legs means to the core; [] for most names."""
    name = field(headers, "Event-Name")
    decoder = _BY_NAME.get(name)
    late = name in _AFTER_THE_END
    return decoder(headers, leg, switch) if decoder and (late or not leg.ended) else []


def gateway_status(reply: str, trunk: TrunkId, switch: SwitchId) -> TrunkChanged | None:
    """From the table that ``sofia status gateway`` prints. None: an answer to something else, or none at all."""
    if reply.strip() == "Invalid Gateway!":
        return TrunkChanged(switch=switch, trunk=trunk, up=False, detail="the switch has no such gateway")
    columns = (line.partition("\t") for line in reply.splitlines())
    table = {name.strip(): value.strip() for name, _, value in columns}
    state, status = table.get("State", ""), table.get("Status", "")
    if not state:
        return None
    up = state in _GATEWAY_WORKS and not status.startswith("DOWN")
    return TrunkChanged(switch=switch, trunk=trunk, up=up, detail=clean.text(f"{state} {status}".strip()))


def custom_events(headers: Headers, settings: FreeSwitchSettings) -> list[SwitchEvent]:
    """Registrations and trunk states (mod_sofia). Note that ``sofia::expire`` has ``user`` where others have more."""
    kind = field(headers, "Event-Subclass")
    if kind == "sofia::gateway_state":
        trunk = settings.gateways.get(field(headers, "Gateway"))
        if trunk is None:
            return []
        state = field(headers, "State")
        up = state in _GATEWAY_WORKS and field(headers, "Ping-Status") != "DOWN"
        detail = clean.text(" ".join(filter(None, (state, field(headers, "Status"), field(headers, "Phrase")))))
        return [TrunkChanged(switch=settings.switch, trunk=trunk, up=up, detail=detail)]
    if kind in ("sofia::register", "sofia::unregister", "sofia::expire"):
        address = clean.text(field(headers, "from-user") or field(headers, "user"), 64)
        if not address:
            return []
        return [DeviceChanged(switch=settings.switch, address=address, registered=kind == "sofia::register")]
    return []


def room_events(headers: Headers, leg: Leg, switch: SwitchId) -> list[SwitchEvent]:
    """Who comes into a three-way; who leaves it is heard of by other events."""
    if field(headers, "Event-Subclass") != "conference::maintenance" or field(headers, "Action") != "add-member":
        return []
    return [LegJoined(switch=switch, leg=leg.leg, room=clean.text(field(headers, "Conference-Name"), 64))]


def job_failure(body: str) -> str | None:
    """The error of a finished background job, or None when it went well."""
    if not body.startswith("-"):
        return None
    return body.removeprefix("-ERR").strip()[:128] or "ERROR"  # -USAGE and the like are errors as well


def originate_failure(leg: Leg, error: str, switch: SwitchId) -> list[SwitchEvent]:
    """The end of a leg whose originate failed, unless the channel's own hangup has told it already."""
    if leg.gone is None:
        word = error.split()[0]
        leg.gone = (HangupCause.CANCELLED if leg.doomed else cause_of(word), clean.text(word))
    return hungup(leg, switch)


def waits_for_engine(headers: Headers, settings: FreeSwitchSettings) -> bool:
    """Whether a dumped channel sits idle in the arrival extension's ``socket`` application."""
    return (
        field(headers, "variable_current_application") == "socket"
        and field(headers, "Caller-Context") == settings.context
        and field(headers, "Channel-State") == "CS_EXECUTE"
    )


def snapshot_leg(headers: Headers, present: frozenset[str], controlled: bool) -> SnapshotLeg | None:
    """A leg from its ``uuid_dump``; None when it is not ours. ``present``: the ids of all channels of the switch.

    A channel keeps its last partner's id after the talk, so a bridge counts only while the channel is in a state that
    bridges have and the partner is there.
    """
    marks = tags(headers)
    if marks is None and not controlled:
        return None
    other = field(headers, "Other-Leg-Unique-ID") or field(headers, "variable_bridge_uuid")
    talking = field(headers, "Channel-State") in ("CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE")
    call, role, agent = marks or (None, LegRole.CUSTOMER, None)
    return SnapshotLeg(
        leg=LegId(field(headers, "Unique-ID")),
        call=call,
        role=role,
        agent=agent,
        answered=field(headers, "Answer-State") == "answered",
        bridged_to=LegId(other) if talking and other in present else None,
        controlled=controlled,
        in_room=field(headers, "variable_current_application") == "conference"
        and field(headers, "Channel-State") == "CS_EXECUTE",
    )
