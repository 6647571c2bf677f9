"""The FreeSWITCH driver: one plain thread with its own gevent hub, and the composition of everything in this package.

Commands cross in by a bounded deque and the hub's ``async_`` watcher; events cross out by ``emit``, called in this
thread. When the deque is full (the thread hangs, or the core floods it), a command is not taken: the core gets the
event of its failure at once, and ``counters.refused`` counts it. Commands are not kept while the link is down, for
the same reason: an offer that is made a minute late is worse than one that failed. Only hang-ups are remembered.
"""

from __future__ import annotations

import itertools
import logging
import random
import string
import threading
import time
from collections import deque
from collections.abc import Callable

import gevent
from gevent.event import AsyncResult, Event

from apps.core.commands import Command, RequestSnapshot
from apps.core.events import LinkDown, SwitchEvent
from apps.core.ids import LegId
from apps.switches.base import Emit
from apps.switches.freeswitch import clean, encode, fence
from apps.switches.freeswitch.arrivals import Arrivals
from apps.switches.freeswitch.control import Control, failure_of
from apps.switches.freeswitch.decode import SUBSCRIPTION
from apps.switches.freeswitch.framing import Message, PlainEvent
from apps.switches.freeswitch.link import EventSocketLink, LinkError
from apps.switches.freeswitch.ports import LINK_LOST, Context, Counters, Lane, Then
from apps.switches.freeswitch.settings import FreeSwitchSettings

log = logging.getLogger(__name__)

INBOX_LIMIT = 20_000
TICK_S = 0.5
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0)
STOP_TIMEOUT_S = 5.0


