"""A switch's side of Event Socket, just enough of it, in plain threads and on real TCP."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.core.events import SwitchEvent
from tests.switches.freeswitch.recorded import plain

PASSWORD = "secret"


def until(probe: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.002)


@dataclass
class Inbox:
    """What a driver emits, across threads."""

    events: list[SwitchEvent] = field(default_factory=list)

    def __call__(self, event: SwitchEvent) -> None:
        self.events.append(event)

    def wait(self, kind: type[SwitchEvent], count: int = 1, seconds: float = 10.0) -> list[SwitchEvent]:
        until(lambda: len(self.of(kind)) >= count, f"{count} {kind.__name__}; there are {self.events}", seconds)
        return self.of(kind)

    def of(self, kind: type[SwitchEvent]) -> list[SwitchEvent]:
        return [event for event in list(self.events) if isinstance(event, kind)]


class Peer:
    """Answers logins and commands; a test pushes events, tears connections, or keeps silent."""

    def __init__(self, boot: str = "boot-1") -> None:
        self.boot = boot
        self.commands: list[str] = []
        self.silent = False  # read commands, answer none
        self.greeting = b"Content-Type: auth/request\n\n"
        self.connections: list[socket.socket] = []
        self.subscribers: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                self.connections.append(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.sendall(self.greeting)
            data = b""
            while chunk := sock.recv(65_536):
                data += chunk
                while b"\n\n" in data:
                    command, _, data = data.partition(b"\n\n")
                    self._answer(sock, command.decode())

    def _answer(self, sock: socket.socket, command: str) -> None:
        self.commands.append(command)
        if self.silent:
            return
        if command == f"auth {PASSWORD}":
            self._reply(sock, "+OK accepted")
        elif command.startswith("auth "):
            self._reply(sock, "-ERR invalid")
        elif command == "api global_getvar core_uuid":
            self._api(sock, self.boot)
        elif command.startswith("event plain"):
            self.subscribers.append(sock)
            self._reply(sock, "+OK event listener enabled plain")
            self.push({"Event-Name": "HEARTBEAT", "Event-Sequence": "1"})  # in the same breath as the reply
        elif command.startswith("api "):
            self._api(sock, "+OK")
        else:
            self._reply(sock, "+OK")

    def _reply(self, sock: socket.socket, text: str) -> None:
        sock.sendall(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())

    def _api(self, sock: socket.socket, text: str) -> None:
        sock.sendall(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(text), text.encode()))

    def push(self, event: dict[str, str]) -> None:
        self.push_raw(plain(event))

    def push_raw(self, body: bytes) -> None:
        self.write(b"Content-Type: text/event-plain\nContent-Length: %d\n\n%s" % (len(body), body))

    def write(self, data: bytes) -> None:
        self.subscribers[-1].sendall(data)

    def tear(self) -> None:
        """Every connection ends at once, as when the switch is killed."""
        for sock in self.connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.connections.clear()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.tear()
