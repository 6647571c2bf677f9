"""Turnaround of agents under backlog on a real FreeSWITCH: Trunkline, mod_callcenter and a bare loop, alternating.

From the hang-up of an agent's leg to the creation of the same agent's next leg, by FreeSWITCH's own timestamps (20 ms
ticks), while callers wait. Each call passes a menu with one key, music and a stereo recording; agents answer at once
and hang up after a second. SIPp plays both sides. ``python -m tests.bench.turnaround --help``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.switch_live.center import ROOT, Center
from tests.switch_live.event_socket import EventSocket
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import LiveSwitch, freeswitch_binary
from tests.switch_live.waiting import eventually, free_ports

FILES = Path(__file__).parent / "turnaround_files"
DID = "4000000001"
KINDS = ("mod_callcenter", "trunkline", "bare_loop")


@dataclass(frozen=True)
class Result:
    kind: str
    gaps_ms: list[float]
    talks: int
    switch_cpu_s: float
    wall_s: float

    def at(self, share: float) -> float:
        ordered = sorted(self.gaps_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    def line(self) -> str:
        return (
            f"{self.kind:15} turnaround p50 {self.at(0.5):6.0f} p95 {self.at(0.95):6.0f} max {self.at(1):6.0f} ms"
            f"  n {len(self.gaps_ms):4}  talks {self.talks:4}"
            f"  switch {self.switch_cpu_s:5.2f} s CPU in {self.wall_s:4.1f} s"
        )


class Watch:
    """What the switch says of the agents' legs, on a connection of its own, the same for every kind."""

    def __init__(self, switch: LiveSwitch) -> None:
        self._events = EventSocket(switch.event_socket_port, switch.password)
        self._events.subscribe("CHANNEL_CREATE CHANNEL_HANGUP CHANNEL_BRIDGE")
        self._freed: dict[str, int] = {}
        self.gaps_ms: list[float] = []
        self.talks = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError):  # closed by ``stop``
            while True:
                self._take(self._events.next_event(3600))

    def _take(self, event: dict[str, str]) -> None:
        name, agent = event["Event-Name"], event.get("Caller-Destination-Number", "")
        at_us = int(event["Event-Date-Timestamp"])
        if name == "CHANNEL_BRIDGE":
            self.talks += 1
        elif event.get("Call-Direction") != "outbound" or not agent.startswith("80"):
            return
        elif name == "CHANNEL_HANGUP":
            self._freed[agent] = at_us
        elif agent in self._freed:
            self.gaps_ms.append((at_us - self._freed.pop(agent)) / 1000)

    def stop(self) -> None:
        """From here on nothing is counted: the next kind's first calls are no turnaround of this one."""
        self._events.close()
        self._thread.join(5)