class FreeSwitchDriver:
    """A ``SwitchDriver`` (apps/switches/base.py)."""

    def __init__(self, settings: FreeSwitchSettings) -> None:
        self.switch = settings.switch
        self.settings = settings
        self.counters = Counters()
        self._inbox: deque[Callable[[], None]] = deque()
        self._wake: Callable[[], None] | None = None
        self._wake_lock = threading.Lock()  # the watcher must not be closed under somebody who rings it
        self._thread = threading.Thread(target=self._run, name=f"freeswitch-{settings.switch}", daemon=True)
        self._stopping = False
        self._accepting = True
        self._beat = time.monotonic()
        self._sink: Emit | None = None
        self._lanes: dict[Lane, EventSocketLink] = {}
        self._linked = False
        self._told_down = False
        self._mark = "".join(random.choices(string.ascii_lowercase, k=5))
        self._tokens = itertools.count(1)
        self._control = Control(Context(settings=settings, ports=self, counters=self.counters))
        self._arrivals = Arrivals(
            settings.arrival_host, settings.arrival_port, self._control.arrived, lambda: self._linked
        )

    # --- SwitchDriver, from any thread ---

    def start(self, emit: Emit) -> None:
        self._sink = emit
        self._beat = time.monotonic()
        self._thread.start()

    def execute(self, command: Command) -> None:
        if len(self._inbox) >= INBOX_LIMIT:
            self.counters.refused += 1
            log.error("the driver of switch %s does not keep up: %s not taken", self.switch, type(command).__name__)
            if (event := failure_of(command, "DRIVER_FULL")) is not None:
                self.emit(event)
            return
        self._post(lambda: self._execute(command))

    def request_snapshot(self) -> None:
        self.execute(RequestSnapshot(switch=self.switch, leg=LegId("")))

    def accept_calls(self, accept: bool) -> None:
        self._accepting = accept
        self._post(lambda: self._arrivals.accept(accept))

    def stop(self) -> None:
        """Closes every connection: calls on an arrival socket take their dialplan's next step, talks go on."""
        self._stopping = True
        self._post(lambda: None)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(STOP_TIMEOUT_S)

    # --- for the engine's watchdog ---

    def alive_ms_ago(self) -> int:
        """Since the thread last turned over its loop; grows without end when it hangs or has died."""
        return int((time.monotonic() - self._beat) * 1000)

    @property
    def linked(self) -> bool:
        return self._linked

    @property
    def arrival_port(self) -> int:
        """The port calls arrive on; 0 while the door is closed."""
        return self._arrivals.port

    @property
    def arrival_sockets(self) -> int:
        return len(self._arrivals)

    # --- ports.Ports, in the driver's thread ---

    def send(self, frame: bytes, then: Then | None = None, lane: Lane = Lane.CALLS) -> None:
        self.counters.commands += 1
        link = self._lanes.get(lane)
        if self.settings.guard:
            frame = fence.guarded(frame, self.settings.guard)
        if link is not None:
            link.request(frame, then)
        elif then is not None:
            then(LINK_LOST)

    def later(self, delay_ms: int, act: Callable[[], None]) -> None:
        gevent.spawn_later(delay_ms / 1000, self._guarded, act)

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def token(self) -> str:
        """No other driver's on this switch, and short: of what we send, the switch reads byte by byte."""
        return f"{self._mark}{next(self._tokens):x}"

    def emit(self, event: SwitchEvent) -> None:
        if self._sink is None:
            raise RuntimeError("the driver is not started")
        try:
            self._sink(event)
        except Exception:  # the engine's trouble must not stop the socket from being drained
            log.exception("the engine did not take a %s", type(event).__name__)

    def holds(self, leg: LegId) -> bool:
        return self._arrivals.holds(leg)

    def close_arrival(self, leg: LegId) -> None:
        self._arrivals.close(leg)

    def release_arrival(self, leg: LegId, then: Callable[[], None]) -> None:
        self._arrivals.release(leg, then)

    # --- the thread ---

    def _post(self, act: Callable[[], None]) -> None:
        self._inbox.append(act)
        with self._wake_lock:
            if self._wake is not None:
                self._wake()

    def _run(self) -> None:
        watcher = gevent.get_hub().loop.async_()
        woken = Event()
        watcher.start(woken.set)
        self._wake = watcher.send
        woken.set()  # what was posted before there was a watcher
        workers = [gevent.spawn(self._reach), gevent.spawn(self._tick)]
        try:
            self._arrivals.accept(self._accepting)
            self._pump(woken)
        except Exception:  # the thread ends here: say why, let go of the calls, and let the watchdog see it
            log.exception("the driver of switch %s died", self.switch)
        finally:
            with self._wake_lock:
                self._wake = None
            self._arrivals.shut()
            gevent.killall(workers, block=False)
            gevent.wait(workers, timeout=1)
            watcher.close()
            gevent.get_hub().destroy(destroy_loop=True)

    def _pump(self, woken: Event) -> None:
        while not self._stopping:
            woken.wait()
            woken.clear()
            while self._inbox and not self._stopping:
                self._guarded(self._inbox.popleft())

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # one bad command must not end the driver
            log.exception("the driver of switch %s failed at a command", self.switch)

    def _execute(self, command: Command) -> None:
        if not self._linked:
            self._control.refuse(command, "LINK_DOWN")
            return
        self._control.execute(command)

    def _tick(self) -> None:
        while True:
            gevent.sleep(TICK_S)
            self._beat = time.monotonic()
            if self._linked:
                self._guarded(self._control.tick)

    def _reach(self) -> None:
        """Connect, stay until a connection ends, and again, for as long as the driver lives."""
        failures = 0
        while not self._stopping:
            try:
                reason = self._session()
                failures = 0
            except (OSError, LinkError, clean.Unsafe, fence.Fenced, gevent.Timeout) as error:
                reason = str(error) or type(error).__name__
                failures += 1
            except Exception as error:  # nothing may end the attempts to reach the switch
                log.exception("the link to switch %s failed in an unforeseen way", self.switch)
                reason = type(error).__name__
                failures += 1
            self._went_down(reason)
            pause_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            gevent.sleep(pause_s * random.uniform(0.8, 1.2))

    def _went_down(self, reason: str) -> None:
        was_up, self._linked = self._linked, False
        if was_up:
            self._control.link_down()
            self.counters.reconnects += 1
        if was_up or not self._told_down:
            self._told_down = True
            log.warning("switch %s is out of reach: %s", self.switch, reason)
            self.emit(LinkDown(switch=self.switch, reason=reason))

    def _session(self) -> str:
        """One life of the connections, one for each lane and one for events; why it ended."""
        lanes = {lane: self._link(self._not_an_event) for lane in Lane}
        events = self._link(self._event)
        links = [*lanes.values(), events]
        try:
            for link in lanes.values():
                link.connect()
            self._lanes = lanes
            boot = lanes[Lane.CALLS].call(encode.api("global_getvar core_uuid")).strip()
            if self.settings.guard:
                arrival = f"{self.settings.arrival_host}:{self.settings.arrival_port}"
                fence.enter(lanes[Lane.CALLS].call, self.settings.guard, arrival)
            events.connect()
            self._subscribe(events, boot)
            while not any(link.ended.is_set() for link in links):
                for link in links:
                    link.check()
                gevent.wait([link.ended for link in links], timeout=TICK_S, count=1)
            return str(next(link.reason for link in links if link.ended.is_set()))
        finally:
            for link in links:
                link.stop()
            self._lanes = {}

    def _subscribe(self, events: EventSocketLink, boot: str) -> None:
        """``LinkUp`` is told in the reader's turn, so that no event can come before it."""
        outcome: AsyncResult[str] = AsyncResult()

        def subscribed(reply: str) -> None:
            if reply.startswith("+OK"):
                self._linked, self._told_down = True, False
                log.info("switch %s reached, boot %s", self.switch, boot)
                self._control.link_up(boot)
            outcome.set(reply)

        for row in encode.only_worthwhile():
            events.request(row)
        events.request(encode.subscribe(SUBSCRIPTION), subscribed)
        reply = outcome.get(timeout=self.settings.reply_timeout_ms / 1000) or ""
        if not reply.startswith("+OK"):
            raise LinkError(f"the switch refused our subscription: {clean.text(reply)}")

    def _link(self, on_event: Callable[[Message], None]) -> EventSocketLink:
        settings = self.settings
        return EventSocketLink(
            settings.host,
            settings.port,
            settings.password,
            on_event,
            timeout_s=settings.connect_timeout_ms / 1000,
            reply_timeout_s=settings.reply_timeout_ms / 1000,
        )

    def _not_an_event(self, message: Message) -> None:
        log.debug("unasked on the commands link: %s", message.content_type)

    def _event(self, message: Message) -> None:
        self._beat = time.monotonic()
        try:
            event = PlainEvent(message.body)
        except ValueError:
            self.counters.unreadable += 1
            log.warning("what came as an event is none, %s bytes", len(message.body))
            return
        self._control.event(event)
