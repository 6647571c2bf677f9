"""One channel of the model: its states, variables, stack of running applications."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from apps.switches.simulator.clock import Timer

if TYPE_CHECKING:
    from apps.switches.simulator.applications import Application
    from apps.switches.simulator.bridge import Bridge

# Channel-State-Number as a real switch prints it.
STATE_NUMBER = {
    "CS_NEW": 0,
    "CS_NONE": 0,
    "CS_INIT": 1,
    "CS_ROUTING": 2,
    "CS_SOFT_EXECUTE": 3,
    "CS_EXECUTE": 4,
    "CS_EXCHANGE_MEDIA": 5,
    "CS_PARK": 6,
    "CS_CONSUME_MEDIA": 7,
    "CS_HIBERNATE": 8,
    "CS_RESET": 9,
    "CS_HANGUP": 10,
    "CS_REPORTING": 11,
    "CS_DESTROY": 12,
}

CALLSTATE_NUMBER = {"DOWN": 0, "RINGING": 2, "ACTIVE": 4, "HELD": 5, "HANGUP": 8, "UNHELD": 9}


class Controller(Protocol):
    """Who holds the other end of a channel's outbound socket."""

    def attached(self, channel: Channel) -> None:
        """The socket is connected and the channel idles in it."""

    def hung_up(self, channel: Channel) -> None:
        """The channel ended; the controller may let go."""


@dataclass(slots=True)
class Message:
    """A ``sendmsg`` with ``call-command: execute``, waiting for its turn on the channel."""

    app: str
    data: str
    uuid: str
    locked: bool


@dataclass(slots=True)
class Recording:
    path: str
    started_ms: int
    stereo: bool = False
    masked_ms: int | None = None  # since when, while it is paused
    masks: list[tuple[int, int]] = field(default_factory=list)  # pauses that ended: from, to


@dataclass(slots=True)
class Job:
    """A ``bgapi`` that has not been answered yet."""

    uuid: str
    command: str
    argument: str


@dataclass(slots=True, eq=False)
class Channel:
    """``state`` is what the channel runs; ``next_state`` what it was told to go to (its number rides on events)."""

    uuid: str
    name: str
    direction: str  # inbound | outbound
    caller_number: str
    caller_name: str
    destination: str
    created_ms: int
    context: str = "public"
    profile: str = "trunks"
    network_addr: str = "127.0.0.1"
    state: str = "CS_NEW"
    next_state: str = "CS_NEW"
    callstate: str = "DOWN"
    answer_state: str = "ringing"
    hit_dialplan: bool = False
    hangup_cause: str = ""
    answered_ms: int = 0
    progress_ms: int = 0
    bridged_ms: int = 0
    hangup_ms: int = 0
    held_ms: int = 0
    muted: bool = False  # what it says is heard by nobody
    tones_heard: str = ""  # DTMF that the switch has sent to its far end
    hold_total_ms: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    actions: deque[tuple[str, str]] = field(default_factory=deque)
    apps: list[Application] = field(default_factory=list)
    inbox: deque[Message] = field(default_factory=deque)
    controller: Controller | None = None
    resumes: bool = False  # its controller said "resume": a socket that closes passes through a reset
    socket_lost: bool = False  # its controller died; an idle socket application ends
    deaf: bool = False  # outside any application that reads messages: sendmsg says +OK and never runs
    bridge: Bridge | None = None
    peer: Channel | None = None  # the last one it was, or is to be, bridged to
    recordings: dict[str, Recording] = field(default_factory=dict)
    originate_job: Job | None = None
    park_timer: Timer | None = None
    phone: str = ""  # the simulated phone or caller at its far end
    pressed: str = ""  # all keys pressed at its far end
    session_id: int = 0

    @property
    def alive(self) -> bool:
        return not self.hangup_cause

    @property
    def answered(self) -> bool:
        return self.answered_ms > 0

    @property
    def bridged_to(self) -> Channel | None:
        return self.bridge.other(self) if self.bridge is not None and self.bridge.up else None

    def flag(self, variable: str) -> bool:
        return self.variables.get(variable, "").lower() in ("true", "yes", "on", "1")
