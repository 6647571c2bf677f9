"""A bare Event Socket client for looking at the switch from outside; nothing of the driver under test is in it."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any


class Refused(ConnectionError):
    """The switch did not let us in."""


class EventSocket:
    def __init__(self, port: int, password: str, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=20)
        self._file = self._socket.makefile("rb")
        self._events: list[dict[str, Any]] = []
        try:
            self._read()
            headers, _ = self._command(f"auth {password}")
        except EOFError as error:
            raise Refused("closed") from error
        if not headers.get("Reply-Text", "").startswith("+OK"):
            raise Refused(headers.get("Reply-Text", ""))

    def api(self, command: str) -> str:
        return self._command(f"api {command}")[1].decode(errors="replace")

    def channels(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.api("show channels as json")).get("rows", [])
        return rows

    def variable(self, uuid: str, name: str) -> str:
        value = self.api(f"uuid_getvar {uuid} {name}").strip()
        return "" if value in ("_undef_", "") or value.startswith("-ERR") else value

    def subscribe(self, names: str) -> None:
        self._command(f"event json {names}")

    def next_event(self, timeout_s: float = 20.0) -> dict[str, Any]:
        """Raises ``TimeoutError``."""
        self._socket.settimeout(timeout_s)
        while not self._events:
            self._keep_event(*self._read())
        return self._events.pop(0)

    def _keep_event(self, headers: dict[str, str], body: bytes) -> None:
        if headers.get("Content-Type") == "text/event-json":
            self._events.append(json.loads(body.decode(errors="replace")))

    def close(self) -> None:
        """Also ends a read that another thread is waiting in."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _command(self, line: str) -> tuple[dict[str, str], bytes]:
        self._socket.sendall(f"{line}\n\n".encode())
        while True:
            headers, body = self._read()
            if headers.get("Content-Type") in ("command/reply", "api/response", "text/rude-rejection"):
                return headers, body
            self._keep_event(headers, body)

    def _read(self) -> tuple[dict[str, str], bytes]:
        headers: dict[str, str] = {}
        while True:
            line = self._file.readline()
            if not line:
                raise EOFError("the switch closed the connection")
            text = line.decode(errors="replace").rstrip("\n")
            if not text and headers:
                break
            key, _, value = text.partition(": ")
            headers[key] = value
        return headers, self._file.read(int(headers.get("Content-Length", 0)))