@dataclass(frozen=True)
class Bench:
    directory: Path
    switch: LiveSwitch
    center: Center
    trunks_port: int
    bench_port: int
    bare_port: int
    prompt: Path
    agents: int
    calls: int
    rate: int

    def run(self, kind: str) -> Result:
        """Prepares, measures 200 calls or so, tidies up."""
        with getattr(self, f"_{kind}")():
            watch = Watch(self.switch)
            cpu_s, began = self.switch.cpu_s(), time.monotonic()
            self._callers(*self._entrance(kind))
            eventually(lambda: not self.switch.api.channels(), 60, "all calls over")
            cpu_s, wall_s = self.switch.cpu_s() - cpu_s, time.monotonic() - began
            watch.stop()
            result = Result(kind, watch.gaps_ms, watch.talks, cpu_s, wall_s)
        return result

    def _entrance(self, kind: str) -> tuple[str, int]:
        """The number to dial and the port to dial it at."""
        entrances = {"mod_callcenter": ("1", self.bench_port), "bare_loop": ("2", self.bench_port)}
        return entrances.get(kind, (DID, self.trunks_port))

    def _callers(self, number: str, port: int) -> None:
        own, media = free_ports(2)
        done = subprocess.run(
            [
                *(sipp_binary() or "sipp", "-sf", str(FILES / "caller.xml"), "-i", "127.0.0.1", "-p", str(own)),
                *("-mp", str(media), "-s", number, f"127.0.0.1:{port}", "-m", str(self.calls), "-r", str(self.rate)),
                *("-l", str(self.calls), "-nostdin", "-timeout", "180", "-timeout_error"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
        )
        if done.returncode:
            print(f"  some callers were not served well: SIPp ended with {done.returncode}")

    @contextlib.contextmanager
    def _trunkline(self) -> Iterator[None]:
        """The engine as it runs in production: journal, recorder into PostgreSQL, door."""
        self.center.engine_prefix = realtime()
        self.center.start_engine()
        agents = [agent for agent in self.center.state().config.agents.values() if agent.name.startswith("Bench ")]
        if not all(self.center.is_here(agent.id) for agent in agents):
            self.center.make_ready(*agents)
        yield
        self.center.stop_engine()

    @contextlib.contextmanager
    def _mod_callcenter(self) -> Iterator[None]:
        api = self.switch.api
        for number in range(8001, 8001 + self.agents):
            for command in (
                f"agent add {number} callback",
                f"agent set contact {number} [leg_timeout=10]sofia/gateway/carrier/{number}",
                f"agent set status {number} Available",
                f"agent set state {number} Waiting",
                f"agent set wrap_up_time {number} 0",
                f"tier add bench {number} 1 1",
            ):
                api.api(f"callcenter_config {command}")
        yield
        for number in range(8001, 8001 + self.agents):
            api.api(f"callcenter_config agent del {number}")

    @contextlib.contextmanager
    def _bare_loop(self) -> Iterator[None]:
        switch = self.switch
        recordings = switch.recordings / "bare"
        recordings.mkdir(exist_ok=True)
        arguments = (switch.event_socket_port, switch.password, self.bare_port, self.agents, self.prompt, recordings)
        loop = subprocess.Popen(
            [*realtime(), sys.executable, "-m", "tests.bench.bare_loop", *map(str, arguments)], cwd=ROOT
        )
        time.sleep(1.0)  # it has nothing to say when it is ready; a call too early would be hung up on
        yield
        loop.kill()
        loop.wait()


def realtime() -> tuple[str, ...]:
    """As a production host starts them: FreeSWITCH takes real-time priority, and would starve whoever drives it."""
    allowed = subprocess.run(["chrt", "-r", "2", "true"], capture_output=True).returncode == 0
    return ("chrt", "-r", "2") if allowed else ()


@contextlib.contextmanager
def installed(agents: int, calls: int, rate: int) -> Iterator[Bench]:
    """A FreeSWITCH with Trunkline's rendered files, and beside them what the two others need."""
    directory = Path(tempfile.mkdtemp(prefix="trunkline-bench-"))
    directory.chmod(0o755)
    (directory / "center").mkdir(mode=0o755)
    (directory / "switch" / "recordings" / "cc").mkdir(parents=True)
    trunks, phones, websocket, event_socket, arrival, carrier, bench, bare, door, media = free_ports(10)
    center = Center(directory / "center", door)
    switch: LiveSwitch | None = None
    world: subprocess.Popen[bytes] | None = None
    try:
        ports = {"trunks_sip_port": trunks, "agents_sip_port": phones, "ws_port": websocket, "wss_port": 0}
        ports |= {"event_socket_port": event_socket, "rtp_first_port": 30000, "rtp_last_port": 34000}
        places = {"arrival_hosts": f"127.0.0.1:{arrival}", "sip_address": "127.0.0.1"}
        places |= {name: str(directory / "switch" / name[:-4]) for name in ("sounds_dir", "recordings_dir")}
        prompt = _fill(center, directory / "switch", {**ports, **places, "sessions_per_second": 500}, carrier, agents)
        _add_rivals(directory / "switch" / "conf", bench, bare, prompt)
        row = center.rows("SELECT event_socket_password FROM telephony_switch")[0]
        world = _world(directory, carrier, media)
        switch = LiveSwitch(directory / "switch", event_socket, row["event_socket_password"])
        switch.start()
        yield Bench(directory, switch, center, trunks, bench, bare, prompt, agents, calls, rate)
    finally:
        if switch is not None:
            switch.stop()
        if world is not None:
            world.kill()
            world.wait()
        center.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _fill(center: Center, output: Path, switch: dict[str, object], carrier: int, agents: int) -> Path:
    """The rows, and the files rendered from them. Returns the menu's prompt."""
    center.postgres.start()
    center.manage("migrate", "-v", "0")
    center.manage("load_story")
    center.call("place", switch, {"proxy": f"127.0.0.1:{carrier}"}, {})
    center.call("prepare", agents, DID, module="tests.bench.turnaround_rows")
    center.manage("prompts", "render")
    center.manage("switchconfig", "render", "--switch", "demo", "--output", str(output))
    sound = center.rows("SELECT sound_zh FROM telephony_prompt WHERE code = 'bench.choose'")[0]["sound_zh"]
    return output / "sounds" / str(sound)


def _add_rivals(conf: Path, sip_port: int, bare_port: int, prompt: Path) -> None:
    values = {"sip_port": sip_port, "bare_port": bare_port, "prompt": prompt}
    for name, target in (("profile.xml", "sip_profiles/bench.xml"), ("dialplan.xml", "dialplan/bench.xml")):
        (conf / target).write_text(Template((FILES / name).read_text()).substitute(values))
    shutil.copy(FILES / "callcenter.conf.xml", conf / "autoload_configs" / "callcenter.conf.xml")
    modules = conf / "autoload_configs" / "modules.conf.xml"
    modules.write_text(
        modules.read_text().replace(
            '<load module="mod_json_cdr"/>', '<load module="mod_callcenter"/><load module="mod_json_cdr"/>'
        )
    )


def _world(directory: Path, carrier: int, media: int) -> subprocess.Popen[bytes]:
    """All agents' telephones, behind the trunk."""
    return subprocess.Popen(
        [
            *(sipp_binary() or "sipp", "-sf", str(FILES / "agent.xml"), "-i", "127.0.0.1", "-p", str(carrier)),
            *("-mp", str(media), "-nostdin", "-aa"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=directory,
    )


def report(results: list[Result]) -> dict[str, object]:
    """Medians of the runs of each kind, and the three promises."""
    medians: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        mine = [result for result in results if result.kind == kind]
        medians[kind] = {
            "p50_ms": statistics.median(result.at(0.5) for result in mine),
            "p95_ms": statistics.median(result.at(0.95) for result in mine),
            "switch_cpu_s": statistics.median(result.switch_cpu_s for result in mine),
        }
    ours, rival, floor = medians["trunkline"], medians["mod_callcenter"], medians["bare_loop"]
    return {
        "medians": medians,
        "p95 under 50 ms": ours["p95_ms"] < 50,
        "times better than mod_callcenter (p95)": round(rival["p95_ms"] / max(ours["p95_ms"], 1), 1),
        "switch CPU over the bare loop, %": round(100 * (ours["switch_cpu_s"] / floor["switch_cpu_s"] - 1), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of each kind, alternating")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rate", type=int, default=30, help="calls a second")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="leave some out to look for a cost")
    options = parser.parse_args()
    if freeswitch_binary() is None or sipp_binary() is None:
        print("SKIPPED: this needs the freeswitch and sipp binaries")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    results = []
    with installed(options.agents, options.calls, options.rate) as bench:
        for _ in range(options.runs):
            for kind in options.kinds:
                results.append(bench.run(kind))
                print(results[-1].line(), flush=True)
    if set(options.kinds) == set(KINDS):
        print(json.dumps(report(results), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
