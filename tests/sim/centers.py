"""Centres by chance: queues of every strategy, skills, tiers, rings, hours and overflow, and who works in them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.core import config as cfg
from apps.core.ids import AgentId, QueueId, SkillId
from tests.core.scene import FLOW, SWITCH, TENANT

SOUND_MS = 3_000  # of every file, on the simulator
SKILLS = tuple(map(SkillId, ("lang:zh", "lang:en", "billing", "repairs")))
DIDS = ("4001", "4002", "4003")
COMFORT = {"zh": ("comfort.wav",), "en": ("comfort.wav",)}
PHRASES = (
    "position", "wait", "wait.minute", "callback.offer", "callback.confirm", "callback.keys", "callback.number",
    "callback.invalid", "callback.already", "callback.booked", "callback.greeting",
)  # fmt: skip
YUNQIAO = cfg.TenantConfig(
    id=TENANT,  # type: ignore[arg-type]
    name="Yunqiao",
    apology_sounds=("sorry.wav",),
    dispositions=("done", "call again"),
    pause_reasons=("tea", "lunch"),
    pause_limits={"tea": cfg.PauseLimit(each_ms=3_000)},
)
MINUTE_MS = 60_000
ROUTED = True


class CenterMaker:
    """``start_ms`` is the day's beginning: calendars close and open within the next two hours."""

    def __init__(self, rng: random.Random, agents: int, start_ms: int) -> None:
        self.rng, self.agents, self.start_ms = rng, agents, start_ms
        self.queues = [QueueId(f"q{n}") for n in range(1, rng.randint(2, 5) + 1)]

    def make(self) -> cfg.CenterConfig:
        flows = {"hot": _flow("hot", FLOW | {"nodes": FLOW["nodes"] | self._targets()}), "menu": self._menu()}
        names = {name for flow in flows.values() for files in flow.sounds.values() for name in files.values()}
        phrases = {name: (f"{name}.wav",) for name in PHRASES}
        names |= {file for files in phrases.values() for file in files}
        names |= {"sorry.wav", "unknown.wav", "comfort.wav", "whisper.wav", "closing.wav"}
        return cfg.CenterConfig(
            version=1,
            tenants={TENANT: YUNQIAO},
            agents={agent.id: agent for agent in map(self._agent, range(self.agents))},
            queues={queue: self._queue(n) for n, queue in enumerate(self.queues)},
            trunks={
                "t1": cfg.TrunkConfig(
                    id="t1", tenant=TENANT, switch=SWITCH, name="PSTN", gateway="pstn",
                    max_calls=self.rng.choice((500, 500, 6)),
                )
            },
            dids={f"{SWITCH}/{did}": self._did(did) for did in DIDS},
            flows=flows,
            calendars={"1/main": _always("main"), "1/short": self._short_day()},
            unknown_did_sounds=("unknown.wav",),
            phrases={"zh": phrases},
            sound_ms=dict.fromkeys(sorted(names), SOUND_MS),
        )  # type: ignore[arg-type]  # fmt: skip

    def _maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    # --- queues ------------------------------------------------------------------------------------------------------

    def _queue(self, n: int) -> cfg.QueueConfig:
        rng = self.rng
        queue = cfg.QueueConfig(
            id=self.queues[n], tenant=TENANT, name=self.queues[n],
            priority=rng.choice((3, 5, 5, 5, 7)),
            max_wait_ms=rng.randint(20, 120) * 1000,
            ring_timeout_ms=rng.randint(8, 20) * 1000,
            wrap_up_ms=rng.choice((0, 2_000, 10_000)),
            auto_answer=self._maybe(0.2),
            may_decline=self._maybe(0.8),
            whisper_sounds=("whisper.wav",) if self._maybe(0.2) else (),
            overflow=self._overflow(n),
            life=self._life(n),
        )  # type: ignore[arg-type]  # fmt: skip
        return self._routed(queue) if ROUTED else queue

    def _routed(self, queue: cfg.QueueConfig) -> cfg.QueueConfig:
        rng = self.rng
        return replace(
            queue,
            strategy=rng.choice(tuple(cfg.Strategy)),
            needs=self._needs(),
            rings=self._rings(),
            tier_rule=cfg.TierRule(
                wait_ms=rng.choice((0, 3_000, 10_000)), multiply=self._maybe(0.5), skip_empty=self._maybe(0.7)
            ),
            ring_step_ms=rng.choice((2_000, 5_000)),
            ageing_s=rng.choice((0, 5, 30)),
            sticky_days=rng.choice((0, 7)),
            sticky_wait_ms=rng.choice((2_000, 10_000)),
            resume_ms=rng.choice((0, 60_000)),
        )

    def _needs(self) -> tuple[cfg.SkillNeed, ...]:
        some = self.rng.sample(SKILLS, self.rng.choice((0, 0, 1, 2)))
        return tuple(
            cfg.SkillNeed(skill=skill, level=self.rng.randint(1, 4), required=self._maybe(0.6)) for skill in some
        )

    def _rings(self) -> tuple[cfg.Ring, ...]:
        return tuple(
            cfg.Ring(
                after_ms=after_s * 1000,
                drop=frozenset(self.rng.sample(SKILLS, self.rng.choice((0, 1)))),
                lower={self.rng.choice(SKILLS): 1} if self._maybe(0.5) else {},
                tiers_up_to=self.rng.choice((None, None, 2, 3)),
            )
            for after_s in sorted(self.rng.sample(range(2, 40), self.rng.choice((0, 0, 1, 2, 6))))
        )

    def _overflow(self, n: int) -> cfg.Overflow:
        """Only to later queues: a circle is refused when it is saved."""
        ways = [
            cfg.Overflow(),
            cfg.Overflow(sounds=("sorry.wav",)),
            cfg.Overflow(kind=cfg.OverflowKind.NUMBER, target="10086"),
            cfg.Overflow(kind=cfg.OverflowKind.FLOW, target="bye"),
        ]
        ways += [cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target=queue) for queue in self.queues[n + 1 :]]
        return self.rng.choice(ways)

    def _life(self, n: int) -> cfg.QueueLife:
        rng = self.rng
        return cfg.QueueLife(
            calendar=rng.choice(("", "1/main", "1/short")),
            closed=self._overflow(n) if self._maybe(0.5) else None,
            closing=rng.choice(tuple(cfg.ClosingTime)),
            closing_sounds={"zh": ("closing.wav",), "en": ("closing.wav",)},
            max_callers=rng.choice((0, 0, 4)),
            no_agents=rng.choice(tuple(cfg.NoAgents)),
            no_agents_grace_ms=rng.choice((5_000, 30_000)),
            comfort=(COMFORT,) if self._maybe(0.4) else (),
            comfort_every_ms=rng.choice((0, 15_000)),
            tell_every_ms=rng.choice((0, 20_000)),
            tell_position=self._maybe(0.5),
            tell_wait=self._maybe(0.5),
            callback=self._callback() if self._maybe(0.5) else None,
        )

    def _callback(self) -> cfg.CallbackOffer:
        rng = self.rng
        return cfg.CallbackOffer(
            key=rng.choice(("1", "2", "")),
            from_wait_ms=rng.choice((0, 10_000)),
            agent_first=self._maybe(0.5),
            attempts=rng.randint(1, 3),
            retry_ms=rng.choice((5_000, 30_000)),
            window_ms=rng.randint(60, 300) * 1000,
        )

    # --- people ------------------------------------------------------------------------------------------------------

    def _agent(self, n: int) -> cfg.AgentConfig:
        rng = self.rng
        kind = rng.choice((cfg.DeviceKind.SIP, cfg.DeviceKind.SIP, cfg.DeviceKind.BROWSER, cfg.DeviceKind.PSTN))
        outside = kind is cfg.DeviceKind.PSTN
        mine = [queue for m, queue in enumerate(self.queues) if m == n % len(self.queues) or self._maybe(0.4)]
        return cfg.AgentConfig(
            id=AgentId(f"a{n}"), tenant=TENANT, name=f"Agent {n}",
            device=cfg.DeviceConfig(
                kind=kind, switch=SWITCH, address=f"1360000{n:04d}" if outside else f"{1001 + n}",
                trunk="t1" if outside else None, kept_open=self._maybe(0.25),
            ),
            skills={skill: rng.randint(1, 5) for skill in SKILLS if self._maybe(0.7)},
            queues={queue: self._membership() for queue in mine},
        )  # type: ignore[arg-type]  # fmt: skip

    def _membership(self) -> cfg.Membership:
        if not ROUTED:
            return cfg.Membership()
        rng = self.rng
        return cfg.Membership(
            tier=rng.choice((1, 1, 2, 3)), position=rng.randint(1, 9), priority=rng.choice((5, 5, 5, 2, 9))
        )

    # --- the way in --------------------------------------------------------------------------------------------------

    def _did(self, number: str) -> cfg.DidConfig:
        flow = "hot" if number == DIDS[0] else "menu"
        vip = 8 if ROUTED and number == DIDS[2] else None
        return cfg.DidConfig(number=number, tenant=TENANT, switch=SWITCH, flow=flow, priority=vip)  # type: ignore[arg-type]

    def _targets(self) -> dict[str, Any]:
        """Of the flow that the core's tests use: its three ways into a queue."""
        tech = {"type": "enqueue", "queue": self.queues[-1], "skills": ["lang:{{call.lang}}"], "priority": 7}
        first = {"type": "enqueue", "queue": self.queues[0]}
        return {"sales": first, "sorry": first, "tech": tech}

    def _menu(self) -> cfg.FlowConfig:
        """A key for each queue; some go on by the flow when the queue could not serve, or when the talk is over."""
        nodes: dict[str, Any] = {"ans": {"type": "answer", "on": {"ok": "main"}}}
        keys = {}
        for n, queue in enumerate(self.queues):
            node: dict[str, Any] = {"type": "enqueue", "queue": queue}
            if self._maybe(0.3):
                node["skills"] = [self.rng.choice(SKILLS)]
            if self._maybe(0.2):
                node["priority"] = self.rng.randint(0, 9)
            if self._maybe(0.3):
                node["on"] = {"timeout": "bye"}
            if self._maybe(0.3):
                node.setdefault("on", {})["agent_done"] = "bye"
            nodes[queue], keys[str(n + 1)] = node, queue
        if self._maybe(0.4):
            nodes["back"] = {"type": "callback", "queue": self.rng.choice(self.queues), "on": {"declined": "bye"}}
            keys["4"] = "back"
        nodes["main"] = {"type": "menu", "say": [{"p": "main"}], "keys": keys, "on": {"fail": self.queues[0]}}
        nodes["bye"] = FLOW["nodes"]["bye"]
        return _flow("menu", {**FLOW, "handlers": {"error": self.queues[0]}, "nodes": nodes})

    def _short_day(self) -> cfg.CalendarConfig:
        """Closes some minutes after the day's beginning, and opens again a little later."""
        minute = self.start_ms // MINUTE_MS % 1440  # with the offset of 0 below
        opens, closes = minute - 30, minute + self.rng.randint(2, 10)
        again = closes + self.rng.randint(1, 5)
        spans = tuple(
            cfg.OpeningSpan(weekday=day, opens_min=from_min, closes_min=to_min)
            for day in range(7)
            for from_min, to_min in ((max(0, opens), closes), (again, 1440))
            if 0 <= from_min < to_min <= 1440
        )
        return cfg.CalendarConfig(id="short", spans=spans, utc_offsets=((0, 0),))


