"""The engine's scale on one core: 1,000 to 48,000 agents, 5,000 of them in one queue with 5,000 callers waiting.

``python -m tests.bench.scale``. Every round an agent hangs up and is given the next of the waiting callers, a new one
comes in behind, and a call comes in for another queue, whose agents are idle: two assignments, with all that belongs to
whole calls. A decision is the handling of the event that made an offer. Processor time, so that a busy machine does not
blur it. The peer is a full scan of the agents for each decision, as mod_callcenter does it.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log2

from apps.core import config as cfg
from apps.core import events as e
from apps.core.center import Effect
from apps.core.facts import AgentOffered
from apps.core.ids import AgentId
from apps.engine.interpreter import collect_garbage_seldom
from tests.bench.floor import SWITCH, TENANT, Floor, flow

SIZES = (1_000, 10_000, 48_000)
IN_ONE_QUEUE = 5_000
WAITING = 5_000
ROUNDS = 3_000
SKILLS = 5
OTHERS = 9  # queues beside the big one

WANTED_RATE = 1_000
WANTED_P99_MS = 5.0


def big_queue(agents: int) -> int:
    return min(IN_ONE_QUEUE, agents // 2)


def config_of(agents: int) -> cfg.CenterConfig:
    """Skill ``s0`` to ``s4``, one an agent; the big queue's callers ask for one, by the number they called."""
    big = big_queue(agents)
    queues = [f"q{n}" for n in range(1, OTHERS + 1)]
    return cfg.CenterConfig(
        version=1,
        tenants={TENANT: cfg.TenantConfig(id=TENANT, name="bench")},
        agents={
            f"a{n}": cfg.AgentConfig(
                id=f"a{n}", tenant=TENANT, name=f"a{n}", skills={f"s{n % SKILLS}": 3},
                device=cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SWITCH, address=str(10_000 + n)),
                queues=dict.fromkeys(["big"] if n < big else queues[n % OTHERS :][:2], cfg.Membership()),
            )
            for n in range(agents)
        },
        queues={
            name: cfg.QueueConfig(id=name, tenant=TENANT, name=name, wrap_up_ms=0, max_wait_ms=10**9)
            for name in ("big", *queues)
        },
        dids={f"{SWITCH}/{did}": cfg.DidConfig(number=did, tenant=TENANT, switch=SWITCH, flow=did) for did in _DIDS},
        flows={name: flow(name, "big" if name < "a" else name, [f"s{name}"] if name < "a" else ()) for name in _DIDS},
    )  # type: ignore[arg-type]  # fmt: skip


_DIDS = (*map(str, range(SKILLS)), *(f"q{n}" for n in range(1, OTHERS + 1)))


@dataclass(frozen=True)
class Figures:
    agents: int
    per_s: float
    decisions_us: list[float]  # ascending
    agent_bytes: float
    caller_bytes: float

    def at(self, share: float) -> float:
        return self.decisions_us[int(len(self.decisions_us) * share)]

    def line(self) -> str:
        return (
            f"| {self.agents:,} | {big_queue(self.agents):,} | {WAITING:,} | {self.per_s:,.0f} | {self.at(0.5):.0f} |"
            f" {self.at(0.99):.0f} | {self.at(0.999):.0f} | {self.agent_bytes / 1024:.1f} |"
            f" {self.caller_bytes / 1024:.1f} |"
        )


def allocated_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def measure(agents: int) -> Figures:
    config = config_of(agents)
    tracemalloc.start()
    before = allocated_bytes()
    floor = Floor(config)
    floor.sign_in(AgentId(f"a{n}") for n in range(agents))
    with_agents = allocated_bytes()
    big = big_queue(agents)
    for n in range(big):
        floor.call_in(str(n % SKILLS))
    with_talks = allocated_bytes()
    for n in range(WAITING):
        floor.call_in(str(n % SKILLS))
    with_waiting = allocated_bytes()
    tracemalloc.stop()
    assert len(floor.talks) == big, "all of the big queue's agents talk"
    collect_garbage_seldom()
    decisions_us: list[float] = []
    floor.handle = _timed(floor, decisions_us)
    began = time.process_time()
    for n in range(ROUNDS):
        floor.now_ms += 10
        floor.call_in(str(n % SKILLS))
        floor.end_talk(*floor.talks.popleft())
        floor.call_in(f"q{1 + n % OTHERS}")
        floor.end_talk(*floor.talks.pop())
    took_s = time.process_time() - began
    gc.unfreeze()
    assert len(decisions_us) >= 2 * ROUNDS * 0.99, "every round makes two assignments"
    return Figures(
        agents,
        len(decisions_us) / took_s,
        sorted(decisions_us),
        (with_agents - before) / agents,
        (with_waiting - with_talks) / WAITING,
    )


def _timed(floor: Floor, decisions_us: list[float]) -> Callable[[e.Event, int], list[Effect]]:
    handle = floor.engine.handle

    def timed(event: e.Event, now_ms: int) -> list[Effect]:
        began_ns = time.thread_time_ns()
        effects = handle(event, now_ms)
        took_ns = time.thread_time_ns() - began_ns
        if any(isinstance(effect, AgentOffered) for effect in effects):
            decisions_us.append(took_ns / 1000)
        return effects

    return timed


def scan_us(agents: int, rounds: int = 10) -> float:
    """One decision by looking at every agent: who is in the queue, has the skill, and has been idle longest."""
    config = config_of(agents)
    idle_since = {agent: n for n, agent in enumerate(config.agents)}
    began = time.process_time()
    for n in range(rounds):
        skill = f"s{n % SKILLS}"
        able = (one for one in config.agents.values() if "big" in one.queues and skill in one.skills)
        min(able, key=lambda one: idle_since[one.id])
    return (time.process_time() - began) / rounds * 1e6


def promises(figures: list[Figures]) -> Iterator[tuple[bool, str]]:
    for one in figures:
        yield (
            one.per_s >= WANTED_RATE,
            f"{one.agents:,} agents: {one.per_s:,.0f} assignments/s (at least {WANTED_RATE:,})",
        )
        p99_ms = one.at(0.99) / 1000
        yield (
            p99_ms <= WANTED_P99_MS,
            f"{one.agents:,} agents: decision p99 {p99_ms:.2f} ms (at most {WANTED_P99_MS:.0f})",
        )
    small, large = figures[0], figures[-1]
    if small is not large:
        growth, allowed = large.at(0.5) / small.at(0.5), log2(large.agents) / log2(small.agents)
        scan = scan_us(large.agents) / scan_us(small.agents)
        yield (
            growth <= allowed,
            f"a decision's cost from {small.agents:,} to {large.agents:,} agents: {growth:.2f} times"
            f" (log n grows {allowed:.2f} times, a full scan {scan:.0f} times)",
        )


def main() -> int:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    figures = []
    print(
        "| agents | in one queue | waiting | assignments/s | decision p50 µs | p99 | p99.9 | KiB an agent | a caller |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for agents in sizes:
        figures.append(measure(agents))
        print(figures[-1].line(), flush=True)
    print()
    told = list(promises(figures))
    for kept, text in told:
        print(f"{'kept  ' if kept else 'BROKEN'} {text}")
    return 0 if all(kept for kept, _text in told) else 1


if __name__ == "__main__":
    sys.exit(main())
