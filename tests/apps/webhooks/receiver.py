"""A receiver of webhooks on loopback that behaves as badly as it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """``manner``: a status to answer with, or ``slow``, ``dying``, ``drip``, ``endless``, ``garbage``."""

    manner: str | int = 200
    received: list[Received] = field(default_factory=list)
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def types(self) -> list[str]:
        return [item.message["type"] for item in self.received]


@contextmanager
def receiver(manner: str | int = 200) -> Iterator[Receiver]:
    running = Receiver(manner)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.received.append(Received({key.lower(): value for key, value in self.headers.items()}, body))
            try:
                _answer(self, running)
            except OSError:
                self.close_connection = True  # the sender had enough

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.released.set()
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, running: Receiver) -> None:
    manner = running.manner
    if manner == "slow":
        running.released.wait(30)
    if manner == "dying":
        handler.connection.close()
        return
    if manner == "garbage":
        handler.wfile.write(b"\x00\xff not http at all\r\n\r\n")
        return
    status = manner if isinstance(manner, int) else 200
    handler.send_response(status)
    if 300 <= status < 400:
        handler.send_header("Location", f"http://127.0.0.1:{running.port}/elsewhere")
    handler.end_headers()
    if manner == "drip":
        while not running.released.wait(0.2):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    elif manner == "endless":
        while not running.released.is_set():
            handler.wfile.write(b"\x00\xff" * 50_000)
    else:
        handler.wfile.write("好的 ok\x00".encode())


def wait_for(condition: Any, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
