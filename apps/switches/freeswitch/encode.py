"""From what we want to the bytes of one Event Socket command. Pure; every value is cleaned here, last of all.

All functions raise ``clean.Unsafe`` and then nothing may be sent. A frame is one command: its lines hold no line
break, and free argument text of an application travels as a counted body (``switch_ivr_parse_event``), the safest form.
"""

from __future__ import annotations

from collections.abc import Mapping

from apps.core.commands import BEEP, RINGING_TONE, Destination, DestinationKind, OriginateLeg
from apps.core.events import LegRole
from apps.core.ids import AgentId, CallId, LegId, TenantId
from apps.switches.freeswitch import clean
from apps.switches.freeswitch.settings import FreeSwitchSettings

EVENTS_OF_ANY_LEG = (
    "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CHANNEL_HANGUP", "DTMF", "RECORD_STOP",
    "BACKGROUND_JOB", "HEARTBEAT", "CUSTOM",
)  # fmt: skip
FILTERS = (
    "Call-Direction outbound",
    *(f"Event-Name {name}" for name in EVENTS_OF_ANY_LEG),
    "Application playback",
    "Application -park",
)
DEFAULT_CAUSE = "NORMAL_CLEARING"
TOKEN = "t="
TAG = "trunkline_leg"
TERMINATORS = "any"  # of a leg on which nothing else is set: switch_config/freeswitch/vars.xml
BEEP_STREAM = "tone_stream://%(200,50,800)"
ROOM_PROFILE = "default"  # of mod_conference
RINGING_STREAM = "tone_stream://%(1000,4000,450);loops=-1"  # YD/T 1048: 450 Hz, one second of five


def frame(*lines: str, body: str = "") -> bytes:
    """One command. With a body its length is counted in bytes."""
    rows = [clean.line(row) for row in lines]
    if not body:
        return ("\n".join(rows) + "\n\n").encode("utf-8", "replace")
    raw = clean.argument(body).encode("utf-8", "replace")
    rows += ["content-type:text/plain", f"content-length:{len(raw)}"]
    return ("\n".join(rows) + "\n\n").encode("utf-8", "replace") + raw


def auth(password: str) -> bytes:
    return frame(f"auth {password}")


def subscribe(names: str) -> bytes:
    return frame(f"event plain {names}")


def only_worthwhile() -> list[bytes]:
    """Filters: of the events asked for, those of legs that the switch dialled, and of others what they alone tell.

    An event costs the switch some 0.2 ms to copy, print and send. What a customer's leg does on its way in (it rings,
    parks, runs the dialplan's own applications) we know from its arrival. An event goes out when one rule fits it,
    unless one that begins with ``-`` does (mod_event_socket.c, event_handler).
    """
    return [frame(f"filter {rule}") for rule in FILTERS]


def api(command: str) -> bytes:
    return frame(f"api {clean.argument(command)}")


def bgapi(command: str, job: str) -> bytes:
    """Runs in a thread of its own; its outcome is a BACKGROUND_JOB event with our ``job`` as Job-UUID."""
    return frame(f"bgapi {clean.argument(command)}", f"Job-UUID:{clean.ident(job)}")


def playback(leg: LegId, sound: str, token: str, *parameters: str) -> bytes:
    """Play ``sound``. Locked, so nothing nests inside it. ``token`` comes back in the completion's Application-Data:
    the switch has no use for a parameter that it does not know.

    The switch reads the lines of a command byte by byte, two system calls each, and a body at once
    (mod_event_socket.c, read_packet): so as little as can be stands in lines.
    """
    return frame(
        f"sendmsg {clean.ident(leg)}",
        "call-command:execute",
        "execute-app-name:playback",
        "event-lock:true",
        body=f"{{{','.join((TOKEN + clean.ident(token), *parameters))}}}{sound}",
    )


def answer(leg: LegId) -> bytes:
    """Done when it is replied to; an application would cost two events and a command twice as long."""
    return api(f"uuid_answer {clean.ident(leg)}")


def play(leg: LegId, sounds: tuple[str, ...], sounds_dir: str, token: str) -> bytes:
    """Several files go as one ``file_string``, which skips a missing file; a single missing one is reported."""
    files = [BEEP_STREAM if sound == BEEP else f"{sounds_dir}/{clean.relative_path(sound)}" for sound in sounds]
    return playback(leg, files[0] if len(files) == 1 else "file_string://" + "!".join(files), token)


