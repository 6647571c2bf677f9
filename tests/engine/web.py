"""The web process beside a floor: the same database, the same engine, and a program's token for its REST."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import psycopg

from apps.api.models import ApiToken
from apps.api.scopes import Scope
from apps.api.tokens import give_secret
from tests.engine.floor import ROOT, TOKEN, Floor
from tests.ports import free_port


class Web:
    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._secret = self._token_of("admin")

    def _token_of(self, username: str) -> str:
        token = ApiToken(name="test")
        secret = give_secret(token)
        with psycopg.connect(self.floor.database) as connection:
            connection.execute(
                "INSERT INTO api_apitoken (tenant_id, user_id, name, prefix, secret_hash, scopes, networks,"
                " rate_per_min, created_at) SELECT tenant_id, id, 'test', %s, %s, %s, '{}', 600, now()"
                " FROM accounts_user WHERE username = %s",
                [token.prefix, token.secret_hash, [str(scope) for scope in Scope], username],
            )
        return secret

    async def start(self) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": self.floor.database,
            "ENGINE_URL": self.floor.engine.url,
            "ENGINE_TOKEN": TOKEN,
            "REDIS_URL": "redis://127.0.0.1:1/0",  # there is none: REST goes on without it
            "STATE_DIR": str(self.floor.engine.journal.parent / "state"),
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        command = [sys.executable, "-m", "uvicorn", "apps.config.asgi:application", "--port", str(self.port)]
        with (self.floor.engine.log.with_name("web.log")).open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        for _ in range(600):
            if await self._answers():
                return
            await asyncio.sleep(0.1)
        raise AssertionError(self.floor.engine.log.with_name("web.log").read_text()[-4000:])

    async def _answers(self) -> bool:
        try:
            return (await self.ask("GET", "/agents"))[0] == 200
        except OSError:
            return False

    async def ask(self, method: str, path: str, data: Any = None) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer, whatever it is."""
        return await asyncio.to_thread(self._ask, method, path, data)

    def _ask(self, method: str, path: str, data: Any) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            data=json.dumps(data).encode() if data is not None else None,
            method=method,
            headers={"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
