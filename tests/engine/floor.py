"""A whole floor: simulator with phones in the test's loop, the engine as a process, a private database, and a page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from apps.core import events as e
from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, CallState
from apps.core.ids import AgentId, CallId, TenantId
from apps.core.state import State
from apps.live.engine_client import EngineClient, EngineUnreachable
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.phones import Answering, PhoneBehaviour
from tests.engine.simulated import PASSWORD, SimulatedSwitch
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
COMPILED = Path(tempfile.gettempdir()) / "trunkline-test-compiled"
TOKEN = "test-token"
ENGLISH_SERVICE = "22"  # the story's menu: English, then billing and service


def database_url(server: str, name: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def manage(url: str, *arguments: str) -> None:
    """Run a management command to its end. Raises when it fails."""
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


class EngineUnderTest:
    """``manage.py engine`` as a process that tests may kill."""

    def __init__(
        self, directory: Path, database: str, environment: Mapping[str, str] | None = None, *, number: int = 1
    ) -> None:
        self.number = number
        self.journal = directory / f"journal{number}"
        self.port = free_port()
        self.log = directory / f"engine{number}.log"
        self._environment = {**os.environ, **(environment or {})}
        self._environment |= {"DATABASE_URL": database, "ENGINE_TOKEN": TOKEN, "LOG_LEVEL": "INFO"}
        # The engine uses no Redis; in these tests there is none.
        self._environment |= {"REDIS_URL": "redis://127.0.0.1:1/0"}
        self._environment |= {"STATE_DIR": str(directory / "state"), "JOURNAL_FREE_MB": "1"}
        self._environment |= {"ENGINE_NUMBER": str(number), "ENGINE_URL": self.url}
        # As an installation has it: compiled modules are kept, else each start compiles a thousand of them anew.
        self._environment |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(COMPILED)}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def beside(self, engines: Sequence[EngineUnderTest]) -> None:
        """One of several from here on."""
        self._environment["ENGINE_URL"] = ",".join(engine.url for engine in engines)

    def start(self) -> None:
        command = [
            sys.executable,
            str(ROOT / "manage.py"),
            "engine",
            "--port",
            str(self.port),
            "--journal",
            str(self.journal),
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def manage(self, *arguments: str) -> None:
        """A management command with this engine's environment. Raises ``AssertionError`` with what it says."""
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments], env=self._environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and answer of the door."""
        request = urllib.request.Request(f"{self.url}{path}", body, {"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request, timeout=5) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def health(self) -> dict[str, Any]:
        """{} while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as reply:
                data: dict[str, Any] = json.load(reply)
        except urllib.error.HTTPError as error:
            data = json.load(error)
        except OSError:
            return {}
        return data

    def metric(self, name: str) -> float:
        """The sum over all its labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as reply:
            lines = [line.rsplit(" ", 1) for line in reply.read().decode().splitlines()]
        values = [float(value) for named, value in lines if named.split("{")[0] == name]
        assert values, f"no {name}"
        return sum(values)

    def kill(self) -> None:
        """As a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """As an operator does; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.process = None
        return status


class Floor:
    """Everything a test needs, in the running loop."""

    def __init__(self, directory: Path, database: str, engines: int = 1) -> None:
        self.database = database
        self.switch = SimulatedSwitch(engines)
        self.model, self.phones, self.event_socket = self.switch.model, self.switch.phones, self.switch.event_socket
        self.engines = [EngineUnderTest(directory, database, number=number) for number in range(1, engines + 1)]
        for engine in self.engines:
            engine.beside(self.engines)
        self.engine = self.engines[0]
        self.facts: list[str] = []
        doors = ",".join(engine.url for engine in self.engines)
        self.page = EngineClient(doors, TOKEN, lambda facts: self.facts.extend(map(str, facts or ())))
        self._following: asyncio.Task[None] | None = None
        self._cmd_ids = count(1)
        self._connect_switch()
        self.agents = dict(self.rows("SELECT number, id::text FROM agents_agent ORDER BY number"))
        self.tenant = TenantId(str(self.rows("SELECT id FROM accounts_tenant")[0][0]))

    def _connect_switch(self) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(
                "UPDATE telephony_switch SET event_socket_host='127.0.0.1', event_socket_port=%s,"
                " event_socket_password=%s, arrival_hosts=%s",
                [self.switch.port, PASSWORD, self.switch.arrivals],
            )
            connection.execute("UPDATE telephony_prompt SET sound_zh = 'zh.wav', sound_en = 'en.wav'")

    async def start(self) -> None:
        for number in self.agents:
            address = self.rows(
                "SELECT a.username FROM agents_agent g JOIN telephony_sipaccount a ON a.id = g.sip_account_id"
                " WHERE g.number = %s", number,
            )  # fmt: skip
            if address:
                self.phones.add(address[0][0], PhoneBehaviour(answering=Answering.TOLD))
        await self.event_socket.start()
        for engine in self.engines:
            engine.start()
        self._following = asyncio.create_task(self.page.run())
        await self.ready()

    async def ready(self) -> None:
        """The engine leads, reaches the switch, and the page follows it."""

        def linked() -> bool:
            state = self.page.state
            return self.page.reachable and state is not None and any(link.up for link in state.switches.values())

        await self.until(linked, 90)

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        for engine in self.engines:
            if engine.process is not None:
                await asyncio.to_thread(engine.kill)
        await self.event_socket.stop()

    # --- looking -----------------------------------------------------------------------------------------------------

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query, parameters).fetchall()

    def change(self, statement: str) -> None:
        """Change configuration as the admin does: the rows, then the word that they changed."""
        with psycopg.connect(self.database) as connection:
            connection.execute(statement)
            connection.execute("UPDATE telephony_configversion SET version = version + 1")
            connection.execute("NOTIFY trunkline_config")

    @property
    def state(self) -> State:
        assert self.page.state is not None
        return self.page.state

    def call(self, channel: Channel) -> Call | None:
        return next((call for call in self.state.calls.values() if call.leg == channel.uuid), None)

    def agent_state(self, number: str) -> AgentState:
        return self.state.agents[AgentId(self.agents[number])].state

    async def until(self, condition: Callable[[], object], timeout_s: float = 30.0) -> None:
        limit = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < limit, f"it did not come about in {timeout_s} s; {self.story()}"
            await asyncio.sleep(0.02)

    def story(self) -> str:
        """What there is to see, for the message of a failure."""
        logs = [engine.log.read_text()[-4000:] for engine in self.engines if engine.log.exists()]
        calls = self.page.state.calls.values() if self.page.state is not None else ()
        channels = [
            f"{c.uuid} {c.direction} phone={c.phone} answered={c.answered} peer={c.peer and c.peer.uuid}"
            for c in self.model.channels.values()
        ]
        return "\n".join(["engine:", *logs, "calls:", *map(str, calls), "channels:", *channels, *self.facts[-60:]])

    async def call_in(self, channel: Channel, *states: CallState, timeout_s: float = 30.0) -> Call:
        """The call of this customer leg, once it is in one of these states."""

        def there() -> bool:
            call = self.call(channel)
            return call is not None and call.state in states

        await self.until(there, timeout_s)
        call = self.call(channel)
        assert call is not None
        return call

    async def recorded(self, timeout_s: float = 30.0) -> None:
        """PostgreSQL has every fact that there is."""

        def there() -> bool:
            seq = self.rows("SELECT coalesce(max(seq), 0) FROM calls_factrecord")[0][0]
            return bool(seq >= self.page.seq)

        await self.until(there, timeout_s)

    async def recorder(self) -> int:
        """The process that writes history, once it runs and has caught up."""
        told: dict[str, Any] = {}

        def there() -> bool:
            health = self.engine.health()
            told.update(health.get("recorder", {}))
            return bool(told and not told["trouble"] and health["journal"]["depth"] == 0)

        await self.until(there)
        return int(told["pid"])

    # --- people ------------------------------------------------------------------------------------------------------

    def place_call(self, keys: str = ENGLISH_SERVICE, *, talk_ms: int | None = None) -> Channel:
        return self.switch.place_call(keys, talk_ms=talk_ms)

    def hang_up(self, channel: Channel) -> None:
        self.switch.hang_up(channel)

    def phone(self, number: str) -> str:
        account = self.state.config.agents[AgentId(self.agents[number])].device
        assert account is not None
        return account.address

    def pick_up(self, number: str) -> bool:
        return self.switch.pick_up(self.phone(number))

    def put_down(self, number: str) -> None:
        self.switch.put_down(self.phone(number))

    async def ask(self, request: Callable[..., e.Request], number: str, **fields: Any) -> None:
        agent = AgentId(self.agents[number])
        common = {"tenant": self.tenant, "cmd_id": f"test-{next(self._cmd_ids)}", "actor": "test", "agent": agent}
        await self.page.send([request(**common, **fields)])

    async def make_ready(self, *numbers: str) -> None:
        for number in numbers:
            await self.ask(e.AgentSignedIn, number)
            await self.ask(e.AgentWentReady, number)
        away = (AgentState.LOGGED_OUT, AgentState.PAUSED)
        await self.until(lambda: all(self.agent_state(number) not in away for number in numbers))

    async def make_available(self, number: str) -> None:
        """Whatever keeps the agent from calls is ended."""
        agent = self.state.agents[AgentId(self.agents[number])]
        if agent.state is AgentState.WRAP_UP and agent.call is not None:
            await self.finish_wrap_up(number, agent.call)
        await self.ask(e.AgentWentReady, number)

    async def talk(self, number: str, keys: str = ENGLISH_SERVICE) -> Channel:
        """A call that this agent (ready, alone in being so) now talks on."""
        channel = self.place_call(keys)
        await self.until(lambda: self.pick_up(number), 15)
        await self.call_in(channel, CallState.TALKING)
        return channel

    async def finish_wrap_up(self, number: str, call: CallId, disposition: str = "resolved") -> None:
        await self.until(lambda: self.agent_state(number) is AgentState.WRAP_UP)
        await self.ask(e.WrapUpFinished, number, call=call, disposition=disposition)

    async def door_gone(self) -> None:
        async def gone() -> bool:
            with contextlib.suppress(EngineUnreachable):
                await self.page.send([])
                return False
            return True

        while not await gone():
            await asyncio.sleep(0.05)
