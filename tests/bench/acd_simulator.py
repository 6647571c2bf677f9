"""The same beside a bare loop on the simulator, over its Event Socket, for machines without a FreeSWITCH."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.acd_load import Load, Measured, Result
from tests.bench.acd_switch import DID, make_ready
from tests.switch_live.center import ROOT, Center
from tests.switch_live.event_socket import EventSocket
from tests.switch_live.waiting import eventually, free_ports

KINDS = ("trunkline", "bare_loop")
PASSWORD = "simulator-password"
GATEWAY = "carrier"
PROMPT_MS = 8_000


@dataclass
class Simulator:
    """A process whose callers and telephones we move. ``sockets`` is where its calls go."""

    event_socket_port: int
    sockets: str
    password: str = PASSWORD
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Simulator:
        arguments = ["--port", str(self.event_socket_port), "--password", self.password, "--sockets", self.sockets]
        arguments += ["--gateway", GATEWAY, "--prompt-ms", str(PROMPT_MS), "--control-port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "apps.switches.simulator", *arguments], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        host, _, port = ready["control"].rpartition(":")
        self._control = socket.create_connection((host, int(port))).makefile("rwb")
        return self

    def __exit__(self, *_error: object) -> None:
        self._control.close()
        self.process.terminate()
        self.process.wait()

    def do(self, what: str, **fields: object) -> None:
        self._control.write(json.dumps({"do": what, **fields}).encode() + b"\n")
        self._control.flush()
        answer = json.loads(self._control.readline())
        assert answer["ok"], answer


@dataclass(frozen=True)
class SimulatedBench:
    directory: Path
    center: Center
    event_socket_port: int
    arrival_port: int
    bare_port: int
    kinds: tuple[str, ...] = KINDS

    def run(self, kind: str, load: Load) -> Result:
        port = self.arrival_port if kind == "trunkline" else self.bare_port
        with (
            Simulator(self.event_socket_port, f"127.0.0.1:{port}") as simulator,
            getattr(self, f"_{kind}")(load) as loop,
        ):
            for number in range(8001, 8001 + load.agents):
                simulator.do("behave", phone=str(number), answering="auto", delay_ms=(20, 20), talk_ms=(1000, 1000))
            measured = Measured(simulator, simulator.process.pid, loop)
            api = EventSocket(self.event_socket_port, PASSWORD)
            _call_in(simulator, load)
            eventually(lambda: not api.channels(), 60, "all calls over")
            api.close()
            return measured.result(kind, load)

    @contextlib.contextmanager
    def _trunkline(self, load: Load) -> Iterator[int]:
        self.center.start_engine()
        make_ready(self.center, load.agents)
        assert self.center.engine is not None
        yield self.center.engine.pid
        self.center.stop_engine()

    @contextlib.contextmanager
    def _bare_loop(self, load: Load) -> Iterator[int]:
        values = (self.event_socket_port, PASSWORD, self.bare_port, load.agents, "menu.wav", "bare")
        loop = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_loop", *map(str, values)], cwd=ROOT)
        time.sleep(1.0)  # it has nothing to say when it is ready
        yield loop.pid
        loop.kill()
        loop.wait()


def _call_in(simulator: Simulator, load: Load) -> None:
    """Each presses the key 700 ms into the menu, and would wait for ever."""
    began_s = time.monotonic()
    for number in range(load.calls):
        time.sleep(max(0.0, began_s + number / load.rate - time.monotonic()))
        caller = f"1380000{number:04d}"
        simulator.do("call", number=caller, did=DID, keys="1", reaction_ms=700, patience_ms=None, talk_ms=None)


@contextlib.contextmanager
def installed(agents: int) -> Iterator[SimulatedBench]:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-bench-"))
    directory.chmod(0o755)
    (directory / "center").mkdir(mode=0o755)
    event_socket, arrival, bare, door = free_ports(4)
    center = Center(directory / "center", door)
    try:
        center.postgres.start()
        center.manage("migrate", "-v", "0")
        center.manage("load_story")
        switch = {"event_socket_host": "127.0.0.1", "event_socket_port": event_socket}
        switch |= {"event_socket_password": PASSWORD, "arrival_hosts": f"127.0.0.1:{arrival}"}
        center.call("place", switch, {}, {})
        center.call("prepare", agents, DID, module="tests.bench.acd_rows")
        center.call("without_voices", module="tests.bench.acd_rows")
        yield SimulatedBench(directory, center, event_socket, arrival, bare)
    finally:
        center.stop()
        shutil.rmtree(directory, ignore_errors=True)