def music(leg: LegId, name: str, lease_ms: int, token: str) -> bytes:
    """A lease: it ends by itself, because a controller's death goes unnoticed while an application runs."""
    stream = RINGING_STREAM if name == RINGING_TONE else f"local_stream://{clean.ident(name)}"
    return playback(leg, stream, token, f"timeout={lease_ms}")


def silence(leg: LegId, lease_ms: int, token: str) -> bytes:
    """What a lease plays when the music is missing."""
    return playback(leg, f"silence_stream://{lease_ms}", token)


def stop_media(leg: LegId) -> bytes:
    return api(f"uuid_break {clean.ident(leg)} all")


def set_variables(leg: LegId, variables: Mapping[str, str]) -> bytes:
    """Values may hold what ``clean.argument`` lets pass, but no ``;``."""
    if any(";" in value for value in variables.values()):
        raise clean.Unsafe("; separates variables")
    pairs = ";".join(f"{name}={value}" for name, value in variables.items())
    return api(f"uuid_setvar_multi {clean.ident(leg)} {pairs}")


def tag(leg: LegId, call: CallId, tenant: TenantId) -> bytes:
    """Ours, from here on: its record says so, and the next engine takes it up."""
    return api(f"uuid_setvar {clean.ident(leg)} {TAG} {_tag(LegRole.CUSTOMER, call, tenant)}")


def _tag(role: LegRole, call: CallId, tenant: TenantId, *agent: AgentId) -> str:
    """In one variable, since each of a channel's is copied into every event of its. Read by ``decode.tags``."""
    return ":".join((role.value, *map(clean.ident, (call, tenant, *agent))))


def way_back(settings: FreeSwitchSettings) -> dict[str, str]:
    """What brings a customer, after the talk or a bridge that failed, to whichever engine lives or to the fallback.

    The arrival extension sets it, each time anew, since the switch forgets it when it acts on it.
    """
    back = f"{clean.ident(settings.arrival_extension)}:XML:{clean.ident(settings.context)}"
    return {"transfer_after_bridge": back}


def keep(leg: LegId, idle_timeout_ms: int) -> bytes:
    """A leg that we originated parks when its peer goes, for so long. A park uses it up: said before each bridge."""
    variables = {
        "park_after_bridge": "true",
        "hangup_after_bridge": "false",
        "park_timeout": str(_seconds(idle_timeout_ms)),
    }
    return set_variables(leg, variables)


def let_go_of(leg: LegId) -> bytes:
    """A leg that was kept in a consult ends with its peer again."""
    return set_variables(leg, {"park_after_bridge": "", "hangup_after_bridge": "true", "park_timeout": "15"})


def join_room(leg: LegId, room: str, role: LegRole, settings: FreeSwitchSettings) -> list[bytes]:
    """Into the conference, and when that ends (its last but one has left) to where such a leg waits for us.

    The profile says that a member who is left alone ends it. Without the variable the switch would hang that one up.
    """
    arrival = f"transfer:{clean.ident(settings.arrival_extension)} XML {clean.ident(settings.context)}"
    afterwards = arrival if role is LegRole.CUSTOMER else "park"
    actions = f"'conference:{clean.ident(room)}@{ROOM_PROFILE},{afterwards}'"
    return [
        set_variables(leg, {"hangup_after_conference": "false"}),
        api(f"uuid_transfer {clean.ident(leg)} {actions} inline"),
    ]


def kill(leg: LegId, word: str) -> bytes:
    cause = "" if word == DEFAULT_CAUSE else f" {clean.ident(word)}"
    return api(f"uuid_kill {clean.ident(leg)}{cause}")


def park(leg: LegId) -> bytes:
    return api(f"uuid_park {clean.ident(leg)}")


def reclaim(leg: LegId, settings: FreeSwitchSettings) -> bytes:
    place = f"{clean.ident(settings.arrival_extension)} XML {clean.ident(settings.context)}"
    return api(f"uuid_transfer {clean.ident(leg)} {place}")


def bridge(customer: LegId, far: LegId, job: str) -> bytes:
    """``customer``, or in a consult the consulted, is the A side (see ``bridging``)."""
    return bgapi(f"uuid_bridge {clean.ident(customer)} {clean.ident(far)}", job)


def hold(leg: LegId, on: bool) -> bytes:
    return api(f"uuid_hold {'' if on else 'off '}{clean.ident(leg)}")


def hold_music(leg: LegId, name: str) -> bytes:
    return set_variables(leg, {"hold_music": f"local_stream://{clean.ident(name)}"})


