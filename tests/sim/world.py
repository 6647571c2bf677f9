"""A whole centre in virtual time: the real core, the simulated switch, seeded people, faults, crashes of the engine.

Nothing here reads a clock or unseeded randomness: a seed is the whole story, and replays it.
"""

from __future__ import annotations

import json
import random
from collections import deque
from dataclasses import dataclass

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.codec import encode
from apps.core.commands import Command
from apps.core.engine import Engine
from apps.core.ids import AgentId
from apps.core.state import State
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.driver import SimulatorDriver
from apps.switches.simulator.faults import FaultRates, Faults
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import Callers, Crowd
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from tests.core.scene import FLOW, SWITCH, TENANT
from tests.sim.auditor import Auditor

SOUND_MS = 3_000  # of every file, on the simulator
START_MS = 1_700_000_000_000
FAULTS = FaultRates(
    lost=0.002, late=0.01, doubled=0.01, refused_originate=0.01, gap_death=0.02, drops_per_hour=4, drop_lasts_ms=1500
)

NUMBERS = ("13911110001", "13911110002", "13911110003", "13911110004", "+12125550100")
"""Two that answer, one that is busy, one that rings for ever, one that is barred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    seed: int
    calls: int = 300
    agents: int = 12
    per_minute: float = 20.0
    faults: FaultRates = FAULTS
    crashes_per_hour: float = 6.0


def center_config(story: Story) -> cfg.CenterConfig:
    queues = {
        name: cfg.QueueConfig(
            id=name, tenant=TENANT, name=name, max_wait_ms=120_000, wrap_up_ms=10_000, ring_timeout_ms=15_000,
            overflow=cfg.Overflow(kind=cfg.OverflowKind.NUMBER, target="10086") if name == "tech" else cfg.Overflow(),
        )
        for name in ("sales", "tech")
    }  # fmt: skip
    agents = {
        f"a{n}": cfg.AgentConfig(
            id=f"a{n}", tenant=TENANT, name=f"Agent {n}",
            device=cfg.DeviceConfig(
                kind=cfg.DeviceKind.BROWSER if n % 4 == 3 else cfg.DeviceKind.SIP, switch=SWITCH,
                address=f"{1001 + n}",
            ),
            skills={"lang:zh": 5} if n % 3 else {"lang:zh": 5, "lang:en": 3},
            queues=dict.fromkeys(("sales", "tech") if n % 2 else ("sales",), cfg.Membership()),
        )
        for n in range(story.agents)
    }  # fmt: skip
    sounds = {name: {lang: f"{name}.{lang}.wav" for lang in ("zh", "en")} for name in FLOW["prompts"]}
    always = tuple(cfg.OpeningSpan(weekday=day, opens_min=0, closes_min=1440) for day in range(7))
    return cfg.CenterConfig(
        version=1,
        tenants={TENANT: cfg.TenantConfig(id=TENANT, name="Yunqiao", apology_sounds=("sorry.wav",))},
        agents=agents,
        queues=queues,
        trunks={"t1": cfg.TrunkConfig(id="t1", tenant=TENANT, switch=SWITCH, name="PSTN", gateway="pstn")},
        dids={f"{SWITCH}/4001": cfg.DidConfig(number="4001", tenant=TENANT, switch=SWITCH, flow="hot")},
        flows={"hot": cfg.FlowConfig(id="hot", tenant=TENANT, version="v1", document=FLOW, sounds=sounds)},
        calendars={"1/main": cfg.CalendarConfig(id="main", spans=always)},
        unknown_did_sounds=("unknown.wav",),
        sound_ms={name: SOUND_MS for files in sounds.values() for name in files.values()}
        | dict.fromkeys(("sorry.wav", "unknown.wav"), SOUND_MS),
    )


class World:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = Scheduler(START_MS)
        self.rng = random.Random(f"{story.seed}/world")
        self.switch = Switch(
            seed=story.seed, clock=self.clock, gateways=("pstn",), faults=Faults(story.faults, story.seed)
        )
        self.phones = PhoneBook(self.switch, story.seed, outside=PhoneBehaviour(talk_ms=(5_000, 40_000)))
        self.config = center_config(story)
        for number, answering in zip(NUMBERS[2:], (Answering.BUSY, Answering.NEVER), strict=False):
            self.phones.add(number, PhoneBehaviour(answering=answering, lines=1000), registered=False)
        for agent in self.config.agents.values():
            assert agent.device is not None
            mixed = PhoneBehaviour(
                answering=Answering.MIXED, talk_ms=(5_000, 60_000) if self.rng.random() < 0.5 else None
            )
            self.phones.add(agent.device.address, mixed)
        crowd = Crowd(
            per_minute=story.per_minute, dids=("4001",) * 19 + ("999",), keys=("11", "12", "21", "22", "", "1"),
            patience_ms=(5_000, 150_000), talk_ms=(4_000, 60_000), limit=story.calls,
        )  # fmt: skip
        self.callers = Callers(self.switch, crowd, story.seed)
        self.driver = SimulatorDriver(SWITCH, self.switch, {"pstn": "t1"})
        self.inbox: deque[e.Event] = deque()
        self.facts: list[f.Fact] = []
        self.engine = Engine()
        self.auditor = Auditor()
        self.switch.listeners.append(self.auditor.heard)
        self.runs = 0
        self.serial = 0
        self.quiet = False  # the day is over: no more faults or crashes
        self.asked: dict[AgentId, bool] = {}

    # --- the host ---

    def run(self) -> None:
        self.driver.start(self.inbox.append)
        self._start_engine()
        for agent in self.config.agents:
            self._ask(e.AgentSignedIn, agent)
        self.callers.start()
        self._plan_crash()
        while not self._day_is_over():
            self._step()
        self.quiet = True
        self.switch.faults.rates = FaultRates()
        if not self.driver.link_up:
            self.driver.connect()
        until = self.clock.now_ms + 400_000
        while self.clock.now_ms < until:
            self._step()
        self.auditor.at_the_end(self.engine.state, self.callers.placed, self.switch)

    def _day_is_over(self) -> bool:
        return self.callers.placed >= self.story.calls and not self.callers

    def _step(self) -> None:
        """To the next moment at which anything happens, on either side."""
        dues = [due for due in (self.engine.next_deadline_ms(), self.driver.next_due_ms()) if due is not None]
        self.clock.run_until(min(min(dues, default=self.clock.now_ms + 1000), self.clock.now_ms + 1000))
        while self.inbox:
            self._handle(self.inbox.popleft())
        due = self.engine.next_deadline_ms()
        if due is not None and due <= self.clock.now_ms:
            self._handle(e.DeadlinePassed())

    def _handle(self, event: e.Event) -> None:
        for effect in self.engine.handle(event, self.clock.now_ms):
            if isinstance(effect, Command):
                self.auditor.command(effect)
                self.driver.execute(effect)
            else:
                self.facts.append(effect)
                self.auditor.fact(effect)
                self._people_react(effect)
        self.auditor.state(self.engine.state, self.clock.now_ms)
        self.auditor.ears(self.switch, self.clock.now_ms)

    def _start_engine(self) -> None:
        self.runs += 1
        state = State()
        state.fold(self.facts)
        if self.runs > 1:
            assert state == self.engine.state, "the fold of the facts is not the state"
        self.engine = Engine(state)
        self._handle(e.EngineRestarted(run=f"r{self.runs}"))
        self._handle(e.ConfigChanged(config=self.config))

    # --- crashes ---

    def _plan_crash(self) -> None:
        if self.story.crashes_per_hour > 0:
            gap = self.rng.expovariate(self.story.crashes_per_hour / 3_600_000)
            self.clock.after(int(gap), self._crash)

    def _crash(self) -> None:
        """kill -9: whatever was on the way is gone, sockets close; two seconds later the next run begins."""
        if self.quiet:
            return
        self.inbox.clear()
        self.driver.stop()
        self.clock.after(self.rng.randint(200, 2000), self._restart)

    def _restart(self) -> None:
        self.switch.listeners.remove(self.driver._heard)
        self.driver = SimulatorDriver(SWITCH, self.switch, {"pstn": "t1"})
        self.inbox.clear()
        self._start_engine()
        self.driver.start(self.inbox.append)
        self._plan_crash()
        for (
            agent
        ) in self.config.agents:  # what they had asked for may be lost: they look at their screens and ask again
            self.clock.after(self.rng.randint(1_000, 5_000), lambda agent=agent: self._look_again(agent))  # type: ignore[misc]

    # --- people ---

    def _ask(self, request: type[e.AgentRequest], agent: AgentId, /, **fields: object) -> None:
        self.serial += 1
        self.inbox.append(
            request(tenant=TENANT, cmd_id=f"cmd{self.serial}", actor="sim", agent=agent, **fields)  # type: ignore[arg-type]
        )

    def _people_react(self, fact: f.Fact) -> None:
        """Agents go ready, wrap up, come back from a pause, sometimes transfer or hold: after a human time."""
        if isinstance(fact, f.RecordingPaused) and self.rng.random() < 0.7:  # others forget it
            self.clock.after(self.rng.randint(1_000, 8_000), lambda: self._resume_recording(fact.call))
        if isinstance(fact, f.CallQueued) and self.rng.random() < 0.03:  # a supervisor takes it off the floor
            self.clock.after(self.rng.randint(100, 20_000), lambda: self._remove(fact.call))
        if not isinstance(fact, f.AgentStateChanged):
            return
        if fact.state == AgentState.OFFERED and self.rng.random() < 0.97:  # else the page sleeps
            self.clock.after(self.rng.randint(20, 900), lambda: self._act(fact))
        delays = {
            AgentState.READY: (10_000, 120_000),
            AgentState.PAUSED: (500, 8_000),
            AgentState.NOT_RESPONDING: (2_000, 20_000),
            AgentState.WRAP_UP: (500, 15_000),
            AgentState.TALKING: (2_000, 30_000),
            AgentState.HOLDING: (1_000, 8_000),
            AgentState.DISCONNECTED: (500, 3_000),
        }
        if fact.state == AgentState.DIALING and self.rng.random() < 0.2:
            delays[AgentState.DIALING] = (500, 20_000)
        span = delays.get(AgentState(fact.state))
        if span is not None:
            self.clock.after(self.rng.randint(*span), lambda: self._act(fact))

    def _resume_recording(self, call_id: f.CallId) -> None:
        call = self.engine.state.calls.get(call_id)
        if call is not None and call.bridge is not None and call.bridge.agent is not None:
            self._ask(e.RecordingResumeRequested, call.bridge.agent, call=call_id)

    def _remove(self, call_id: f.CallId) -> None:
        """Whatever the call does by then: with an agent it is refused."""
        self.serial += 1
        cmd_id = f"cmd{self.serial}"
        self.inbox.append(e.CallRemovalRequested(tenant=TENANT, cmd_id=cmd_id, actor="sim", call=call_id))

    def _look_again(self, name: AgentId) -> None:
        agent = self.engine.state.agents[name]
        if agent.state is AgentState.LOGGED_OUT:
            self._ask(e.AgentSignedIn, name)
        elif agent.state in (AgentState.PAUSED, AgentState.NOT_RESPONDING):
            self._ask(e.AgentWentReady, name)

    def _act(self, seen: f.AgentStateChanged) -> None:
        agent = self.engine.state.agents.get(seen.agent)
        if agent is None or agent.state != seen.state or agent.call != seen.call:
            return
        if agent.state in (AgentState.PAUSED, AgentState.NOT_RESPONDING):
            if agent.state is AgentState.PAUSED and not self.quiet and self.rng.random() < 0.2:
                self._dial(agent.id)
            self._ask(e.MediaReady, agent.id, ready=True, epoch=agent.media_epoch)
            self._ask(e.AgentWentReady, agent.id)
        elif agent.state is AgentState.DISCONNECTED:
            self._ask(e.AgentConnectionRestored, agent.id)
        elif agent.state is AgentState.READY:
            self._ask(e.MediaReady, agent.id, ready=True, epoch=agent.media_epoch)
            if not self.quiet and self.rng.random() < 0.5:
                self._dial(agent.id)
        elif agent.state is AgentState.DIALING and agent.call is not None:
            self._ask(e.HangUpRequested, agent.id, call=agent.call)
        elif agent.state is AgentState.OFFERED and agent.call is not None:
            self._ask(e.OfferAcknowledged, agent.id, call=agent.call, live=self.rng.random() < 0.97)
        elif agent.state is AgentState.WRAP_UP and agent.call is not None:
            self._ask(e.WrapUpFinished, agent.id, call=agent.call, disposition="done")
        elif agent.state is AgentState.HOLDING and agent.call is not None:
            self._ask(e.ResumeRequested, agent.id, call=agent.call)
        elif agent.state is AgentState.TALKING and agent.call is not None:
            self._during_talk(agent.id, agent.call)

    def _dial(self, agent: AgentId) -> None:
        """Numbers outside that answer, are busy, ring for ever, or may not be called."""
        self._ask(e.DialRequested, agent, number=self.rng.choice(NUMBERS))

    def _during_talk(self, agent: AgentId, call: f.CallId) -> None:
        dice = self.rng.random()
        for chance, request, fields in (
            (0.1, e.MuteRequested, {}),
            (0.1, e.DigitsRequested, {"digits": "12#"}),
            (0.15, e.RecordingPauseRequested, {}),
        ):
            if self.rng.random() < chance:
                self._ask(request, agent, call=call, **fields)  # type: ignore[arg-type]
        if dice < 0.1:
            self._ask(e.HoldRequested, agent, call=call)
        elif dice < 0.25:
            kind, target = self.rng.choice(
                [(e.TransferKind.QUEUE, "tech"), (e.TransferKind.AGENT, "a1"), (e.TransferKind.NUMBER, "10010")]
            )
            self._ask(e.TransferRequested, agent, call=call, kind=kind, target=target)
        elif dice < 0.6:
            self._ask(e.HangUpRequested, agent, call=call)

    def transcript(self) -> bytes:
        return "\n".join(json.dumps(encode(fact), ensure_ascii=False) for fact in self.facts).encode()
