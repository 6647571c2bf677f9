"""kill -9 of the engine while a crowd waits on a real FreeSWITCH: how soon all are held again, and who is lost.

``python -m tests.bench.crowd --callers 200``. Callers choose by key, wait with music, the engine dies and is started
again after ``--dead`` seconds; then twenty agents serve everybody. Lost is a caller whose call history does not call
served by exactly one agent at a time.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time

from apps.core.calls.model import CallState
from tests.bench.acd_switch import DID, FILES, SwitchBench, installed, make_ready
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import freeswitch_binary
from tests.switch_live.waiting import eventually, free_ports

AGENTS = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--dead", type=float, default=2.0, help="seconds before the engine is started again")
    options = parser.parse_args()
    if freeswitch_binary() is None or sipp_binary() is None:
        print("SKIPPED: this needs the freeswitch and sipp binaries")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    with installed(AGENTS) as bench:
        return _run(bench, options.callers, options.dead)


def _run(bench: SwitchBench, callers: int, dead_s: float) -> int:
    center = bench.center
    center.start_engine()
    crowd = _crowd(bench, callers)
    eventually(lambda: _waiting(bench) == callers, 60, "everybody waits")
    center.kill_engine()
    time.sleep(dead_s)
    began = time.monotonic()
    center.start_engine()
    leading_s = time.monotonic() - began
    eventually(lambda: _waiting(bench) == callers and _held(bench) >= callers, 60, "everybody is held again")
    held_s = time.monotonic() - began
    make_ready(center, AGENTS)
    crowd.wait(180)
    eventually(lambda: not bench.switch.api.channels(), 30, "all calls over")
    served = eventually(lambda: (count := _served(bench)) == callers and count, 20, "history complete")
    doubled = _doubled(bench)
    center.stop_engine()
    print(
        f"{callers} waiting callers, engine dead for {dead_s:.0f} s: leading again {leading_s:.1f} s after its start, "
        f"all held {held_s:.1f} s after it; served {served}, lost {callers - served}, with two agents at once {doubled}"
    )
    return 0 if served == callers and not doubled else 1


def _crowd(bench: SwitchBench, callers: int) -> subprocess.Popen[bytes]:
    own, media = free_ports(2)
    return subprocess.Popen(
        [
            *(sipp_binary() or "sipp", "-sf", str(FILES / "caller.xml"), "-i", "127.0.0.1", "-p", str(own)),
            *("-mp", str(media), "-s", DID, f"127.0.0.1:{bench.trunks_port}", "-m", str(callers)),
            *("-r", "30", "-l", str(callers), "-nostdin", "-timeout", "240"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=bench.directory,
    )


def _waiting(bench: SwitchBench) -> int:
    calls = bench.center.state().calls.values()
    return sum(call.state is CallState.WAITING and call.deadline_ms is None for call in calls)


def _held(bench: SwitchBench) -> int:
    """Channels that hear the music of a lease of ours, not of the dialplan's ladder."""
    return sum("timeout=20000" in row.get("application_data", "") for row in bench.switch.api.channels())


def _served(bench: SwitchBench) -> int:
    rows = bench.center.rows("SELECT count(*) AS count FROM calls_call WHERE did = %s AND outcome = 'served'", DID)
    return int(rows[0]["count"])


def _doubled(bench: SwitchBench) -> int:
    """Agents' legs of one call that were up at the same time."""
    rows = bench.center.rows(
        "SELECT count(*) AS count FROM calls_leg a JOIN calls_leg b ON a.call_id = b.call_id AND a.id < b.id"
        " WHERE a.role = 'agent' AND b.role = 'agent' AND a.answered_at < b.ended_at AND b.answered_at < a.ended_at"
    )
    return int(rows[0]["count"])


if __name__ == "__main__":
    sys.exit(main())
