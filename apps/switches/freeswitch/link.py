"""One Event Socket connection: greenswitch's ``InboundESL``, made safe.

greenswitch 0.0.19 gives the shape (an Event Socket client on gevent); what is unsafe in it is overridden here: we cut
the stream ourselves (``framing``: no unquoting of bodies, no strict UTF-8, a limit), we write with ``sendall`` from one
greenlet so that commands neither break off nor mix, replies are matched in order without blocking anybody, every
reply has a deadline, and when the connection ends all pending commands fail at once.

Lives in the thread of the hub it was made in; nothing is monkey-patched. It does not reconnect: it ends, and the
driver makes a new one.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

import gevent
from gevent import socket
from gevent.event import AsyncResult, Event
from greenswitch.esl import InboundESL, NotConnectedError

from apps.switches.freeswitch import encode
from apps.switches.freeswitch.framing import Framer, Message, ProtocolError
from apps.switches.freeswitch.ports import LINK_LOST, Then

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
MESSAGES_PER_TURN = 64  # then other greenlets get the hub: a socket with data ready never yields by itself
OUT_LIMIT_BYTES = 8 * 1024 * 1024
PING = encode.api("strepoch")


class LinkError(NotConnectedError):  # type: ignore[misc]
    """The connection could not be made, or is gone."""


class EventSocketLink(InboundESL):  # type: ignore[misc]
    """``on_event`` gets every message that is no reply. ``on_event`` and replies' ``then`` must not block."""

    def __init__(
        self,
        host: str,
        port: int,
        password: str,
        on_event: Callable[[Message], None],
        *,
        timeout_s: float = 5.0,
        reply_timeout_s: float = 10.0,
    ) -> None:
        super().__init__(host, port, password, timeout=timeout_s)
        self._on_event = on_event
        self._reply_timeout_s = reply_timeout_s
        self._pending: deque[tuple[Then, float]] = deque()
        self._out = bytearray()
        self._out_ready = Event()
        self._heard = time.monotonic()
        self._late = False
        self.sock: socket.socket | None = None
        self.reason = ""
        self.ended = Event()

    def connect(self) -> None:
        """Connect and log in. Raises ``LinkError`` or ``OSError``."""
        sock = socket.create_connection((self.host, self.port), timeout=self.timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.settimeout(None)
        self.sock = sock
        self.connected = True
        self._receive_events_greenlet = gevent.spawn(self._read, sock)
        self._process_events_greenlet = gevent.spawn(self._write, sock)
        if not self._auth_request_event.wait(self.timeout):
            self.fail("the switch did not ask for a password")
        if not self.connected:
            raise LinkError(self.reason)
        self.authenticate()

    def authenticate(self) -> None:
        reply = self.call(encode.auth(self.password))
        if reply != "+OK accepted":
            self.fail("the switch refuses our password")
            raise LinkError(self.reason)

    def _read(self, sock: socket.socket) -> None:
        """Read until the connection ends. The socket is always drained: a consumer that stops freezes the switch."""
        framer = Framer()
        try:
            while self.connected:
                data = sock.recv(READ_BYTES)
                if not data:
                    self.fail(self.reason or "the switch closed the connection")
                    return
                self._heard = time.monotonic()
                for count, message in enumerate(framer.feed(data), start=1):
                    self.handle_event(message)
                    if count % MESSAGES_PER_TURN == 0:
                        gevent.sleep(0)
                        self._heard = time.monotonic()
                gevent.sleep(0)
        except (OSError, ProtocolError) as error:
            self.fail(f"{type(error).__name__}: {error}")

    def handle_event(self, message: Message) -> None:
        kind = message.content_type
        if kind == "command/reply":
            self._replied(message.headers.get("Reply-Text", ""))
        elif kind == "api/response":
            self._replied(message.body.decode("utf-8", "replace"))
        elif kind == "auth/request":
            self._auth_request_event.set()
        elif kind == "text/disconnect-notice":
            self.reason = "the switch said goodbye"
        elif kind == "text/rude-rejection":
            self.fail("the switch's access list refuses us")
        else:
            self._guarded(self._on_event, message)

    def _replied(self, text: str) -> None:
        if not self._pending:
            raise ProtocolError("a reply to nothing")
        then, _ = self._pending.popleft()
        self._guarded(then, text)

    def _guarded(self, act: Callable[..., None], value: object) -> None:
        try:
            act(value)
        except Exception:  # whatever a handler trips over, the next message must be read
            log.exception("a handler of the link to %s:%s failed", self.host, self.port)

    def request(self, frame: bytes, then: Then | None = None) -> None:
        """Send a command; ``then`` gets its reply, or ``LINK_LOST``. Never blocks."""
        if not self.connected:
            if then is not None:
                then(LINK_LOST)
            return
        if not self._pending:
            self._heard = time.monotonic()
        self._pending.append((then or _ignore, time.monotonic()))
        self._out += frame
        self._out_ready.set()
        if len(self._out) > OUT_LIMIT_BYTES:
            self.fail("the switch does not take our commands")

    def call(self, frame: bytes) -> str:
        """Send a command and wait for its reply. Raises ``LinkError``. Only while setting up, never in a handler."""
        answer: AsyncResult[str] = AsyncResult()
        self.request(frame, answer.set)
        try:
            reply = answer.get(timeout=self._reply_timeout_s) or ""
        except gevent.Timeout:
            self.fail("no reply from the switch")
            raise LinkError(self.reason) from None
        if reply == LINK_LOST:
            raise LinkError(self.reason)
        return reply

    def send(self, data: str) -> str:
        """greenswitch's own way in: one command as text, cleaned like all others."""
        return self.call(encode.frame(*data.split("\n")))

    def _write(self, sock: socket.socket) -> None:
        try:
            while self.connected:
                self._out_ready.wait()
                self._out_ready.clear()
                while self._out and self.connected:
                    chunk, self._out = bytes(self._out), bytearray()
                    sock.sendall(chunk)
        except OSError as error:
            self.fail(f"{type(error).__name__}: {error}")

    def check(self) -> None:
        """To be called every half second: a silent peer is asked for a sign of life, a hung one is given up."""
        if not self.connected:
            return
        now = time.monotonic()
        was_late = self._late
        self._late = bool(self._pending) and now - max(self._pending[0][1], self._heard) > self._reply_timeout_s
        if self._late and was_late:  # twice: after a pause of our own, what came meanwhile is read in between
            self.fail(f"no reply for {self._reply_timeout_s:.0f} s")
        elif not self._pending and now - self._heard > self._reply_timeout_s / 2:
            self.request(PING)

    def fail(self, reason: str) -> None:
        """End the connection and every command that waits for a reply."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.connected = False
        self._run = False
        self.ended.set()
        self._auth_request_event.set()
        self._out_ready.set()
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the connection to %s:%s was closed already", self.host, self.port)
            self.sock.close()
        pending, self._pending = self._pending, deque()
        for then, _ in pending:
            self._guarded(then, LINK_LOST)

    def stop(self) -> None:
        self.fail("stopped")


def _ignore(reply: str) -> None:
    if reply.startswith("-") and reply != LINK_LOST:
        log.warning("the switch refused a command: %.200s", reply)
