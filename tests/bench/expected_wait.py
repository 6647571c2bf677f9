"""How good the core's expected wait is, against telling everybody the wait of the last who was answered (LES).

Callers come at random and calls last as they will (M/M/s): the whole engine in virtual time, from the arrival to the
hang-up. Prints the mean squared error of both over all who had to wait.

    python -m tests.bench.expected_wait [days] [calls a day]
"""

from __future__ import annotations

import heapq
import random
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.engine import Engine
from apps.core.ids import LegId

SWITCH = "fs1"
FLOW = {
    "schema": "ivr/1", "langs": ["en"], "default_lang": "en", "start": "q", "prompts": {},
    "nodes": {"q": {"type": "enqueue", "queue": "q"}},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Errors:
    """Mean squared errors in s²; ``waits`` is of how many callers."""

    ours: float
    last_to_enter_service: float
    waits: int

    @property
    def ratio(self) -> float:
        return self.ours / self.last_to_enter_service


def centre(agents: int) -> cfg.CenterConfig:
    device = [cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SWITCH, address=f"{n}") for n in range(agents)]
    return cfg.CenterConfig(
        version=1,
        tenants={"1": cfg.TenantConfig(id="1", name="M/M/s")},
        agents={
            f"a{n}": cfg.AgentConfig(id=f"a{n}", tenant="1", name="", device=one, queues={"q": cfg.Membership()})
            for n, one in enumerate(device)
        },
        queues={
            "q": cfg.QueueConfig(
                id="q", tenant="1", name="q", wrap_up_ms=0, record=False, max_wait_ms=100_000_000
            )
        },
        dids={f"{SWITCH}/1": cfg.DidConfig(number="1", tenant="1", switch=SWITCH, flow="f")},
        flows={"f": cfg.FlowConfig(id="f", tenant="1", version="1", document=FLOW)},
    )  # fmt: skip


class Simulation:
    """An agent picks up at once and has no wrap-up; nobody gives up."""

    def __init__(self, seed: int, agents: int, load: float, handling_s: float) -> None:
        self.rng = random.Random(seed)
        self.handling_ms, self.gap_ms = handling_s * 1000, handling_s * 1000 / agents / load
        self.now_ms = 1_700_000_000_000
        self.engine = Engine()
        self.ends: list[tuple[int, str, LegId]] = []
        self.calls = 0
        self.told: dict[str, tuple[int, int]] = {}
        self.squares = (0.0, 0.0)
        self.waits = 0
        for event in (
            e.EngineRestarted(run="r1"), e.ConfigChanged(config=centre(agents)), e.LinkUp(switch=SWITCH, boot="b"),
        ):  # fmt: skip
            self.feed(event)
        for n in range(agents):
            about = {"tenant": "1", "actor": "x", "agent": f"a{n}"}
            self.feed(e.AgentSignedIn(cmd_id=f"i{n}", **about))
            self.feed(e.AgentWentReady(cmd_id=f"r{n}", **about))

    def feed(self, event: e.Event) -> None:
        pending = [event]
        while pending:
            for effect in self.engine.handle(pending.pop(0), self.now_ms):
                if isinstance(effect, f.AgentOffered):
                    pending.append(e.LegParked(switch=SWITCH, leg=effect.leg))
                elif isinstance(effect, f.BridgeRequested):
                    pending.append(e.LegsBridged(switch=SWITCH, leg=effect.leg, other=effect.other))
                elif isinstance(effect, f.CallBridged):
                    lasts_ms = round(self.rng.expovariate(1 / self.handling_ms))
                    heapq.heappush(self.ends, (self.now_ms + lasts_ms, effect.other, effect.leg))
                elif isinstance(effect, f.CallQueued) and effect.estimate_ms and effect.last_wait_ms is not None:
                    self.told[effect.call] = (effect.estimate_ms, effect.last_wait_ms)
                elif isinstance(effect, f.CallDequeued) and effect.call in self.told:
                    self.measure(self.told.pop(effect.call), effect.waited_ms)

    def measure(self, told: tuple[int, int], waited_ms: int) -> None:
        ours, last = (((guess - waited_ms) / 1000) ** 2 for guess in told)
        self.squares = (self.squares[0] + ours, self.squares[1] + last)
        self.waits += 1

    def run(self, calls: int, warm_up: int) -> Errors:
        comes_ms = self.now_ms
        while self.calls < calls:
            if self.ends and self.ends[0][0] <= comes_ms:
                self.now_ms, customer, agent = heapq.heappop(self.ends)
                self.feed(e.LegHungUp(switch=SWITCH, leg=LegId(customer), cause=e.HangupCause.NORMAL))
                self.feed(e.LegHungUp(switch=SWITCH, leg=agent, cause=e.HangupCause.NORMAL))
                continue
            self.now_ms = round(comes_ms)
            comes_ms += self.rng.expovariate(1 / self.gap_ms)
            self.calls += 1
            if self.calls == warm_up:
                self.squares, self.waits = (0.0, 0.0), 0
            self.feed(e.CallArrived(switch=SWITCH, leg=LegId(f"c{self.calls}"), did="1", caller_number="1"))
        return Errors(self.squares[0] / self.waits, self.squares[1] / self.waits, self.waits)


def pooled(seeds: Iterable[int], agents: int, load: float, calls: int) -> Errors:
    """Over several days, for the waits of one hang together: a single day strays far to either side."""
    days = [Simulation(seed, agents, load, 180).run(calls, calls // 10) for seed in seeds]
    waits = sum(day.waits for day in days)
    ours, last = (
        sum(getattr(day, name) * day.waits for day in days) / waits for name in ("ours", "last_to_enter_service")
    )
    return Errors(ours, last, waits)


def main() -> None:
    days, calls = (int(sys.argv[n]) if len(sys.argv) > n else default for n, default in ((1, 5), (2, 4_000)))
    print(f"{days} days of {calls} calls of 180 s: mean squared error of the expected wait, s²")
    print(f"{'agents':>7} {'load':>5} {'waits':>6} {'ours':>9} {'LES':>9} {'ratio':>6}")
    for agents, load in ((5, 0.9), (20, 0.9), (20, 0.95), (50, 0.95)):
        # A bigger centre has more calls a day: enough to know how long they take.
        errors = pooled(range(1, days + 1), agents, load, calls * max(1, agents // 10))
        row = f"{errors.ours:9.0f} {errors.last_to_enter_service:9.0f} {errors.ratio:6.3f}"
        print(f"{agents:7d} {load:5.2f} {errors.waits:6d} {row}", flush=True)


if __name__ == "__main__":
    main()
