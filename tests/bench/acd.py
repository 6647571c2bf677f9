"""Trunkline beside mod_callcenter and a bare loop on one real FreeSWITCH, alternating, with the same media.

Each call passes a menu with one key, music and a stereo recording; agents answer at once and hang up after a second;
SIPp plays both sides. Two loads: a backlog before few agents (*turnaround*: from the hang-up of an agent's leg to the
creation of the same agent's next leg) and agents enough (*offer*: from the caller's key to the creation of the leg of
the agent who gets this caller). All by the switch's own timestamps; FreeSWITCH's tick is 20 ms.

Without a FreeSWITCH the simulator takes its place, over TCP, and the bare loop is the one to compare with.
``python -m tests.bench.acd --help``.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench import acd_simulator, acd_switch
from tests.bench.acd_load import OFFER, TURNAROUND, Bench, Load, Result
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import freeswitch_binary

PROMISED_MS = 50
TIMES_BETTER = 20
SWITCH_CPU_SHARE = 0.8


@dataclass(frozen=True)
class Promise:
    text: str
    value: str
    kept: bool


class Medians:
    """Of the runs of one kind under one load."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.p50_ms = statistics.median(result.at(0.5) for result in results)
        self.p95_ms = statistics.median(result.at(0.95) for result in results)
        self.max_ms = max(result.at(1) for result in results)
        self.switch_cpu_s = statistics.median(result.switch_cpu_s for result in results)
        self.loop_cpu_s = statistics.median(result.loop_cpu_s for result in results)
        self.talks = sum(result.talks for result in results)


Table = dict[tuple[Load, str], Medians]


def medians(results: Sequence[Result]) -> Table:
    rows = dict.fromkeys((result.load, result.kind) for result in results)
    return {(load, kind): Medians([r for r in results if (r.load, r.kind) == (load, kind)]) for load, kind in rows}


def lines(table: Table) -> Iterator[str]:
    yield "| load | | p50 ms | p95 ms | max ms | switch CPU s | own CPU s | talks |"
    yield "|---|---|---|---|---|---|---|---|"
    for (load, kind), row in table.items():
        yield (
            f"| {load.name}, {load.agents} agents, {load.rate}/s | {kind} | {row.p50_ms:.0f} | {row.p95_ms:.0f} |"
            f" {row.max_ms:.0f} | {row.switch_cpu_s:.2f} | {row.loop_cpu_s:.2f} | {row.talks} |"
        )


def promises(table: Table) -> Iterator[Promise]:
    """Those that the measured kinds can tell."""
    turnaround, offer = (table.get((load, "trunkline")) for load in (TURNAROUND, OFFER))
    rival, floor = (table.get((TURNAROUND, kind)) for kind in ("mod_callcenter", "bare_loop"))
    if turnaround is not None:
        p95_ms = turnaround.p95_ms
        yield Promise(f"turnaround p95 under {PROMISED_MS} ms", f"{p95_ms:.0f} ms", p95_ms < PROMISED_MS)
        if rival is not None:
            times = rival.p95_ms / max(p95_ms, 1)
            yield Promise(
                f"at least {TIMES_BETTER} times better than mod_callcenter", f"{times:.0f}", times >= TIMES_BETTER
            )
            share = turnaround.switch_cpu_s / rival.switch_cpu_s
            yield Promise(
                f"switch CPU at most {SWITCH_CPU_SHARE} of mod_callcenter's", f"{share:.2f}", share <= SWITCH_CPU_SHARE
            )
        if floor is not None:
            yield Promise("of the bare loop's turnaround p95", f"{p95_ms / max(floor.p95_ms, 1):.1f} times", True)
            share = turnaround.switch_cpu_s / floor.switch_cpu_s
            yield Promise("of the bare loop's switch CPU", f"{share:.2f} times", True)
    if offer is not None:
        yield Promise(f"offer p95 under {PROMISED_MS} ms", f"{offer.p95_ms:.0f} ms", offer.p95_ms < PROMISED_MS)


@contextlib.contextmanager
def installed(agents: int) -> Iterator[Bench]:
    if freeswitch_binary() is not None and sipp_binary() is not None:
        with acd_switch.installed(agents) as bench:
            yield bench
    else:
        print("no freeswitch and sipp here: the simulator over TCP, beside a bare loop")
        with acd_simulator.installed(agents) as simulated:
            yield simulated


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each kind and load, alternating")
    parser.add_argument("--kinds", nargs="+", choices=acd_switch.KINDS, help="leave some out to look for a cost")
    parser.add_argument("--loads", nargs="+", choices=(TURNAROUND.name, OFFER.name), help="both unless told")
    parser.add_argument("--simulator", action="store_true", help="even where there is a FreeSWITCH")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    loads = [load for load in (TURNAROUND, OFFER) if load.name in (options.loads or (load.name,))]
    results: list[Result] = []
    place = acd_simulator.installed if options.simulator else installed
    with place(max(load.agents for load in loads)) as bench:
        for load in loads:
            for _ in range(options.runs):
                for kind in [kind for kind in bench.kinds if kind in (options.kinds or bench.kinds)]:
                    results.append(bench.run(kind, load))
                    print(results[-1].line(), flush=True)
    table = medians(results)
    told = list(promises(table))
    print("\n".join(["", *lines(table), ""]))
    for promise in told:
        print(f"{'kept  ' if promise.kept else 'BROKEN'} {promise.text}: {promise.value}")
    return 0 if all(promise.kept for promise in told) else 1


if __name__ == "__main__":
    sys.exit(main())
