"""The core alone: events per second of one core with 1,000 agents, and what one match costs as the centre grows.

``python -m tests.bench.core_events``. The peer in the same run is a full scan, as mod_callcenter does it: every
waiting caller against every agent, for each change.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from math import log2
from random import Random

from apps.core import config as cfg
from apps.core import events as e
from apps.core.ids import AgentId
from apps.core.queues.matching import Matcher
from apps.core.queues.strategies import Standing
from apps.core.queues.waiting import Requirement
from apps.engine.interpreter import collect_garbage_seldom
from tests.bench.floor import SWITCH, TENANT, Floor, flow


def center(agents: int, queues: int = 10) -> cfg.CenterConfig:
    return cfg.CenterConfig(
        version=1,
        tenants={TENANT: cfg.TenantConfig(id=TENANT, name="bench")},
        agents={
            f"a{n}": cfg.AgentConfig(
                id=f"a{n}", tenant=TENANT, name=f"a{n}", skills={f"s{n % 5}": 3},
                device=cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SWITCH, address=str(1000 + n)),
                queues={f"q{(n + more) % queues}": cfg.Membership() for more in (0, 1)},
            )
            for n in range(agents)
        },
        queues={f"q{n}": cfg.QueueConfig(id=f"q{n}", tenant=TENANT, name=f"q{n}", wrap_up_ms=0) for n in range(queues)},
        dids={
            f"{SWITCH}/{n}": cfg.DidConfig(number=str(n), tenant=TENANT, switch=SWITCH, flow=f"f{n}")
            for n in range(queues)
        },
        flows={f"f{n}": flow(f"f{n}", f"q{n}") for n in range(queues)},
    )  # type: ignore[arg-type]  # fmt: skip


def whole_calls(agents: int, events: int) -> float:
    """Events a second through whole calls: arrive, key, offer, ring, answer, bridge, hold, hang up."""
    floor = Floor(center(agents))
    floor.sign_in(AgentId(f"a{n}") for n in range(agents))
    floor.handled, started = 0, time.process_time()
    while floor.handled < events:
        floor.now_ms += 5
        floor.call_in(str(floor.legs % 10))
        agent, customer = floor.talks.popleft()
        floor.feed(e.LegHeld(switch=SWITCH, leg=agent))
        floor.feed(e.LegUnheld(switch=SWITCH, leg=agent))
        floor.end_talk(agent, customer)
    return floor.handled / (time.process_time() - started)


def match_cost(waiting: int, ready: int, rounds: int = 2000) -> float:
    """Microseconds for one caller in, one match, agent back: with so many waiting elsewhere and ready here."""
    config = center(ready + 1)
    matcher, random = Matcher(config.agents, config.queues), Random(1)
    here, elsewhere = Requirement(SWITCH, "q1"), Requirement(SWITCH, "q2", (cfg.SkillNeed(skill="nobody"),))
    for n in range(waiting):
        matcher.caller_waits(f"w{n}", elsewhere, random.randrange(10**6))
    for n, agent in enumerate(config.agents):
        matcher.agent_is(agent, signed_in=True, at_work=True, free=Standing(n))
    started = time.process_time()
    for n in range(rounds):
        matcher.caller_waits("new", here, n)
        agent = matcher.agent_for("new")
        assert agent is not None
        matcher.caller_leaves("new")
        matcher.agent_is(agent, signed_in=True, at_work=True, free=None)
        matcher.agent_is(agent, signed_in=True, at_work=True, free=Standing(10**6 + n))
    return (time.process_time() - started) / rounds * 1e6


def scan_cost(waiting: int, ready: int, rounds: int = 20) -> float:
    """The same by a full scan of both sides."""
    config = list(center(ready + 1).agents.values())
    callers = [("q2", ("nobody",), n) for n in range(waiting)] + [("q1", (), 10**7)]
    started = time.process_time()
    for _ in range(rounds):
        for queue, skills, _at in callers:
            able = (agent for agent in config if queue in agent.queues and all(s in agent.skills for s in skills))
            min(able, key=lambda agent: agent.id, default=None)
    return (time.process_time() - started) / rounds * 1e6


def best_of(times: int, run: Callable[[], float], pick: Callable[..., float]) -> float:
    return pick(run() for _ in range(times))


def main() -> None:
    """Processor time, so that a busy machine does not blur it; the garbage collector as the engine process sets it."""
    collect_garbage_seldom()
    rate = best_of(3, lambda: whole_calls(1000, 60_000), max)
    print(
        f"core events/s, 1,000 agents, whole calls: {rate:,.0f}  (wanted 20,000: {'yes' if rate >= 20_000 else 'NO'})"
    )
    costs = {}
    for size in (100, 1_000, 10_000, 48_000):
        costs[size] = best_of(3, lambda size=size: match_cost(size, size), min)  # type: ignore[misc]
        print(f"one match, {size:>6} waiting, {size:>6} ready: {costs[size]:6.2f} µs")
    slope = (costs[48_000] / costs[100]) / (log2(48_000) / log2(100))
    power = log2(costs[48_000] / costs[100]) / log2(480)
    print(f"growth 100 -> 48,000: {slope:.2f}x log n; as a power of n: {power:.2f} (a scan has 1.00)")
    ours, scan = costs[1_000], scan_cost(1_000, 1_000)
    print(f"full scan at 1,000 x 1,000: {scan:,.0f} µs = {scan / ours:,.0f}x ours")
    if rate < 20_000:
        sys.exit("slower than promised")


if __name__ == "__main__":
    main()
