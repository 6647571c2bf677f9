"""What the switch says of the agents' legs, on a connection of its own, the same for every kind, by its own clock.

It asks for little, and in the form that costs the switch least, so as not to weigh on what it measures.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

from tests.bench.bare_loop import Frames, Headers, headers_of

EVENTS = "CHANNEL_CREATE CHANNEL_HANGUP CHANNEL_BRIDGE DTMF"
ANY_OF = ("Call-Direction outbound", "Event-Name CHANNEL_BRIDGE", "Event-Name DTMF")


@dataclass
class Seen:
    """``turnarounds_ms``: from an agent's leg hung up to the same agent's next leg.

    ``offers_ms``: from the key that puts a caller in line to the leg that was bridged to this caller.
    """

    turnarounds_ms: list[float] = field(default_factory=list)
    offers_ms: list[float] = field(default_factory=list)
    talks: int = 0


class Watch:
    def __init__(self, port: int, password: str) -> None:
        self._link = socket.create_connection(("127.0.0.1", port))
        asked = (f"auth {password}", *(f"filter {rule}" for rule in ANY_OF), f"event plain {EVENTS}")
        self._link.sendall("".join(f"{line}\n\n" for line in asked).encode())
        self._freed_us: dict[str, int] = {}  # agent's number
        self._made_us: dict[str, int] = {}  # agent's leg
        self._keyed_us: dict[str, int] = {}  # caller's leg
        self.seen = Seen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        frames = Frames()
        with contextlib.suppress(OSError):  # closed by ``stop``
            while data := self._link.recv(1 << 20):
                for headers, body in frames.feed(data):
                    if headers.get("Content-Type") == "text/event-plain":
                        self._take(headers_of(body))

    def _take(self, event: Headers) -> None:
        name, leg, at_us = event["Event-Name"], event.get("Unique-ID", ""), int(event["Event-Date-Timestamp"])
        agent = event.get("Caller-Destination-Number", "")
        if name == "CHANNEL_BRIDGE":
            self._bridged(event["Bridge-A-Unique-ID"], event["Bridge-B-Unique-ID"])
        elif name == "DTMF":
            self._keyed_us.setdefault(leg, at_us)
        elif event.get("Call-Direction") != "outbound":
            return
        elif name == "CHANNEL_HANGUP":
            self._freed_us[agent] = at_us
        else:
            self._made_us[leg] = at_us
            if agent in self._freed_us:
                self.seen.turnarounds_ms.append((at_us - self._freed_us.pop(agent)) / 1000)

    def _bridged(self, *pair: str) -> None:
        self.seen.talks += 1
        made_us = next((self._made_us[leg] for leg in pair if leg in self._made_us), None)
        keyed_us = next((self._keyed_us[leg] for leg in pair if leg in self._keyed_us), None)
        if made_us is not None and keyed_us is not None:
            self.seen.offers_ms.append((made_us - keyed_us) / 1000)

    def stop(self) -> Seen:
        """From here on nothing is counted: the next kind's first calls are no turnaround of this one."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()
        self._thread.join(5)
        return self.seen
