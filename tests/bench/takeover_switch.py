"""The storm on a real FreeSWITCH: SIPp calls in, talks and is hung up on; its count and history say who was lost."""

from __future__ import annotations

import csv
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.acd_switch import DID, fill, make_ready, realtime, world
from tests.bench.takeover import Outcome
from tests.switch_live.center import Center
from tests.switch_live.pair import Pair
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import LiveSwitch
from tests.switch_live.waiting import eventually, free_ports

FILES = Path(__file__).parent / "takeover_files"
AGENTS_PER_CALL = 5  # a second: they talk for one
DRAIN_S = 120.0

Say = Callable[[str], object]


class Callers:
    """SIPp: so many calls a second until it is told to stop."""

    def __init__(self, directory: Path, port: int, rate: float) -> None:
        own, media = free_ports(2)
        self._counts = directory / "callers.csv"
        self._process = subprocess.Popen(
            [
                *(sipp_binary() or "sipp", "-sf", str(FILES / "caller.xml"), "-i", "127.0.0.1", "-p", str(own)),
                *("-mp", str(media), "-s", DID, f"127.0.0.1:{port}", "-m", "1000000", "-r", str(int(rate))),
                *("-l", "1000", "-nostdin", "-trace_stat", "-stf", str(self._counts), "-fd", "1"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=directory,
        )

    def stop(self) -> tuple[int, int]:
        """No new calls; those that are there end. How many there were, and how many SIPp calls failed."""
        self._process.send_signal(signal.SIGUSR1)
        try:
            self._process.wait(DRAIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._counts.open() as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return int(last["TotalCallCreated"]), int(last["FailedCall(C)"])


def run(*, kills: int, rate: float, seed: int, say: Say) -> Outcome:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-takeover-"))
    directory.chmod(0o755)
    (directory / "center").mkdir(mode=0o755)
    (directory / "switch" / "recordings").mkdir(parents=True)
    trunks, phones, websocket, event_socket, first, second, carrier, door, media = free_ports(9)
    center = Center(directory / "center", door)
    center.engine_prefix = realtime()
    row: dict[str, object] = {"trunks_sip_port": trunks, "agents_sip_port": phones, "ws_port": websocket, "wss_port": 0}
    row |= {"event_socket_port": event_socket, "rtp_first_port": 30000, "rtp_last_port": 34000}
    row |= {"arrival_hosts": f"127.0.0.1:{first}|127.0.0.1:{second}", "sip_address": "127.0.0.1"}
    row |= {name: str(directory / "switch" / name[:-4]) for name in ("sounds_dir", "recordings_dir")}
    agents = max(4, int(rate * AGENTS_PER_CALL))
    switch: LiveSwitch | None = None
    telephones: subprocess.Popen[bytes] | None = None
    pair: Pair | None = None
    try:
        fill(center, directory / "switch", {**row, "sessions_per_second": 500}, carrier, agents)
        telephones = world(directory, carrier, media)
        password = center.rows("SELECT event_socket_password FROM telephony_switch")[0]["event_socket_password"]
        switch = LiveSwitch(directory / "switch", event_socket, password)
        switch.start()
        pair = Pair(center, directory / "pair")
        pair.start()
        make_ready(center, agents)
        return _storm(center, switch, pair, Callers(directory, trunks, rate), kills, random.Random(seed), say)
    finally:
        if pair is not None:
            pair.stop()
        if switch is not None:
            switch.stop()
        if telephones is not None:
            telephones.kill()
            telephones.wait()
        center.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _storm(
    center: Center, switch: LiveSwitch, pair: Pair, callers: Callers, kills: int, chance: random.Random, say: Say
) -> Outcome:
    outcome = Outcome()
    for number in range(1, kills + 1):
        leader = pair.level(120)
        time.sleep(chance.uniform(0.2, 1.5))
        term = _term(switch)
        killed_s = time.monotonic()
        leader.kill()
        eventually(lambda term=term: _term(switch) != term, 60, "the next term")  # type: ignore[misc]
        outcome.takeovers_s.append(time.monotonic() - killed_s)
        leader.start()
        say(f"kill {number:3}  {outcome.takeovers_s[-1]:.2f} s")
    pair.level(120)
    outcome.calls, failed = callers.stop()
    eventually(lambda: not switch.api.channels(), DRAIN_S, "all calls over")
    if failed:
        outcome.lost.append(f"SIPp counts {failed} calls that did not end as they should")
    eventually(lambda: not center.rows("SELECT 1 FROM calls_call WHERE ended_at IS NULL"), 60, "every end in history")
    for row in center.rows("SELECT outcome, count(*) AS calls FROM calls_call GROUP BY outcome"):
        if row["outcome"] == "served":
            outcome.talks = row["calls"]
        else:
            outcome.lost.append(f"{row['calls']} calls ended {row['outcome']}")
    outcome.begun_anew = sum(row["calls"] for row in center.rows("SELECT count(*) AS calls FROM calls_call"))
    outcome.begun_anew -= outcome.calls
    twice = center.rows(
        "SELECT 1 FROM calls_leg a JOIN calls_leg b ON a.agent_id = b.agent_id AND a.id < b.id"
        " WHERE a.answered_at < b.ended_at AND b.answered_at < a.ended_at"
    )
    if twice:
        outcome.wrong.append(f"{len(twice)} times an agent was in two calls at once")
    return outcome


def _term(switch: LiveSwitch) -> str:
    return switch.api.api("global_getvar trunkline_term").strip()
