"""One real FreeSWITCH, one engine, one story for all tests here; each test leaves no call behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from apps.core.agents.machine import AgentState
from apps.core.config import AgentConfig
from apps.core.events import AgentForced, WrapUpFinished
from tests.switch_live.center import Center
from tests.switch_live.phones import Caller, Refusing, Seat, Sipp, register, sipp_binary
from tests.switch_live.switch import LiveSwitch, freeswitch_binary
from tests.switch_live.waiting import eventually, free_ports

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name, path in (("freeswitch", freeswitch_binary()), ("sipp", sipp_binary())) if path is None]
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            if missing:
                item.add_marker(
                    pytest.mark.skip(reason=f"SKIPPED: no {' and no '.join(missing)} binary on this machine")
                )


@dataclass
class Rig:
    """The switch, the centre and whoever telephones."""

    directory: Path
    switch: LiveSwitch
    center: Center
    trunks_port: int
    agents_port: int
    phones: list[Sipp]

    def caller(self, did: str = "4008005566", number: str = "", display: str = "", ears: int | None = None) -> Caller:
        number = number or f"139{len(self.phones):08d}"
        phone = Caller(self.directory, self.trunks_port, did, number, display, ears)
        self.phones.append(phone)
        return phone

    def seat(self, *agents: AgentConfig, ring_ms: int = 300) -> Seat:
        """One telephone for all these agents, registered."""
        phone = Seat(self.directory, ring_ms)
        self.phones.append(phone)
        for agent in agents:
            self.register(agent, phone.port)
        return phone

    def refusing_seat(self, agent: AgentConfig, code: str) -> Refusing:
        phone = Refusing(self.directory, code)
        self.phones.append(phone)
        self.register(agent, phone.port)
        return phone

    def register(self, agent: AgentConfig, port: int, expires_s: int = 600) -> None:
        assert agent.device is not None
        account = agent.device.address
        row = self.center.rows("SELECT secret FROM telephony_sipaccount WHERE username = %s", account)[0]
        domain = self.center.rows("SELECT domain FROM telephony_switch")[0]["domain"]
        assert register(self.directory, self.agents_port, domain, account, row["secret"], port, expires_s=expires_s)

    def clean_up(self) -> None:
        for phone in self.phones:
            phone.stop()
        self.switch.api.api("hupall")
        eventually(lambda: not self.switch.api.channels(), 20, "the switch without calls")


@pytest.fixture(scope="session")
def live_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-live-"))
    directory.chmod(0o755)
    yield directory
    if not os.environ.get("KEEP_LIVE"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def center(live_directory: Path) -> Iterator[Center]:
    """The story in a PostgreSQL of its own, and the engine's process when somebody starts it."""
    center = Center(live_directory / "center", free_ports(1)[0])
    center.directory.mkdir()
    center.directory.chmod(0o755)
    center.postgres.start()
    try:
        center.manage("migrate", "-v", "0")
        center.manage("load_story")
        center.manage("prompts", "render")
        yield center
    finally:
        center.stop()


@pytest.fixture(scope="session")
def installed(live_directory: Path, center: Center) -> Iterator[Rig]:
    """FreeSWITCH running with what ``switchconfig render`` wrote for the story; no engine yet."""
    directory = live_directory / "switch"
    trunks, agents, websocket, event_socket, arrival, second, carrier = free_ports(7)
    (directory / "recordings").mkdir(parents=True)
    center.call(
        "place",
        {
            "event_socket_port": event_socket,
            "arrival_hosts": f"127.0.0.1:{arrival}|127.0.0.1:{second}",
            "sip_address": "127.0.0.1",
            "trunks_sip_port": trunks,
            "agents_sip_port": agents,
            "ws_port": websocket,
            "wss_port": 0,
            "rtp_first_port": 40000,
            "rtp_last_port": 42000,
            "sounds_dir": str(directory / "sounds"),
            "recordings_dir": str(directory / "recordings"),
            "sessions_per_second": 200,
        },
        {"proxy": f"127.0.0.1:{carrier}"},
        {"wrap_up_s": 60, "ring_timeout_s": 8},
    )
    center.manage("switchconfig", "render", "--switch", "demo", "--output", str(directory))
    row = center.rows("SELECT event_socket_password FROM telephony_switch")[0]
    phones = live_directory / "phones"
    phones.mkdir()
    world = Seat(phones, 300, carrier)  # behind the trunk: answers whatever is dialled, and OPTIONS
    switch = LiveSwitch(directory, event_socket, row["event_socket_password"])
    switch.start()
    try:
        yield Rig(phones, switch, center, trunks, agents, [])
    finally:
        switch.stop()
        world.stop()


@pytest.fixture
def rig(installed: Rig) -> Iterator[Rig]:
    """With the engine running, and nobody signed in."""
    if installed.center.engine is None or installed.center.engine.poll() is not None:
        installed.center.start_engine()
    yield installed
    installed.clean_up()
    _sign_everybody_out(installed.center)


def _sign_everybody_out(center: Center) -> None:
    if center.engine is None or center.engine.poll() is not None:
        center.start_engine()
    eventually(lambda: not center.state().calls, 30, "the engine without calls")
    eventually(lambda: _nobody_left(center), 20, "nobody signed in")


def _nobody_left(center: Center) -> bool:
    """Send those home who are still here; who wraps up has to finish first."""
    state = center.state()
    here = [agent for agent in state.agents.values() if agent.state is not AgentState.LOGGED_OUT]
    for agent in here:
        request = center.new_request(state.config.agents[agent.id])
        if agent.state is AgentState.WRAP_UP and agent.call is not None:
            center.ask(WrapUpFinished(**request, call=agent.call, disposition="resolved"))
        else:
            center.ask(AgentForced(**request, state=AgentState.LOGGED_OUT.value))
    return not here
