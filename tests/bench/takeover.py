"""Kill the engine that leads, again and again, under load: how soon does the other one command, and who is lost?

``python -m tests.bench.takeover --kills 200`` on the simulator; ``--freeswitch --kills 20`` on a real one.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from apps.demo.services import PrivatePostgres
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import freeswitch_binary

PROMISED_S = 2.0


@dataclass
class Outcome:
    """``takeovers_s``: from the kill to the next engine's first command; ``lost`` and ``wrong`` name calls and why."""

    takeovers_s: list[float] = field(default_factory=list)
    calls: int = 0
    talks: int = 0
    begun_anew: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def at(self, share: float) -> float:
        ordered = sorted(self.takeovers_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    def lines(self) -> Sequence[str]:
        return (
            f"kills {len(self.takeovers_s)}  takeover p50 {self.at(0.5):.2f} p95 {self.at(0.95):.2f}"
            f" p99 {self.at(0.99):.2f} max {self.at(1):.2f} s",
            f"calls {self.calls}  talks {self.talks}  begun anew {self.begun_anew}  lost {len(self.lost)}"
            f"  wrong {len(self.wrong)}",
            *self.lost[:20],
            *self.wrong[:20],
        )

    @property
    def kept(self) -> bool:
        return not self.lost and not self.wrong and self.at(0.99) < PROMISED_S


async def on_simulator(kills: int, rate: float, seed: int, at_most_s: float) -> Outcome:
    from tests.bench.takeover_simulator import run

    directory = Path(tempfile.mkdtemp(prefix="trunkline-takeover-"))
    directory.chmod(0o755)
    server = PrivatePostgres(directory / "postgres")
    await asyncio.to_thread(server.start)
    try:
        return await run(directory, server.url, kills=kills, rate=rate, seed=seed, at_most_s=at_most_s, say=print)
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--at-most-s", type=float, default=3600.0, help="on the simulator: no more kills after that")
    parser.add_argument("--freeswitch", action="store_true", help="on a real FreeSWITCH, with SIPp for people")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if options.freeswitch:
        if freeswitch_binary() is None or sipp_binary() is None:
            print("SKIPPED: this needs the freeswitch and sipp binaries")
            return 0
        from tests.bench.takeover_switch import run as on_switch

        outcome = on_switch(kills=options.kills, rate=options.rate, seed=options.seed, say=print)
    else:
        outcome = asyncio.run(on_simulator(options.kills, options.rate, options.seed, options.at_most_s))
    print(*outcome.lines(), sep="\n")
    return 0 if outcome.kept else 1


if __name__ == "__main__":
    sys.exit(main())
