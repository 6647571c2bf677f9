"""A real FreeSWITCH with Trunkline, mod_callcenter and a bare loop on it, and SIPp for callers and agents."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from apps.core.agents.machine import AgentState
from apps.core.events import AgentSignedIn, AgentWentReady
from tests.bench.acd_load import Load, Measured, Result
from tests.switch_live.center import ROOT, Center
from tests.switch_live.phones import sipp_binary
from tests.switch_live.switch import LiveSwitch
from tests.switch_live.waiting import eventually, free_ports

FILES = Path(__file__).parent / "acd_files"
DID = "4000000001"
KINDS = ("mod_callcenter", "trunkline", "bare_loop")


@dataclass(frozen=True)
class SwitchBench:
    directory: Path
    switch: LiveSwitch
    center: Center
    trunks_port: int
    bench_port: int
    bare_port: int
    prompt: Path
    kinds: tuple[str, ...] = KINDS

    def run(self, kind: str, load: Load) -> Result:
        assert self.switch.process is not None
        with getattr(self, f"_{kind}")(load) as loop:
            measured = Measured(self.switch, self.switch.process.pid, loop)
            self._callers(*self._entrance(kind), load)
            eventually(lambda: not self.switch.api.channels(), 60, "all calls over")
            return measured.result(kind, load)

    def _entrance(self, kind: str) -> tuple[str, int]:
        """The number to dial and the port to dial it at."""
        entrances = {"mod_callcenter": ("1", self.bench_port), "bare_loop": ("2", self.bench_port)}
        return entrances.get(kind, (DID, self.trunks_port))

    def _callers(self, number: str, port: int, load: Load) -> None:
        own, media = free_ports(2)
        done = subprocess.run(
            [
                *(sipp_binary() or "sipp", "-sf", str(FILES / "caller.xml"), "-i", "127.0.0.1", "-p", str(own)),
                *("-mp", str(media), "-s", number, f"127.0.0.1:{port}", "-m", str(load.calls), "-r", str(load.rate)),
                *("-l", str(load.calls), "-nostdin", "-timeout", "180", "-timeout_error"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
        )
        if done.returncode:
            print(f"  some callers were not served well: SIPp ended with {done.returncode}")

    @contextlib.contextmanager
    def _trunkline(self, load: Load) -> Iterator[int | None]:
        """The engine as it runs in production: journal, recorder into PostgreSQL, door."""
        self.center.engine_prefix = realtime()
        self.center.start_engine()
        make_ready(self.center, load.agents)
        assert self.center.engine is not None
        yield self.center.engine.pid
        self.center.stop_engine()

    @contextlib.contextmanager
    def _mod_callcenter(self, load: Load) -> Iterator[int | None]:
        api = self.switch.api
        for number in range(8001, 8001 + load.agents):
            for command in (
                f"agent add {number} callback",
                f"agent set contact {number} [leg_timeout=10]sofia/gateway/carrier/{number}",
                f"agent set status {number} Available",
                f"agent set state {number} Waiting",
                f"agent set wrap_up_time {number} 0",
                f"tier add bench {number} 1 1",
            ):
                api.api(f"callcenter_config {command}")
        yield None  # it is inside the switch
        for number in range(8001, 8001 + load.agents):
            api.api(f"callcenter_config agent del {number}")

    @contextlib.contextmanager
    def _bare_loop(self, load: Load) -> Iterator[int | None]:
        switch = self.switch
        recordings = switch.recordings / "bare"
        recordings.mkdir(exist_ok=True)
        arguments = (switch.event_socket_port, switch.password, self.bare_port, load.agents, self.prompt, recordings)
        loop = subprocess.Popen(
            [*realtime(), sys.executable, "-m", "tests.bench.bare_loop", *map(str, arguments)], cwd=ROOT
        )
        time.sleep(1.0)  # it has nothing to say when it is ready; a call too early would be hung up on
        yield loop.pid
        loop.kill()
        loop.wait()


def realtime() -> tuple[str, ...]:
    """As a production host starts them: FreeSWITCH takes real-time priority, and would starve whoever drives it."""
    allowed = subprocess.run(["chrt", "-r", "2", "true"], capture_output=True).returncode == 0
    return ("chrt", "-r", "2") if allowed else ()


def make_ready(center: Center, agents: int) -> None:
    """So many of the benchmark's agents take calls; the journal keeps them so over a restart."""
    ours = [agent for agent in center.state().config.agents.values() if agent.name.startswith("Bench ")]
    ours = sorted(ours, key=lambda agent: agent.name)[:agents]
    for agent in ours:
        center.ask(AgentSignedIn(**center.new_request(agent)))
        center.ask(AgentWentReady(**center.new_request(agent)))

    def all_here() -> bool:
        here = center.state().agents
        return all(here[agent.id].state not in (AgentState.LOGGED_OUT, AgentState.PAUSED) for agent in ours)

    eventually(all_here, 60, f"{agents} agents ready")


@contextlib.contextmanager
def installed(agents: int) -> Iterator[SwitchBench]:
    """A FreeSWITCH with Trunkline's rendered files, and beside them what the two others need."""
    directory = Path(tempfile.mkdtemp(prefix="trunkline-bench-"))
    directory.chmod(0o755)
    (directory / "center").mkdir(mode=0o755)
    (directory / "switch" / "recordings" / "cc").mkdir(parents=True)
    trunks, phones, websocket, event_socket, arrival, carrier, bench, bare, door, media = free_ports(10)
    center = Center(directory / "center", door)
    switch: LiveSwitch | None = None
    telephones: subprocess.Popen[bytes] | None = None
    try:
        ports = {"trunks_sip_port": trunks, "agents_sip_port": phones, "ws_port": websocket, "wss_port": 0}
        ports |= {"event_socket_port": event_socket, "rtp_first_port": 30000, "rtp_last_port": 34000}
        places = {"arrival_hosts": f"127.0.0.1:{arrival}", "sip_address": "127.0.0.1"}
        places |= {name: str(directory / "switch" / name[:-4]) for name in ("sounds_dir", "recordings_dir")}
        prompt = fill(center, directory / "switch", {**ports, **places, "sessions_per_second": 500}, carrier, agents)
        _add_rivals(directory / "switch" / "conf", bench, bare, prompt)
        row = center.rows("SELECT event_socket_password FROM telephony_switch")[0]
        telephones = world(directory, carrier, media)
        switch = LiveSwitch(directory / "switch", event_socket, row["event_socket_password"])
        switch.start()
        yield SwitchBench(directory, switch, center, trunks, bench, bare, prompt)
    finally:
        if switch is not None:
            switch.stop()
        if telephones is not None:
            telephones.kill()
            telephones.wait()
        center.stop()
        shutil.rmtree(directory, ignore_errors=True)


def fill(center: Center, output: Path, switch: dict[str, object], carrier: int, agents: int) -> Path:
    """The rows, and the files rendered from them. Returns the menu's prompt."""
    center.postgres.start()
    center.manage("migrate", "-v", "0")
    center.manage("load_story")
    center.call("place", switch, {"proxy": f"127.0.0.1:{carrier}"}, {})
    center.call("prepare", agents, DID, module="tests.bench.acd_rows")
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


def world(directory: Path, carrier: int, media: int) -> subprocess.Popen[bytes]:
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
