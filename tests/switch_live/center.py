"""The whole of Trunkline but its pages: PostgreSQL, the story, the engine's process, and its door."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from apps.core import codec
from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call
from apps.core.config import AgentConfig
from apps.core.events import AgentSignedIn, AgentWentReady, Request
from apps.core.ids import AgentId
from apps.core.state import State
from apps.demo.services import PrivatePostgres
from tests.switch_live.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


class Center:
    def __init__(self, directory: Path, door_port: int) -> None:
        self.directory = directory
        self.postgres = PrivatePostgres(directory / "postgres")
        self.token = secrets.token_hex(16)
        self.door_url = f"http://127.0.0.1:{door_port}"
        self.log = directory / "engine.log"
        self.engine: subprocess.Popen[bytes] | None = None
        self.engine_prefix: tuple[str, ...] = ()  # a command that starts the engine, such as chrt
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "apps.config.settings",
            "DATABASE_URL": self.postgres.url,
            "STATE_DIR": str(directory / "state"),
            "JOURNAL_DIR": str(directory / "journal"),
            "ENGINE_BIND": f"127.0.0.1:{door_port}",
            "ENGINE_URL": self.door_url,
            "ENGINE_TOKEN": self.token,
            "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody there: no call and no record may need it
            "LOG_FORMAT": "console",
            "LOG_LEVEL": "INFO",
        }

    # --- processes ---

    def manage(self, *arguments: str) -> str:
        """``manage.py``'s output. Raises ``AssertionError`` with it when it fails."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (
            f"manage.py {' '.join(arguments)[:200]}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
        return done.stdout

    def call(self, function: str, *arguments: object, module: str = "tests.switch_live.place") -> None:
        """A function of this module inside Django."""
        values = ", ".join(map(repr, arguments))
        self.manage("shell", "-v", "0", "-c", f"from {module} import {function}; {function}({values})")

    def start_engine(self, timeout_s: float = 40.0) -> None:
        """Returns when it takes calls."""
        self.launch_engine()
        eventually(self.healthy, timeout_s, f"the engine healthy, see {self.log}")

    def launch_engine(self) -> None:
        assert self.engine is None or self.engine.poll() is not None
        with self.log.open("ab") as log:
            self.engine = subprocess.Popen(
                [*self.engine_prefix, sys.executable, "manage.py", "engine"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill_engine(self) -> None:
        """kill -9."""
        assert self.engine is not None
        self.engine.send_signal(signal.SIGKILL)
        self.engine.wait()

    def stop_engine(self) -> None:
        """In an orderly way."""
        if self.engine is not None and self.engine.poll() is None:
            self.engine.terminate()
            try:
                self.engine.wait(20)
            except subprocess.TimeoutExpired:
                self.engine.kill()
                self.engine.wait()

    def stop(self) -> None:
        self.stop_engine()
        self.postgres.stop()

    # --- the door ---

    def healthy(self) -> bool:
        assert self.engine is not None
        if self.engine.poll() is not None:
            raise AssertionError(f"the engine ended: {self.log.read_text(errors='replace')[-3000:]}")
        try:
            return bool(self._get("/health")["status"] != "down")
        except OSError:
            return False

    def ask(self, request: Request) -> None:
        self.post(codec.encode(request))

    def post(self, data: object) -> None:
        body = json.dumps(data).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.door_url}/inputs", body, headers), timeout=10
        ) as reply:
            assert reply.status == 202

    def state(self) -> State:
        return State.from_data(self._get("/snapshot")["state"])

    def _get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.door_url}{path}", headers={"Authorization": f"Bearer {self.token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                data: dict[str, Any] = json.load(reply)
        except urllib.error.HTTPError as error:
            data = json.load(error)
        return data

    # --- people ---

    def new_request(self, agent: AgentConfig) -> dict[str, Any]:
        """The fields that every request of an agent has."""
        return {"tenant": agent.tenant, "agent": agent.id, "cmd_id": f"test-{next(_numbers)}", "actor": "test"}

    def agent(self, name: str) -> AgentConfig:
        return next(agent for agent in self.state().config.agents.values() if agent.name == name)

    def make_ready(self, *agents: AgentConfig) -> None:
        """One after another, so the first has been idle longest. One may be offered a waiting caller at once."""
        for agent in agents:
            self.ask(AgentSignedIn(**self.new_request(agent)))
            self.ask(AgentWentReady(**self.new_request(agent)))
            eventually(partial(self.is_here, agent.id), 20, f"{agent.name} ready")

    def is_here(self, agent: AgentId) -> bool:
        return self.agent_state(agent) not in (AgentState.LOGGED_OUT, AgentState.PAUSED)

    def wait_for(self, agent: AgentConfig, state: AgentState, timeout_s: float = 20.0) -> None:
        eventually(lambda: self.agent_state(agent.id) is state, timeout_s, f"{agent.name} {state}")

    def agent_state(self, agent: AgentId) -> AgentState:
        return self.state().agents[agent].state

    def live_call(self, caller_number: str) -> Call | None:
        calls = [call for call in self.state().calls.values() if call.caller_number == caller_number]
        return calls[0] if calls else None

    # --- history ---

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.postgres.url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def history(self, caller_number: str, timeout_s: float = 20.0) -> Mapping[str, Any]:
        """The latest call of this number, once it has ended and the recorder has written it."""
        query = (
            "SELECT * FROM (SELECT * FROM calls_call WHERE caller_number = %s ORDER BY started_at DESC LIMIT 1) latest"
            " WHERE ended_at IS NOT NULL"
        )
        return eventually(lambda: self.rows(query, caller_number), timeout_s, f"history of {caller_number}")[0]
