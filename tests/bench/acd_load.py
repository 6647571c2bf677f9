"""What the benchmark of the ACD puts on a switch, and what it takes down."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.acd_watch import Seen, Watch


@dataclass(frozen=True)
class Load:
    name: str
    agents: int
    calls: int
    rate: int  # calls a second

    def times_ms(self, seen: Seen) -> list[float]:
        return seen.turnarounds_ms if self is TURNAROUND else seen.offers_ms


TURNAROUND = Load("turnaround", agents=20, calls=200, rate=30)
OFFER = Load("offer", agents=200, calls=500, rate=50)


@dataclass(frozen=True)
class Result:
    """``loop_cpu_s`` is the processor time of who drives the switch: the engine (without its recorder, a process of its
    own), or the bare loop."""

    kind: str
    load: Load
    times_ms: list[float]
    talks: int
    switch_cpu_s: float
    loop_cpu_s: float
    wall_s: float

    def at(self, share: float) -> float:
        ordered = sorted(self.times_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    def line(self) -> str:
        return (
            f"{self.load.name:10} {self.kind:15} p50 {self.at(0.5):6.0f} p95 {self.at(0.95):6.0f}"
            f" max {self.at(1):6.0f} ms  n {len(self.times_ms):4}  talks {self.talks:4}"
            f"  CPU switch {self.switch_cpu_s:5.2f} own {self.loop_cpu_s:5.2f} s in {self.wall_s:4.1f} s"
        )


def processor_s(pid: int | None) -> float:
    """Processor time that a process has used so far, all its threads together; none for None."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class EventSocketPlace(Protocol):
    @property
    def event_socket_port(self) -> int: ...

    @property
    def password(self) -> str: ...


class Measured:
    """From its making to ``result``."""

    def __init__(self, place: EventSocketPlace, switch: int, loop: int | None) -> None:
        self._pids = (switch, loop)
        self._watch = Watch(place.event_socket_port, place.password)
        self._used_s = [processor_s(pid) for pid in self._pids]
        self._began_s = time.monotonic()

    def result(self, kind: str, load: Load) -> Result:
        switch_s, loop_s = (processor_s(pid) - used_s for pid, used_s in zip(self._pids, self._used_s, strict=True))
        wall_s = time.monotonic() - self._began_s
        seen = self._watch.stop()
        return Result(kind, load, load.times_ms(seen), seen.talks, switch_s, loop_s, wall_s)


class Bench(Protocol):
    """A switch with all that is compared on it."""

    @property
    def kinds(self) -> tuple[str, ...]: ...

    def run(self, kind: str, load: Load) -> Result:
        """Prepare, measure, tidy up."""
        ...
