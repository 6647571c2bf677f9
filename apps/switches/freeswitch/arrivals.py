"""Per-call outbound sockets: the switch's ``socket`` application connects to us for each call that it hands over.

What was seen on 1.11.1 and holds here:

* Only ``connect`` is said: no ``myevents`` (events come on the events link, none twice), no ``linger`` (it keeps the
  switch's thread for words that we do not need here), never ``resume`` (it cut bridges).
* Control of the call goes over the commands link. The socket's one use is to fall: it frees the call for the
  dialplan's next step when we die.
* One socket a call. The end of a socket un-parks its call *whatever socket application it is in by then*: so an
  older socket of a call that came back is kept until the call is bridged or over, and a call that we move ourselves
  is let go of first, to the end (``release``).
* A socket must not end before its call has parked: the switch parks the call all the same, and then nothing un-parks
  it ever (mod_event_socket.c, socket_function: it parks whether or not the listener is still there). **live**: closed
  at once 10 of 10 calls were stuck, closed after the reply to ``connect`` 4 of 10, after 100 ms none. So a call that
  we do not want is not hung up on: it is waited for until it is parked (``_turn_away``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent
from gevent import socket
from gevent.server import StreamServer

from apps.core.ids import LegId
from apps.switches.freeswitch import clean
from apps.switches.freeswitch.decode import ARRIVAL_HEADERS, tags
from apps.switches.freeswitch.framing import Framer, Headers, ProtocolError, unquoted

log = logging.getLogger(__name__)

CONNECT = b"connect\n\n"
PROVE_PARKED = (
    b"myevents\n\nsendmsg\ncall-command: execute\nexecute-app-name: sleep\nexecute-app-arg: 1\nevent-lock: true\n\n"
)
"""A parked call tells that it parks or, if it had already, that it runs ``sleep``."""
GREETING_TIMEOUT_S = 25.0  # the switch's own patience
PARKING_TIMEOUT_S = 5.0
SETTLE_S = 0.3
RELEASE_TIMEOUT_S = 0.5
BIND_RETRY_S = 1.0
MAX_SOCKETS = 5_000  # beyond it a call takes the dialplan's next step at once: queueing is the switch's business
BACKLOG = 1_024


class Arrivals:
    """``on_call`` gets the (unquoted) headers of a call and gives its leg's id; it may raise ``clean.Unsafe``."""

    def __init__(self, host: str, port: int, on_call: Callable[[Headers], LegId], ready: Callable[[], bool]) -> None:
        self._address = (host, port)
        self._on_call = on_call
        self._ready = ready
        self._server: StreamServer | None = None
        self._wanted = False
        self._take_new = True
        self._leaving = False
        self._said_deaf = False
        self._open: set[socket.socket] = set()
        self._legs: dict[LegId, list[socket.socket]] = {}

    @property
    def port(self) -> int:
        """The port listened on; 0 while there is none."""
        return (self._server.server_port or 0) if self._server is not None and self._server.started else 0

    def __len__(self) -> int:
        return len(self._open)

    def accept(self, accept: bool) -> None:
        """Take new calls or not; calls that carry our id are taken either way."""
        self._take_new = accept
        self._wanted = True
        self._leaving = False
        self._listen()

    def shut(self) -> None:
        """Close the door and every socket behind it: each call takes its dialplan's next step.

        Takes 0.3 s, in which calls that are just coming in are turned away and the others have surely parked.
        """
        self._wanted = False
        self._leaving = True
        if self._server is not None or self._open:
            gevent.sleep(SETTLE_S)
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None
        for sock in list(self._open):
            self._close(sock)

    def _listen(self) -> None:
        if not self._wanted or self._server is not None:
            return
        server = StreamServer(self._address, self._serve, backlog=BACKLOG)  # sets SO_REUSEADDR
        try:
            server.start()
        except OSError as error:
            say = log.debug if self._said_deaf else log.error
            say("cannot listen for calls on %s:%s: %s", *self._address, error)
            self._said_deaf = True
            gevent.spawn_later(BIND_RETRY_S, self._listen)
            return
        self._server = server
        self._said_deaf = False

    def holds(self, leg: LegId) -> bool:
        return leg in self._legs

    def close(self, leg: LegId) -> None:
        for sock in self._legs.pop(leg, []):
            self._close(sock)

    def release(self, leg: LegId, then: Callable[[], None]) -> None:
        """Half-close, wait until the switch has closed its side, which it does before it un-parks, then act."""
        socks = list(self._legs.get(leg, []))
        if not socks:
            then()
            return
        for sock in socks:
            _shutdown(sock, socket.SHUT_WR)
        gevent.spawn(self._released, socks, then)

    def _released(self, socks: list[socket.socket], then: Callable[[], None]) -> None:
        deadline = time.monotonic() + RELEASE_TIMEOUT_S
        while any(sock in self._open for sock in socks) and time.monotonic() < deadline:
            gevent.sleep(0.002)
        for sock in socks:
            self._close(sock)
        then()

    def _serve(self, sock: socket.socket, address: tuple[str, int]) -> None:
        self._open.add(sock)
        leg: LegId | None = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            framer = Framer()
            headers = self._greet(sock, framer)
            if headers is None:
                return
            leg = self._take(headers)
            if leg is None:
                self._turn_away(sock, framer)
                return
            self._legs.setdefault(leg, []).append(sock)
            while data := sock.recv(65_536):
                framer.feed(data)  # a disconnect notice at most; read so that nothing piles up
        except (OSError, ProtocolError) as error:
            if sock in self._open:
                log.warning("the arrival socket from %s ended: %s", address[0], error)
        finally:
            self._close(sock)
            self._drop(leg, sock)

    def _greet(self, sock: socket.socket, framer: Framer) -> Headers | None:
        """The reply to ``connect``; None when the peer goes away. Raises ``OSError`` when it says nothing in time."""
        sock.settimeout(GREETING_TIMEOUT_S)
        sock.sendall(CONNECT)
        while data := sock.recv(65_536):
            for message in framer.feed(data):
                if message.content_type == "command/reply":
                    sock.settimeout(None)
                    return unquoted(message.headers, ARRIVAL_HEADERS)
        return None

    def _take(self, headers: Headers) -> LegId | None:
        """The leg, when we take this call; None when it has to go on to its dialplan's next step."""
        wanted = self._take_new or tags(headers) is not None
        if self._leaving or not wanted or not self._ready() or len(self._open) > MAX_SOCKETS:
            return None
        try:
            return self._on_call(headers)
        except clean.Unsafe as error:
            log.warning("a call was not taken: %s", error)
            return None

    def _turn_away(self, sock: socket.socket, framer: Framer) -> None:
        """Close as soon as the call has parked, and no sooner. Its events on this socket show that it has."""
        sock.settimeout(PARKING_TIMEOUT_S)
        sock.sendall(PROVE_PARKED)
        while data := sock.recv(65_536):
            if any(message.content_type.startswith("text/event") for message in framer.feed(data)):
                return

    def _close(self, sock: socket.socket) -> None:
        if sock in self._open:
            self._open.discard(sock)
            _shutdown(sock, socket.SHUT_RDWR)
            sock.close()

    def _drop(self, leg: LegId | None, sock: socket.socket) -> None:
        if leg is None or leg not in self._legs:
            return
        rest = [other for other in self._legs[leg] if other is not sock]
        if rest:
            self._legs[leg] = rest
        else:
            del self._legs[leg]


def _shutdown(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        log.debug("an arrival socket was gone already")
