"""A centre on a simulated switch, its people, and everything that goes wrong; the engine is the real core.

The switch and the people live in the simulator's time. The engine's clock is the one that the engine process uses, on
a wall clock that is set forward and back.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from apps.core import events as e
from apps.core import facts as f
from apps.core.codec import encode
from apps.core.commands import Command
from apps.core.engine import Engine
from apps.core.state import State
from apps.engine.clock import EngineClock
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.driver import SimulatorDriver
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import Callers, Crowd
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from tests.core.scene import SWITCH
from tests.sim.auditor import Auditor
from tests.sim.auditor.agents import RESTING
from tests.sim.centers import DIDS, CenterMaker, changed
from tests.sim.staff import NUMBERS, Staff
from tests.sim.story import START_MS, Story

STEP_MS = 1_000
QUIET_MS = 60_000
LONGEST_EVENING_MS = 1_800_000  # every wait, overflow and wrap-up has an end before that


@dataclass(frozen=True, slots=True)
class Stopped:
    """An engine that gets no turn any more, with what it had still to look at."""

    run: str
    engine: Engine
    driver: SimulatorDriver
    inbox: deque[e.Event]


class World:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = Scheduler(START_MS)
        self.rng = random.Random(f"{story.seed}/world")
        self.switch = Switch(
            seed=story.seed, clock=self.clock, gateways=("pstn",), faults=Faults(story.faults, story.seed)
        )
        self.config = CenterMaker(random.Random(f"{story.seed}/center"), story.agents, START_MS).make()
        self.phones = self._telephones()
        self.callers = Callers(self.switch, self._crowd(), story.seed)
        self.auditor = Auditor(self.switch, lambda: self.engine.state)
        self.staff = Staff(story.seed, self.clock, self.phones, lambda: self.engine.state, self._put)
        self.driver = SimulatorDriver(SWITCH, self.switch, {"pstn": "t1"})  # type: ignore[dict-item, arg-type]
        self.engine = Engine()
        self.inbox: deque[e.Event] = deque()
        self.facts: list[f.Fact] = []
        self.script: list[f.Fact | Command] = []  # all that the engine said, in order
        self.runs = 0
        self.alive = False
        self.wall_ahead_ms = 0
        self.still_until_ms = 0
        self.dies_at_work = False  # with facts stored and their commands not sent
        self.quiet = False  # the day is over: nothing goes wrong any more
        self.engine_clock = self._new_clock()

    def _telephones(self) -> PhoneBook:
        outside = PhoneBehaviour(
            answering=Answering.MIXED, mishap=0.2, talk_ms=(5_000, 40_000), patience_ms=(1_000, 120_000)
        )
        phones = PhoneBook(self.switch, self.story.seed, outside=outside)
        for number, answering in zip(
            NUMBERS[2:], (Answering.BUSY, Answering.NEVER, Answering.UNALLOCATED), strict=False
        ):
            phones.add(number, PhoneBehaviour(answering=answering, lines=1000), registered=False)
        for agent in self.config.agents.values():
            assert agent.device is not None
            talk_ms = (5_000, 60_000) if self.rng.random() < 0.5 else None
            mixed = PhoneBehaviour(answering=Answering.MIXED, talk_ms=talk_ms)
            phones.add(agent.device.address, mixed, registered=agent.device.trunk is None)
        return phones

    def _crowd(self) -> Crowd:
        """Some call again and again; one in twenty dials a number that leads nowhere."""
        return Crowd(
            per_minute=self.story.per_minute, dids=DIDS * 6 + ("999",),
            keys=("11", "12", "22", "3", "4", "41", "", "1"),
            numbers=tuple(f"1370000{n:04d}" for n in range(40)),
            patience_ms=(5_000, 150_000), talk_ms=(4_000, 60_000), limit=self.story.calls,
        )  # fmt: skip

    # --- the day -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self._start_engine(State())
        self.driver.start(self.inbox.append)
        self.staff.come()
        self.callers.start()
        for per_hour, mishap in (
            (self.story.crashes_per_hour, self._crash),
            (self.story.standstills_per_hour, self._stand_still),
            (self.story.clock_steps_per_hour, self._step_wall_clock),
            (self.story.changes_per_hour, self._change_config),
            (self.story.mishaps_per_hour, self.staff.mishap),
            (self.story.web_callbacks_per_hour, self.staff.web_callback),
        ):
            self._again_and_again(per_hour, mishap)
        while self.callers.placed < self.story.calls or self.callers:
            self._step()
        self._evening()
        self.auditor.at_the_end(self.callers.placed)

    def _evening(self) -> None:
        self.quiet = self.staff.going_home = True
        self.switch.faults.rates = FaultRates()
        began_ms = self.clock.now_ms
        while self.clock.now_ms < began_ms + QUIET_MS or self._is_busy():
            if self.alive and not self.driver.link_up:
                self.driver.connect()
            if self.clock.now_ms > began_ms + LONGEST_EVENING_MS:
                break  # the auditor says who is still there
            self._step()

    def _is_busy(self) -> bool:
        wrapping_up = any(agent.state not in RESTING for agent in self.auditor.agents.seen.values())
        legs = (leg for leg in self.switch.channels.values() if "trunkline_kept" not in leg.variables)
        talking = any(leg.alive for leg in legs)  # a line that is kept open is none
        return bool(self.auditor.calls.living) or talking or wrapping_up

    def _again_and_again(self, per_hour: float, act: Callable[[], None]) -> None:
        """As often on average, until the evening."""

        def later() -> None:
            if not self.quiet:
                act()
                plan()

        def plan() -> None:
            if per_hour > 0:
                self.clock.after(int(self.rng.expovariate(per_hour / 3_600_000)), later)

        plan()

    # --- the host ----------------------------------------------------------------------------------------------------

    def _put(self, request: e.Event) -> None:
        """Through the door; while nobody is there it is lost."""
        if self.alive:
            self.inbox.append(request)

    def _step(self) -> None:
        """To the next moment at which anything happens, on either side."""
        now_ms, until_ms = self.clock.now_ms, self.clock.now_ms + STEP_MS
        switch_due_ms = self.driver.next_due_ms()
        if switch_due_ms is not None:
            until_ms = min(until_ms, switch_due_ms)
        due_ms = self.engine.next_deadline_ms() if self._works() else None
        if due_ms is not None:
            until_ms = min(until_ms, now_ms + max(1, due_ms - self.engine_clock.now_ms()))
        self.clock.run_until(max(until_ms, now_ms))
        while self._works() and self.inbox:
            self._handle(self.inbox.popleft())
        due_ms = self.engine.next_deadline_ms() if self._works() else None
        if due_ms is not None and due_ms <= self.engine_clock.now_ms():
            self._handle(e.DeadlinePassed())
        self.auditor.look(self.clock.now_ms, self.engine.state.now_ms, up=self._works() and self.driver.link_up)

    def _works(self) -> bool:
        return self.alive and self.clock.now_ms >= self.still_until_ms

    def _handle(self, event: e.Event) -> None:
        """Facts are stored before the commands go; who dies in between has promised and not done."""
        self.auditor.asked(event)
        effects = self.engine.handle(event, self.engine_clock.now_ms())
        dies = self.dies_at_work and any(isinstance(effect, Command) for effect in effects)
        sent = self.rng.randrange(len(effects)) if dies else len(effects)
        for number, effect in enumerate(effects):
            self.script.append(effect)
            if isinstance(effect, Command):
                self.auditor.command(effect, event, self.run_name)
                if number < sent:
                    self.driver.execute(effect)
            else:
                self.facts.append(effect)
                self.auditor.fact(effect)
                self.staff.see(effect)
        if dies:
            self._kill()

    def _new_clock(self) -> EngineClock:
        return EngineClock(
            self.engine.state.now_ms,
            wall_s=lambda: (self.clock.now_ms + self.wall_ahead_ms) / 1000,
            monotonic_s=lambda: self.clock.now_ms / 1000,
        )

    @property
    def run_name(self) -> str:
        return f"r{self.runs}"

    def _start_engine(self, state: State) -> None:
        self.runs += 1
        self.engine = Engine(state)
        self.engine_clock = self._new_clock()
        self.alive, self.still_until_ms, self.dies_at_work = True, 0, False
        self._handle(e.EngineRestarted(run=self.run_name))
        self._handle(e.ConfigChanged(config=self.config))

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def _crash(self) -> None:
        """In the middle of an event, between two, or not for good: then it goes on later as if nothing had been."""
        dice = self.rng.random()
        if self.alive and dice < 0.5:
            self.dies_at_work = True
        elif dice < 0.75:
            self._kill()
        else:
            self._stop()

    def _kill(self) -> None:
        """kill -9: whatever was on the way is gone, sockets close; then the next run begins, or the standby leads."""
        if not self.alive or self.quiet:
            return
        self.alive = False
        self.inbox.clear()
        self.driver.stop()
        self.switch.listeners.remove(self.driver._heard)
        self.clock.after(self.rng.randint(200, 2_000), self._next_run)

    def _stop(self) -> None:
        """SIGSTOP: its claim stands still, so the standby leads. Its connections stay, and nobody reads them."""
        if not self.alive or self.quiet:
            return
        self.alive = False
        stopped = Stopped(self.run_name, self.engine, self.driver, deque(self.inbox))
        self.inbox.clear()
        stopped.driver._emit = stopped.inbox.append
        self.switch.listeners.remove(stopped.driver._heard)
        self.clock.after(self.rng.randint(600, 1_500), self._next_run)
        self.clock.after(self.rng.randint(2_000, 8_000), lambda: self._goes_on(stopped))

    def _goes_on(self, stopped: Stopped) -> None:
        """SIGCONT: before it decides anything it asks whether it still leads, and ends when it does not."""
        if not self.leads(stopped.run):
            stopped.driver.stop()
            return
        for event in (*stopped.inbox, e.DeadlinePassed()):
            for effect in stopped.engine.handle(event, self.engine_clock.now_ms()):
                if isinstance(effect, Command):
                    self.auditor.command(effect, event, stopped.run)
                    stopped.driver.execute(effect)

    def leads(self, run: str) -> bool:
        """As the switch has it: each run of an engine begins with a term of its own (``apps/engine/leadership.py``)."""
        return run == self.run_name

    def _next_run(self) -> None:
        """From the journal alone, or from a checkpoint and what came after it."""
        self.driver = SimulatorDriver(SWITCH, self.switch, {"pstn": "t1"})  # type: ignore[dict-item, arg-type]
        self.inbox.clear()
        self._start_engine(self._recovered())
        self.driver.start(self.inbox.append)
        self.staff.look_again()

    def _recovered(self) -> State:
        kept = self.rng.choice((0, self.rng.randrange(len(self.facts) + 1)))
        state = State()
        state.fold(self.facts[:kept])
        state = State.from_data(json.loads(json.dumps(state.to_data())))
        state.fold(self.facts[kept:])
        assert state == self.engine.state, "the fold of the facts is not the state"
        return state

    def _stand_still(self) -> None:
        """The process gets no turn for a while: all comes at once afterwards, and late."""
        self.still_until_ms = self.clock.now_ms + self.rng.randint(100, 2_500)

    def _step_wall_clock(self) -> None:
        self.wall_ahead_ms += self.rng.choice((-1, 1)) * self.rng.choice((200, 5_000, 90_000, 3_600_000))

    def _change_config(self) -> None:
        self.config = changed(self.config, self.rng, START_MS)
        if self.alive:
            self.inbox.append(e.ConfigChanged(config=self.config))

    def transcript(self) -> bytes:
        return "\n".join(json.dumps(encode(effect), ensure_ascii=False) for effect in self.script).encode()
