"""The loop's work: a batch of events through the core, its facts to disk, then its commands, then the followers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from apps.core.commands import Command
from apps.core.engine import Engine
from apps.core.events import DeadlinePassed, Event
from apps.core.facts import AlarmCleared, AlarmRaised, Anomaly, Fact
from apps.engine import checkpoint
from apps.engine.clock import EngineClock
from apps.engine.dispatch import Dispatch
from apps.engine.feed import Feed
from apps.engine.inbox import Inbox
from apps.engine.journal import Journal, Trouble
from apps.engine.metrics import Metrics
from apps.engine.stored import Stored

log = structlog.get_logger(__name__)

BATCH_EVENTS = 128
"""Commands go out when the batch is stored: at 50 us an event the first waits 6 ms at most."""
PULSE_S = 0.1
LEAST_WAIT_S = 0.001
STUCK_WAIT_S = 0.1
"""After a deadline that did not move when it was handled: a core that cannot meet it must not eat the loop."""
LATE_MS = 200
ASK_AROUND_S = 0.1
"""So long this process did not run, or its loop: then nor did the drivers' threads, which have the switches' news still
to read. Nobody is to be given up for an answer that is there."""
MEND_EVERY_S = 1.0
SPACE_SUBJECT = "journal"


class Runner:
    """Everything here runs in the loop's thread and returns quickly; only ``beat_s`` is read from elsewhere."""

    def __init__(
        self, core: Engine, clock: EngineClock, journal: Journal, dispatch: Dispatch, feed: Feed, metrics: Metrics
    ) -> None:
        self.core = core
        self.clock = clock
        self.journal = journal
        self.dispatch = dispatch
        self.feed = feed
        self.metrics = metrics
        self.beat_s = time.monotonic()
        self.lag_s = 0.0
        self.low_on_space = ""  # set by the keeper: the detail of the alarm
        self.may_act: Callable[[], bool] = lambda: True
        """Whether this engine leads, for certain, at this moment; while not, everything waits in the inbox."""
        self._held_up = False
        self._reported: Trouble | None = None
        self._loop = asyncio.get_running_loop()
        self.inbox = Inbox(lambda: self._loop.call_soon_threadsafe(self._turn))
        self._timer: asyncio.TimerHandle | None = None
        self._armed_ms: int | None = None
        self._asked_around = False
        self._pulse_due = self._loop.time()
        self._pulse_handle: asyncio.TimerHandle | None = None
        self._mend_at_s = 0.0

    def start(self) -> None:
        """Begin to beat. Batches run from the first event on."""
        self._pulse_due = self._loop.time()
        self._pulse()

    def stop(self) -> None:
        """Handle what has arrived, if it is for us to handle, then no more."""
        while self.may_act() and (batch := self.inbox.take(BATCH_EVENTS)):
            self.process(batch)
        for handle in (self._timer, self._pulse_handle):
            if handle is not None:
                handle.cancel()

    def resume(self) -> None:
        """We may act. What had to wait for that gets its turn."""
        if self._held_up:
            self._held_up = False
            self._armed_ms = None
            self._arm()
            self._loop.call_soon(self._turn)

    # --- batches ---------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if not self.may_act():
            self._held_up = True
            return
        batch = self.inbox.take(BATCH_EVENTS)
        try:
            if batch:
                self.process(batch)
        finally:
            if self.inbox:
                # Not in a loop here: the door, the timer and the pulse get their turn between batches.
                self._loop.call_soon(self._turn)
        for switch in self.inbox.take_gapped():
            dropped = self.inbox.dropped[switch]
            log.error("switch_events_dropped", switch=switch, dropped=dropped)
            self._note(f"{dropped} events of this switch found the inbox full so far", switch)
            self.dispatch.request_snapshot(switch)

    def process(self, batch: Sequence[Event]) -> None:
        """Decide, store, then act. A command never goes out before the facts behind it are stored."""
        facts: list[Fact] = []
        commands: list[Command] = []
        for event in batch:
            for effect in self._decide(event):
                if isinstance(effect, Fact):
                    facts.append(effect)
                else:
                    commands.append(effect)
        # A standby has the facts before a command goes out, as the journal does: it can answer for all that was sent.
        self.feed.publish(self._store(facts))
        self.dispatch.send(commands)
        self.metrics.commands.inc(len(commands))
        self._arm()

    def _decide(self, event: Event) -> list[Command | Fact]:
        now_ms = self.clock.now_ms()
        started = time.perf_counter()
        try:
            effects = self.core.handle(event, now_ms)
        except Exception as error:  # a bug in the core costs one event, never the other calls
            log.exception("core_failed", input=repr(event)[:2000])
            self.metrics.core_failures.inc()
            # What it had decided before it failed holds: those facts are applied already. Should one be applied in
            # half, the journal could not tell, so the state itself goes on record as well.
            self.journal.torn = True
            detail = f"{type(error).__name__}: {error}"
            effects = [*self.core.center.effects, self._applied(_anomaly(event, now_ms, detail))]
        self.metrics.decision.observe(time.perf_counter() - started)
        self.metrics.events.labels(type(event).__name__).inc()
        return effects

    def _applied(self, fact: Fact) -> Fact:
        self.core.state.apply(fact)
        return fact

    def _store(self, facts: list[Fact]) -> list[Stored]:
        if not facts:
            return []
        stored = self.journal.append(facts)
        self.metrics.facts.inc(len(facts))
        self.metrics.commit.observe(self.journal.commit_s)
        self.metrics.anomalies.inc(sum(isinstance(fact, Anomaly) for fact in facts))
        return stored

    def record(self, facts: list[Fact]) -> None:
        """Facts of the host's own: applied, stored, published."""
        for fact in facts:
            self.core.state.apply(fact)
        self.feed.publish(self._store(facts))

    def _note(self, detail: str, subject: str) -> None:
        self.record(
            [Anomaly(at_ms=self.clock.now_ms(), tenant=None, event="Inbox", subject=subject, state="", detail=detail)]
        )

    # --- time ------------------------------------------------------------------------------------------------------

    def _arm(self, *, fired: bool = False) -> None:
        """One timer, at the core's next deadline."""
        due_ms = self.core.next_deadline_ms()
        if due_ms == self._armed_ms and not fired:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        stuck = fired and due_ms is not None and due_ms == self._armed_ms
        self._armed_ms = due_ms
        if due_ms is not None:
            wait_s = max((due_ms - self.clock.now_ms()) / 1000.0, STUCK_WAIT_S if stuck else LEAST_WAIT_S)
            self._timer = self._loop.call_later(wait_s, self._due)

    def _due(self) -> None:
        self._timer = None
        if not self.may_act():
            self._held_up = True
            return
        armed_ms = self._armed_ms
        late_ms = self.clock.now_ms() - armed_ms if armed_ms is not None else 0
        if late_ms < 0:
            self._arm(fired=True)
        elif late_ms > LATE_MS and not self._asked_around:
            self._asked_around = True
            self._timer = self._loop.call_later(ASK_AROUND_S, self._due)
        else:
            self._asked_around = False
            try:
                self._catch_up()
                self.process([DeadlinePassed()])
            finally:
                self._armed_ms = armed_ms
                self._arm(fired=True)

    def _catch_up(self) -> None:
        """What happened comes before the deadline, however late we are with both."""
        waiting = len(self.inbox)
        while waiting > 0:
            batch = self.inbox.take(min(waiting, BATCH_EVENTS))
            self.process(batch)
            waiting -= len(batch) or waiting

    def _pulse(self) -> None:
        """The beat that the watchdog reads, the measure of the loop's lag, and what must be looked at now and then."""
        self.beat_s = time.monotonic()
        now = self._loop.time()
        self.lag_s = max(0.0, now - self._pulse_due)
        self.metrics.loop_lag.observe(self.lag_s)
        try:
            self.journal.retry()
            if self.may_act():
                self._watch_space()
                self._watch_torn()
        finally:
            self._pulse_due = self._loop.time() + PULSE_S
            self._pulse_handle = self._loop.call_later(PULSE_S, self._pulse)

    # --- disk ------------------------------------------------------------------------------------------------------

    def _watch_space(self) -> None:
        """A disk that is full, or nearly, stops new calls before it stops facts."""
        trouble = self.journal.trouble
        if trouble is None and self.low_on_space:
            trouble = Trouble("disk_full", self.low_on_space)
        if (trouble is None) == (self._reported is None):
            return
        now_ms = self.clock.now_ms()
        if trouble is not None:
            self.dispatch.close_gate("disk")
            raised = AlarmRaised(
                at_ms=now_ms, tenant=None, kind=trouble.kind, subject=SPACE_SUBJECT, detail=trouble.detail
            )
            self.record([raised])
        elif self._reported is not None:
            self.record([AlarmCleared(at_ms=now_ms, tenant=None, kind=self._reported.kind, subject=SPACE_SUBJECT)])
            self.dispatch.open_gate("disk")
        self._reported = trouble

    def _watch_torn(self) -> None:
        """Where the journal misses facts, a checkpoint of the living state stands in for them."""
        if self.journal.torn and self.journal.trouble is None and self.beat_s >= self._mend_at_s:
            self._mend_at_s = self.beat_s + MEND_EVERY_S
            self.journal.torn = not self.checkpoint()

    def checkpoint(self) -> bool:
        """From the living state; the keeper's usual one is folded from the journal off the loop."""
        try:
            checkpoint.write(self.journal.directory, self.journal.last_seq, self.core.state)
        except OSError as error:
            log.error("checkpoint_failed", detail=str(error))
            return False
        return True


def _anomaly(event: Event, now_ms: int, detail: str) -> Anomaly:
    return Anomaly(
        at_ms=now_ms,
        tenant=getattr(event, "tenant", None),
        event=type(event).__name__,
        subject=str(getattr(event, "leg", "") or getattr(event, "agent", "")),
        state="",
        detail=f"bug: {detail}"[:500],
    )
