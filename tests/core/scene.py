"""A small centre to try the core on: one tenant, two queues, three agents, and a switch that does as it is told."""

from __future__ import annotations

from typing import Any, TypeVar

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.engine import Engine
from apps.core.ids import LegId
from apps.core.state import State

T = TypeVar("T")
SWITCH = "fs1"
TENANT = "1"

FLOW: dict[str, Any] = {
    "schema": "ivr/1",
    "langs": ["zh", "en"],
    "default_lang": "zh",
    "start": "ans",
    "handlers": {"error": "sorry"},
    "prompts": {
        "choose": {"zh": "中文请按1。", "en": "For English press 2."},
        "main": {"zh": "销售请按1。", "en": "For sales press 1."},
        "bye": {"zh": "再见。", "en": "Goodbye."},
    },
    "nodes": {
        "ans": {"type": "answer", "on": {"ok": "open"}},
        "open": {
            "type": "hours",
            "schedule": "main",
            "on": {"open": "lang", "closed": "bye", "holiday": "bye", "emergency": "bye"},
        },
        "lang": {
            "type": "language",
            "say": [{"p": "choose", "lang": "*"}],
            "keys": {"1": "zh", "2": "en"},
            "on": {"ok": "main"},
        },
        "main": {
            "type": "menu",
            "say": [{"p": "main"}],
            "keys": {"1": "sales", "2": "tech", "9": "@repeat"},
            "on": {"fail": "sales"},
        },
        "sales": {"type": "enqueue", "queue": "sales"},
        "tech": {"type": "enqueue", "queue": "tech", "skills": ["lang:{{call.lang}}"], "priority": 7},
        "bye": {"type": "hangup", "say": [{"p": "bye", "lang": "*"}]},
        "sorry": {"type": "enqueue", "queue": "sales"},
    },
}


def agent(name: str, *queues: str, skills: tuple[str, ...] = ()) -> cfg.AgentConfig:
    return cfg.AgentConfig(
        id=name,
        tenant=TENANT,
        name=name.title(),
        device=cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SWITCH, address=f"10{name}"),
        skills=dict.fromkeys(skills, 3),
        queues={queue: cfg.Membership() for queue in queues},
    )


def center_config(version: int = 1, **changes: Any) -> cfg.CenterConfig:
    sounds = {name: {lang: f"{name}.{lang}.wav" for lang in ("zh", "en")} for name in FLOW["prompts"]}
    values: dict[str, Any] = {
        "tenants": {
            TENANT: cfg.TenantConfig(
                id=TENANT,
                name="Yunqiao",
                dispositions=("sold", "no"),
                pause_reasons=("lunch", "tea", "meeting", "desk", "training"),
                apology_sounds=("sorry.wav",),
            )
        },
        "agents": {
            "ann": agent("ann", "sales", "tech", skills=("lang:en", "lang:zh")),
            "bob": agent("bob", "sales"),
            "cai": agent("cai", "tech", skills=("lang:zh",)),
        },
        "queues": {
            "sales": cfg.QueueConfig(id="sales", tenant=TENANT, name="Sales"),
            "tech": cfg.QueueConfig(id="tech", tenant=TENANT, name="Tech", max_wait_ms=60_000),
        },
        "trunks": {"t1": cfg.TrunkConfig(id="t1", tenant=TENANT, switch=SWITCH, name="PSTN", gateway="pstn")},
        "dids": {f"{SWITCH}/4001": cfg.DidConfig(number="4001", tenant=TENANT, switch=SWITCH, flow="hot")},
        "flows": {"hot": cfg.FlowConfig(id="hot", tenant=TENANT, version="v1", document=FLOW, sounds=sounds)},
        "calendars": {
            "1/main": cfg.CalendarConfig(
                id="main",
                spans=tuple(cfg.OpeningSpan(weekday=day, opens_min=0, closes_min=1440) for day in range(7)),
            )
        },
        "unknown_did_sounds": ("unknown.wav",),
    }
    return cfg.CenterConfig(version=version, **(values | changes))