def mute(leg: LegId, on: bool) -> bytes:
    """What the switch reads from this leg becomes silence. All five words, or the switch only shows its usage."""
    return api(f"uuid_audio {clean.ident(leg)} {'start read mute 1' if on else 'stop'}")


def send_digits(leg: LegId, digits: str) -> bytes:
    return api(f"uuid_send_dtmf {clean.ident(leg)} {clean.digits(digits)}")


def talk(leg: LegId) -> bytes:
    return api(f"uuid_phone_event {clean.ident(leg)} talk")


def record_path(path: str, settings: FreeSwitchSettings) -> str:
    return f"{settings.recordings_dir}/{clean.relative_path(path)}"


def record(leg: LegId, verb: str, path: str) -> bytes:
    """``path`` from ``record_path``; the switch parts its arguments at spaces."""
    if " " in path:
        raise clean.Unsafe("a recording's path has no space")
    return api(f"uuid_record {clean.ident(leg)} {verb} {path}")


def gateway_status(name: str) -> bytes:
    return api(f"sofia status gateway {clean.ident(name)}")


def dump(leg: str) -> bytes:
    return api(f"uuid_dump {clean.ident(leg)} json")


def _target(destination: Destination, settings: FreeSwitchSettings) -> str:
    if destination.kind is DestinationKind.DEVICE:
        return f"user/{clean.account(destination.address)}@{clean.host(settings.domain)}"
    return f"sofia/gateway/{clean.ident(destination.gateway)}/{clean.number(destination.address)}"


def _seconds(ms: int) -> int:
    return max(1, -(-ms // 1000))


def _between_talks(command: OriginateLeg, settings: FreeSwitchSettings) -> dict[str, str]:
    """A customer whom we call comes back to us, like one who has called; other legs end, or stand by if kept open.

    ``rdnis`` is where the peer of such a leg goes when it dies in a bridge's gap. ``park_timeout`` would take
    ``park_after_bridge`` back (IVR:985-997). A line on which nothing is sent may be cut by who carries it.
    """
    if command.role is LegRole.CUSTOMER:
        return {"park_timeout": str(_seconds(command.idle_timeout_ms))}  # the way back is set for each bridge
    rdnis = clean.ident(settings.arrival_extension)
    if command.kept_open:
        return {
            "park_after_bridge": "true",
            "send_silence_when_idle": "400",
            "trunkline_kept": "true",
            "rdnis": rdnis,
        }
    return {
        "park_timeout": str(_seconds(command.idle_timeout_ms)),
        "rdnis": rdnis,
    }


def originate(command: OriginateLeg, settings: FreeSwitchSettings, job: str) -> bytes:
    """The leg gets our id, our tags, and parks when it is answered.

    A caller's number that is none is left out; his name loses whatever the dial string would read as syntax. The
    switch writes no call record of it: a record is for a caller whom the engine missed.
    """
    variables = {
        "origination_uuid": clean.ident(command.leg),
        "process_cdr": "false",
        "ignore_early_media": "true",
        "originate_timeout": str(_seconds(command.ring_timeout_ms)),
        **_between_talks(command, settings),
        TAG: _tag(command.role, command.call, command.tenant, *([] if command.agent is None else [command.agent])),
    }
    if command.destination.kind is DestinationKind.DEVICE:
        # A phone that answers 302 would have the switch dial wherever it says. live: it does, without this.
        variables["outbound_redirect_fatal"] = "true"
    if command.auto_answer:
        # mod_sofia adds Call-Info: <sip:…>;answer-after=0 and intercom=true; Alert-Info is what other phones read. Its
        # NOTIFY "talk" is for AnswerDevice: here it would come on top, and there are phones that drop the call on it.
        variables |= {
            "sip_auto_answer": "true",
            "sip_auto_answer_suppress_notify": "true",
            "sip_h_Alert-Info": "info=alert-autoanswer",
        }
    pairs = ",".join(f"{name}={value}" for name, value in variables.items())
    # What follows: dialplan and context, which &park() needs none of. A time to ring there would not hold for user/….
    caller = f"{_caller_name(command)} {_caller_number(command)}"
    return bgapi(f"originate {{{pairs}}}{_target(command.destination, settings)} &park() - - {caller}", job)


def _caller_number(command: OriginateLeg) -> str:
    try:
        return clean.number(command.caller_number)
    except clean.Unsafe:
        return "anonymous"


def _caller_name(command: OriginateLeg) -> str:
    name = clean.dial_text(command.caller_name)
    return f"'{name}'" if name else "undef"