def changed(config: cfg.CenterConfig, rng: random.Random, start_ms: int) -> cfg.CenterConfig:
    """What an administrator may do in the middle of the day: queues anew, a queue or an agent gone, members moved."""
    maker = CenterMaker(rng, len(config.agents), start_ms)
    maker.queues = list(config.queues)
    queues = {queue: maker._queue(n) for n, queue in enumerate(maker.queues)}
    agents = {name: replace(agent, queues=_moved(agent.queues, maker)) for name, agent in config.agents.items()}
    if len(queues) > 2 and rng.random() < 0.3:
        del queues[rng.choice(maker.queues)]
    return replace(config, version=config.version + 1, queues=queues, agents=agents)


def _moved(queues: Mapping[QueueId, cfg.Membership], maker: CenterMaker) -> Mapping[QueueId, cfg.Membership]:
    if maker._maybe(0.7):
        return queues
    some: Sequence[QueueId] = maker.rng.sample(maker.queues, maker.rng.randint(1, len(maker.queues)))
    return {queue: maker._membership() for queue in some}


def _flow(name: str, document: Mapping[str, Any]) -> cfg.FlowConfig:
    sounds = {prompt: {lang: f"{prompt}.{lang}.wav" for lang in ("zh", "en")} for prompt in FLOW["prompts"]}
    return cfg.FlowConfig(id=name, tenant=TENANT, version=f"{name}1", document=document, sounds=sounds)  # type: ignore[arg-type]


def _always(name: str) -> cfg.CalendarConfig:
    days = tuple(cfg.OpeningSpan(weekday=day, opens_min=0, closes_min=1440) for day in range(7))
    return cfg.CalendarConfig(id=name, spans=days)