class Scene:
    """Feeds events and keeps what came of them. Every step proves that the fold of all facts is the state."""

    def __init__(self, config: cfg.CenterConfig | None = None, start_ms: int = 1_700_000_000_000) -> None:
        self.engine = Engine()
        self.now_ms = start_ms
        self.facts: list[f.Fact] = []
        self.commands: list[c.Command] = []
        self.new: list[c.Command | f.Fact] = []
        self.serial = 0
        self.feed(e.EngineRestarted(run="r1"))
        self.feed(e.ConfigChanged(config=config or center_config()))
        self.feed(e.LinkUp(switch=SWITCH, boot="b1"))

    @property
    def state(self) -> State:
        return self.engine.state

    def feed(self, event: e.Event) -> None:
        self.new = list(self.engine.handle(event, self.now_ms))
        self.facts += [item for item in self.new if isinstance(item, f.Fact)]
        self.commands += [item for item in self.new if isinstance(item, c.Command)]

    def wait(self, seconds: float) -> None:
        """Let time pass, firing deadlines as the host would."""
        until = self.now_ms + int(seconds * 1000)
        while (due := self.engine.next_deadline_ms()) is not None and due <= until:
            self.now_ms = max(due, self.now_ms)
            self.feed(e.DeadlinePassed())
        self.now_ms = until

    def folded(self) -> State:
        state = State()
        state.fold(self.facts)
        return state

    # --- what was said last ---

    def last(self, kind: type[T]) -> T:
        for item in reversed([*self.facts, *self.commands] if issubclass(kind, f.Fact) else self.commands):
            if isinstance(item, kind):
                return item
        raise AssertionError(f"no {kind.__name__} yet")

    def all(self, kind: type[T]) -> list[T]:
        return [item for item in [*self.facts, *self.commands] if isinstance(item, kind)]

    def just(self, kind: type[T]) -> list[T]:
        """Of the last event only."""
        return [item for item in self.new if isinstance(item, kind)]

    def refused(self) -> str:
        """Why the last request was refused; nothing was done for it."""
        assert not self.just(c.Command)
        return self.just(f.RequestRefused)[0].code

    # --- people ---

    def ask(self, request: type[e.AgentRequest], agent: str, /, **fields: Any) -> None:
        self.serial += 1
        fields.setdefault("cmd_id", f"cmd{self.serial}")
        self.feed(request(tenant=TENANT, actor=agent, agent=agent, **fields))

    def ready(self, *agents: str) -> None:
        for name in agents:
            self.ask(e.AgentSignedIn, name)
            self.ask(e.AgentWentReady, name)
            self.now_ms += 1000

    def agent_state(self, name: str) -> str:
        return str(self.state.agents[name].state)

    # --- callers ---

    def arrive(self, leg: str = "cust1", did: str = "4001", call: str | None = None) -> Call:
        self.feed(
            e.CallArrived(
                switch=SWITCH, leg=LegId(leg), did=did, caller_number="13800138000", caller_name="王芳", call=call
            )
        )
        found = self.state.call_of(LegId(leg))
        assert found is not None
        return found

    def press(self, call: Call, key: str) -> None:
        self.feed(e.DigitPressed(switch=SWITCH, leg=call.leg, digit=key))

    def to_queue(self, leg: str = "cust1", keys: str = "11") -> Call:
        """Through language and menu into a queue."""
        call = self.arrive(leg)
        for key in keys:
            self.press(call, key)
        return call

    def answer_offer(self, call: Call) -> LegId:
        """The offered agent's phone rings, is picked up, parks; the switch bridges."""
        assert call.offer is not None
        leg = call.offer.leg
        self.feed(e.LegRinging(switch=SWITCH, leg=leg))
        self.feed(e.LegAnswered(switch=SWITCH, leg=leg))
        self.feed(e.LegParked(switch=SWITCH, leg=leg))
        self.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
        return leg

    def hang_up(self, leg: str, cause: e.HangupCause = e.HangupCause.NORMAL) -> None:
        self.feed(e.LegHungUp(switch=SWITCH, leg=LegId(leg), cause=cause))

    def talk(self, leg: str = "cust1") -> tuple[Call, LegId]:
        call = self.to_queue(leg)
        return call, self.answer_offer(call)
