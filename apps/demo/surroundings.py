"""What the demo's processes get to know: addresses, directories, and what the environment puts in their place.

``DATABASE_URL`` and ``REDIS_URL`` put in a real PostgreSQL and Redis, ``SWITCH_HOST`` a real FreeSWITCH. Before Django.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
WEB_PORTS = range(8000, 8020)

# name -> (default, meaning); besides those of apps/config/env.py
VARIABLES: dict[str, tuple[str, str]] = {
    "WEB_PORT": ("", "port of the pages; empty: the first free one from 8000"),
    "SWITCH_HOST": ("", "Event Socket host of a real FreeSWITCH; empty: the simulator"),
    "SWITCH_PORT": ("8021", "its Event Socket port"),
    "SWITCH_PASSWORD": ("ClueCon", "its Event Socket password"),
    "ARRIVAL_ADDRESS": (f"{LOOPBACK}:8084", "where the real switch hands calls to the engine, as the switch sees it"),
    "CALLERS_PER_MINUTE": ("8", "how often simulated callers call; 0: never"),
    "SIMULATED_AGENTS": ("true", "false leaves every agent to people at the console"),
    "STANDBY": ("false", "true runs a second engine, which leads when the first one ends"),
    "DEMO_SEED": ("1", "another number, other callers"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSwitch:
    host: str
    port: int
    password: str
    arrival: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything the demo decides before it starts something."""

    run_dir: Path
    database_url: str | None  # None: a private PostgreSQL
    redis_url: str | None
    switch: RealSwitch | None
    web_socket: socket.socket  # listens already: the port is nobody else's from here on
    engine_ports: tuple[int, ...]
    callers_per_minute: float
    simulated_agents: bool
    seed: int

    @property
    def logs(self) -> Path:
        return self.run_dir / "logs"

    @property
    def web_url(self) -> str:
        return f"http://{LOOPBACK}:{self.web_socket.getsockname()[1]}"

    @property
    def engine_urls(self) -> list[str]:
        return [f"http://{LOOPBACK}:{port}" for port in self.engine_ports]

    def for_engine(self, number: int) -> dict[str, str]:
        """What the ``number``-th engine has of its own."""
        return {
            "ENGINE_NUMBER": str(number),
            "ENGINE_BIND": f"{LOOPBACK}:{self.engine_ports[number - 1]}",
            "JOURNAL_DIR": str(self.run_dir / ("journal" if number == 1 else f"journal{number}")),
        }

    def claim(self) -> IO[str]:
        """``run_dir`` is ours until this is closed. Raises ``ValueError`` when another demo has it."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        lock = (self.run_dir / "demo.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            url = lock.read().strip()
            lock.close()
            raise ValueError(
                f"a demo already runs in {self.run_dir}: {url}. Use that one, or give this one a STATE_DIR of its own"
            ) from None
        lock.truncate(0)
        lock.write(self.web_url)
        lock.flush()
        return lock

    def for_children(self, database_url: str, redis_url: str) -> dict[str, str]:
        """The environment of every process of the demo."""
        return {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "STATE_DIR": str(self.run_dir),
            "RECORDINGS_DIR": str(self.run_dir / "recordings"),
            "ENGINE_URL": ",".join(self.engine_urls),
            "WEBHOOK_NETWORKS": f"{LOOPBACK}/32",  # where the demo's own receiver is
            "SECURE_COOKIES": "false",  # loopback, without TLS
            "LOG_FORMAT": "console",
            "PYTHONUNBUFFERED": "1",
        }


def surroundings(given: Mapping[str, str] = os.environ) -> Surroundings:
    """Raises ``ValueError`` for a variable that cannot be used."""
    text = {name: given.get(name, "").strip() or default for name, (default, _) in VARIABLES.items()}
    run_dir = ROOT / (given.get("STATE_DIR", "").strip() or ".run/demo")
    return Surroundings(
        run_dir=run_dir,
        database_url=given.get("DATABASE_URL") or None,
        redis_url=given.get("REDIS_URL") or None,
        switch=_real_switch(text),
        web_socket=listening(_number("WEB_PORT", text["WEB_PORT"])) if text["WEB_PORT"] else first_free(WEB_PORTS),
        engine_ports=tuple(free_port() for _ in range(2 if _flag("STANDBY", text["STANDBY"]) else 1)),
        callers_per_minute=float(_number("CALLERS_PER_MINUTE", text["CALLERS_PER_MINUTE"])),
        # Their phones are the simulator's: on a real switch nobody would pick up.
        simulated_agents=_flag("SIMULATED_AGENTS", text["SIMULATED_AGENTS"]) and not text["SWITCH_HOST"],
        seed=_number("DEMO_SEED", text["DEMO_SEED"]),
    )


def _real_switch(text: Mapping[str, str]) -> RealSwitch | None:
    if not text["SWITCH_HOST"]:
        return None
    return RealSwitch(
        host=text["SWITCH_HOST"],
        port=_number("SWITCH_PORT", text["SWITCH_PORT"]),
        password=text["SWITCH_PASSWORD"],
        arrival=text["ARRIVAL_ADDRESS"],
    )


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{name} must be a whole number, not {text!r}")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{name} must be true or false, not {text!r}")
    return text.lower() == "true"


def first_free(ports: range) -> socket.socket:
    """Listening on the first of them that nobody has."""
    for port in ports:
        with suppress(ValueError):
            return listening(port)
    raise ValueError(f"ports {ports.start} to {ports.stop - 1} are all taken: set WEB_PORT")


def listening(port: int) -> socket.socket:
    """Raises ``ValueError`` when somebody has the port: of two demos that start together one gets it."""
    try:
        # Those who connect before the web process accepts, or while it is started again, wait.
        return socket.create_server((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        raise ValueError(f"port {port} cannot be used ({error}): set WEB_PORT to another") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(host: str, port: int) -> bool:
    """Somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def new_secret() -> str:
    return secrets.token_hex(12)
