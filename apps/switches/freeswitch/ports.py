"""What the driver's logic needs of the world: one way out, a clock, timers, and its arrival sockets.

The logic (``control``, ``media``, ``snapshot``) does no I/O and knows no gevent, so it is tested without either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from apps.core.events import SwitchEvent
from apps.core.ids import LegId
from apps.switches.freeswitch.settings import FreeSwitchSettings

Then = Callable[[str], None]
"""Takes the reply's text: ``+OK …``, ``-ERR …``, or an api's output. Called once; ``LINK_LOST`` when the link is."""

LINK_LOST = "-ERR link lost"
"""What ``Then`` is given for a command whose reply can no longer come."""


class Lane(Enum):
    """The switch runs the commands of one link one after another, so what must not wait has a link of its own."""

    CALLS = "calls"  # all but the following: their order is kept
    OFFERS = "offers"  # an agent who is free is offered the next caller behind nobody
    READING = "reading"  # the switch's lists: 600 channels took 26 ms, their dumps 280 ms. **live**
    RECORDINGS = "recordings"  # opening or closing a file took 13 ms, at the 95th percentile 27 ms. **live**


class Ports(Protocol):
    def send(self, frame: bytes, then: Then | None = None, lane: Lane = Lane.CALLS) -> None:
        """Put a command on a lane's link. Replies come in the order of that lane's commands."""

    def later(self, delay_ms: int, act: Callable[[], None]) -> None:
        """Run ``act`` in the driver's thread after ``delay_ms``."""

    def now_ms(self) -> int:
        """A clock that never goes back."""

    def token(self) -> str:
        """A fresh id of ours for a job or an application."""

    def emit(self, event: SwitchEvent) -> None: ...

    def holds(self, leg: LegId) -> bool:
        """Whether an arrival socket of ours holds this leg."""

    def close_arrival(self, leg: LegId) -> None:
        """Close the leg's arrival sockets; harmless once it is out of the socket application."""

    def release_arrival(self, leg: LegId, then: Callable[[], None]) -> None:
        """Close the leg's arrival sockets, wait until the switch has let go of them, then act."""


@dataclass(slots=True)
class Counters:
    """What has happened so far: plain numbers that only grow."""

    events: int = 0
    commands: int = 0
    arrivals: int = 0
    refused: int = 0  # commands we could not take or had to refuse as unsafe
    reconnects: int = 0
    gaps: int = 0  # times events seem to have been lost
    unreadable: int = 0  # events that were no JSON


@dataclass(frozen=True, slots=True)
class Context:
    """What all parts of one driver share."""

    settings: FreeSwitchSettings
    ports: Ports
    counters: Counters
