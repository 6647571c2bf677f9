"""The floor: one queue over Event Socket with nothing but the switch's work in it. No checks, no product.

Same media and sockets as Trunkline: an outbound socket for each call and again after the talk, a prompt that a key
stops, a lease of music, an originated leg that parks, a bridge, a stereo recording. ``python -m tests.bench.bare_loop
SWITCH_PORT PASSWORD LISTEN_PORT AGENTS PROMPT RECORDINGS``; agents are the numbers 8001, 8002 … of gateway ``carrier``.
"""

from __future__ import annotations

import selectors
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator

EVENTS = "CHANNEL_PARK CHANNEL_BRIDGE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE DTMF"
Headers = dict[str, str]


def headers_of(head: bytes) -> Headers:
    return dict(line.split(": ", 1) for line in head.decode(errors="replace").split("\n") if ": " in line)


class Frames:
    """Event Socket messages out of a stream of bytes."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[Headers, bytes]]:
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\n\n")
            if not found:
                return
            headers = headers_of(head)
            length = int(headers.get("Content-Length", 0))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            yield headers, rest[:length]


class BareLoop:
    def __init__(self, port: int, password: str, listen_port: int, agents: int, prompt: str, recordings: str) -> None:
        self._prompt, self._recordings = prompt, recordings
        self._selector = selectors.DefaultSelector()
        self._events = self._link(port, password, f"event plain {EVENTS}")
        self._commands = self._link(port, password, "noevents")
        self._listener = socket.create_server(("127.0.0.1", listen_port), backlog=512)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._follow(self._events, self._event)
        self._follow(self._commands, lambda headers, body: None)
        self._idle = deque(8001 + number for number in range(agents))
        self._waiting: deque[str] = deque()
        self._in_menu: set[str] = set()
        self._arrivals: dict[str, socket.socket] = {}
        self._offered: dict[str, tuple[int, str]] = {}
        self._legs = 0

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _link(self, port: int, password: str, first: str) -> socket.socket:
        link = socket.create_connection(("127.0.0.1", port))
        link.sendall(f"auth {password}\n\n{first}\n\n".encode())
        return link

    def _follow(self, link: socket.socket, handle: Callable[[Headers, bytes], None]) -> None:
        frames = Frames()

        def read() -> None:
            if link.fileno() < 0:  # an earlier event of this round closed it
                return
            data = link.recv(1 << 20)
            if not data:
                self._drop(link)
                return
            for headers, body in frames.feed(data):
                handle(headers, body)

        self._selector.register(link, selectors.EVENT_READ, read)

    def _send(self, command: str) -> None:
        self._commands.sendall(f"{command}\n\n".encode())

    def _execute(self, leg: str, application: str, argument: str) -> None:
        self._send(
            f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: {application}\n"
            f"execute-app-arg: {argument}\nevent-lock: true"
        )

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        link.sendall(b"connect\n\n")
        self._follow(link, lambda headers, body: self._arrived(link, headers))

    def _arrived(self, link: socket.socket, headers: Headers) -> None:
        leg = headers.get("Unique-ID", "")
        if not leg:
            return
        self._arrivals[leg] = link
        if headers.get("Caller-Destination-Number") == "arrival":
            self._send(f"api uuid_kill {leg}")
            return
        self._in_menu.add(leg)
        self._execute(leg, "answer", "")
        self._execute(leg, "playback", self._prompt)

    def _event(self, headers: Headers, body: bytes) -> None:
        if headers.get("Content-Type") != "text/event-plain":
            return
        event = headers_of(body)
        name, leg = event["Event-Name"], event.get("Unique-ID", "")
        if name == "DTMF" and leg in self._in_menu:
            self._in_menu.discard(leg)
            self._send(f"api uuid_break {leg} all")
            self._music(leg)
            self._waiting.append(leg)
            self._match()
        elif name == "CHANNEL_PARK" and leg in self._offered:
            self._send(f"bgapi uuid_bridge {leg} {self._offered[leg][1]}")
        elif name == "CHANNEL_BRIDGE" and leg in self._offered:
            caller = self._offered[leg][1]
            self._send(f"api uuid_record {caller} start {self._recordings}/{caller}.wav")
            self._close(caller)
        elif name == "CHANNEL_EXECUTE_COMPLETE" and leg in self._waiting and event.get("Application") == "playback":
            if "local_stream" in event.get("Application-Data", ""):
                self._music(leg)
        elif name == "CHANNEL_HANGUP":
            self._gone(leg)

    def _gone(self, leg: str) -> None:
        if leg in self._offered:
            self._idle.append(self._offered.pop(leg)[0])
            self._match()
        elif leg in self._arrivals:
            self._close(leg)

    def _music(self, leg: str) -> None:
        self._execute(leg, "playback", "{timeout=20000}local_stream://default")

    def _close(self, leg: str) -> None:
        link = self._arrivals.pop(leg, None)
        if link is not None:
            self._drop(link)

    def _drop(self, link: socket.socket) -> None:
        if link.fileno() >= 0:
            self._selector.unregister(link)
            link.close()

    def _match(self) -> None:
        while self._idle and self._waiting:
            caller, agent = self._waiting.popleft(), self._idle.popleft()
            self._legs += 1
            leg = f"bare-{id(self):x}-{self._legs}"
            self._offered[leg] = (agent, caller)
            variables = f"origination_uuid={leg},originate_timeout=10,ignore_early_media=true,hangup_after_bridge=true"
            self._send(f"bgapi originate {{{variables}}}sofia/gateway/carrier/{agent} &park()")


if __name__ == "__main__":
    port, password, listen_port, agents, prompt, recordings = sys.argv[1:]
    BareLoop(int(port), password, int(listen_port), int(agents), prompt, recordings).run()
