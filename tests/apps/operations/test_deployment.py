"""What is shipped to run Trunkline elsewhere, checked as far as this machine can.

There is no Docker here: the image is not built and the containers are not started. What they would run is run as
processes, with the variables that they would have.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import get_commands, load_command_class

from apps.config.env import VARIABLES
from apps.operations.management.commands.environment import page
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
UNITS = ROOT / "switch_config" / "systemd"
# The schema of https://github.com/compose-spec/compose-spec (Apache License 2.0), as it was in November 2026.
SCHEMA = Path(__file__).with_name("compose-spec.json")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
# What compose.yaml itself reads.
COMPOSE_ONLY = {
    "COMPOSE_PROFILES", "FREESWITCH_IMAGE", "POSTGRES_IMAGE", "POSTGRES_PASSWORD", "REDIS_IMAGE", "SWITCH_NAME",
    "TRUNKLINE_IMAGE", "WEB_PORT",
}  # fmt: skip


def example() -> dict[str, str]:
    """Also what is commented out: an operator may uncomment it."""
    lines = re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return dict(lines)


def filled(text: str, given: dict[str, str]) -> str:
    """Compose's own substitution: ${A}, ${A:-default}, ${A:?message}; $$ is a dollar."""

    def value(match: re.Match[str]) -> str:
        name, operator, rest = match.group(1), match.group(2), match.group(3)
        if given.get(name):
            return given[name]
        assert operator != ":?", f"{name}: {rest}"
        return rest or ""

    text = re.sub(r"(?<!\$)\$\{([A-Z_]+)(:[-?])?([^}]*)\}", value, text)
    return text.replace("$$", "$")


def commands(given: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    for name, service in OURS.items():
        yield name, [filled(str(part), given) for part in service["command"]]


# --- compose ---


def test_compose_follows_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text())
    errors = jsonschema.Draft7Validator(schema).iter_errors(COMPOSE)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    assert set(COMPOSE["services"]) >= {"postgres", "redis", "freeswitch", "web", "engine", "worker", "beat", "migrate"}


def test_every_variable_is_known_and_none_is_missing() -> None:
    for name, service in OURS.items():
        assert set(service["environment"]) <= set(VARIABLES), name
    assert set(example()) <= set(VARIABLES) | COMPOSE_ONLY
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert used <= COMPOSE_ONLY
    assert {name for name in used if f"${{{name}:?" in (ROOT / "compose.yaml").read_text()} <= set(example())


def test_no_secret_is_in_the_files() -> None:
    words = re.compile(r"(PASSWORD|SECRET|TOKEN)[A-Z_]*[ \t]*[:=][ \t]*(\S+)")
    for name in ("compose.yaml", ".env.example", "Dockerfile"):
        found = [match.group(2) for match in words.finditer((ROOT / name).read_text())]
        assert [value for value in found if not value.startswith(("${", "?set"))] == [], name


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_run_without_rights_they_do_not_need(name: str) -> None:
    service = OURS[name]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    for volume in service["volumes"]:
        assert volume.split(":")[0] in COMPOSE["volumes"], volume
    if service["restart"] == "unless-stopped":
        assert service["healthcheck"]["test"]


def test_the_image_has_what_the_volumes_and_users_need() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for service in [*OURS.values(), COMPOSE["services"]["freeswitch"]]:
        assert "10001" in service["user"] and "--uid 10001" in text
        for volume in service["volumes"]:
            target = volume.split(":")[1]
            assert re.search(rf"[ \n]{target}[ \n]", text), f"{target} is not made in the image: it would be root's"


def test_every_command_is_one_that_we_have() -> None:
    given = {**example(), "POSTGRES_PASSWORD": "x"}
    checked = 0
    for name, command in commands(given):
        if command[:2] == ["python", "manage.py"]:
            known = load_command_class(get_commands()[command[2]], command[2])
            known.create_parser("manage.py", command[2]).parse_args(command[3:])
            checked += 1
        else:
            assert command[:3] == ["celery", "-A", "apps.config.celery"], name
    assert checked >= 5


# --- what the containers would run ---


@pytest.fixture
def surroundings(tmp_path: Path, postgres_url: str, redis_url: str) -> dict[str, str]:
    """A container's variables, with this machine's services and directories in place of its own."""
    given = {**example(), "POSTGRES_PASSWORD": "x", "METRICS_TOKEN": "sesame"}
    own = {name: value for name, value in given.items() if name in VARIABLES}
    engine = f"127.0.0.1:{free_port()}"
    places = {
        "STATE_DIR": tmp_path / "state", "JOURNAL_DIR": tmp_path / "journal", "RECORDINGS_DIR": tmp_path / "recordings",
        "CDR_DIR": tmp_path / "cdr", "STATIC_ROOT": tmp_path / "staticfiles",
    }  # fmt: skip
    for place in places.values():
        place.mkdir()
    return {
        "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1",
        **{name: str(value) for name, value in OURS["web"]["environment"].items()}, **own,
        **{name: str(place) for name, place in places.items()},
        "DATABASE_URL": postgres_url.replace("/trunkline?", "/compose?"), "REDIS_URL": redis_url,
        "ENGINE_BIND": engine, "ENGINE_URL": f"http://{engine}",
    }  # fmt: skip


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}: {done.stderr[-2000:]}"
    return done.stdout + done.stderr


@pytest.fixture
def a_database(postgres_url: str) -> Iterator[None]:
    import psycopg

    with psycopg.connect(postgres_url.replace("/trunkline?", "/postgres?"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE compose")
        yield
        connection.execute("DROP DATABASE compose WITH (FORCE)")


def test_the_processes_of_compose_come_up(surroundings: dict[str, str], a_database: None, tmp_path: Path) -> None:
    """As compose orders them: migrate, then engine, web, worker and beat, until all say that they are well."""
    web_port = free_port()
    wanted = dict(commands({**example(), "POSTGRES_PASSWORD": "x", "WEB_PORT": str(web_port)}))
    run(["python", "manage.py", "collectstatic", "--no-input"], surroundings)
    run(wanted["migrate"], surroundings)
    running = []
    try:
        for name in ("engine", "web", "worker", "beat"):
            state = surroundings["STATE_DIR"]
            command = [part.replace("/state/", f"{state}/") for part in wanted[name]]
            log = (tmp_path / f"{name}.log").open("wb")
            running.append(subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=log, stderr=log))
        web = f"http://127.0.0.1:{web_port}"
        said = eventually(lambda: _well(web), tmp_path)
        # No switch has been entered yet, which is what the engine says.
        assert said["parts"]["engine"]["detail"] in ("down", "takes no calls: starting")
        for name in ("worker.alive", "beat.alive"):
            eventually((Path(surroundings["STATE_DIR"]) / name).exists, tmp_path)
        page = urllib.request.urlopen(f"{web}/", timeout=10)
        assert page.status == 200 and page.headers["X-Request-ID"]
        asked = urllib.request.Request(f"{web}/metrics", headers={"Authorization": "Bearer sesame"})
        assert b'trunkline_health{part="database"} 1.0' in urllib.request.urlopen(asked, timeout=10).read()
    finally:
        for process in running:
            process.terminate()
        codes = [process.wait(30) for process in running]
    # uvicorn, when it has said goodbye to its pages, ends by the signal that asked it to.
    assert set(codes) <= {0, -signal.SIGTERM}, {path.name: path.read_text()[-800:] for path in tmp_path.glob("*.log")}
    for path in tmp_path.glob("*.log"):
        for line in path.read_text().splitlines():
            if line.startswith("{"):
                assert {"event", "level", "timestamp"} <= set(json.loads(line)), line


def _well(web: str) -> Any:
    """Ready, with everything but the engine all right: what it says; else None."""
    try:
        with urllib.request.urlopen(f"{web}/health/ready", timeout=5) as reply:
            data = json.loads(reply.read())
    except OSError:
        return None
    others = {part["status"] for name, part in data["parts"].items() if name not in ("engine", "recordings_disk")}
    return data if others == {"ok"} and "Error" not in data["parts"]["engine"]["detail"] else None


def eventually(condition: Any, logs: Path, timeout_s: float = 90.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, {path.name: path.read_text()[-800:] for path in logs.glob("*.log")}
        time.sleep(0.5)
    return result


def test_the_image_s_environment_can_be_made(tmp_path: Path) -> None:
    """The Dockerfile's ``uv sync``, into another place: the lock file is whole and needs no compiler."""
    steps = re.findall(r"^RUN (uv sync .*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(steps) == 1
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"), "UV_PYTHON": sys.executable}
    environment.pop("VIRTUAL_ENV", None)
    run([str(ROOT / ".venv" / "bin" / "uv"), *shlex.split(steps[0])[1:], "--quiet"], environment)
    missing = "from importlib.util import find_spec as f; exit(f('pytest') is not None or f('django') is None)"
    run([str(tmp_path / "venv" / "bin" / "python"), "-c", missing], environment)


# --- units ---


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("SKIPPED: no systemd-analyze on this machine (apt install systemd)")
    for unit in UNITS.glob("trunkline*"):
        # Where they are installed is not here: the programs they name are looked for in this checkout.
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/trunkline", str(ROOT)))
    done = subprocess.run(
        [analyze, "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or line.startswith("trunkline")]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_units_start_what_compose_starts() -> None:
    for name in ("engine", "web", "worker", "beat"):
        text = (UNITS / f"trunkline-{name}.service").read_text()
        (line,) = re.findall(r"^ExecStart=/opt/trunkline/.venv/bin/(.*)$", text, re.MULTILINE)
        assert (
            line.split()[:4] == COMPOSE["services"][name]["command"][:4]
            or line.split()[:3] == (COMPOSE["services"][name]["command"][:3])
        ), name
        for rule in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "Restart=always"):
            assert rule in text.splitlines(), f"{name}: {rule}"
    engine = (UNITS / "trunkline-engine.service").read_text()
    assert "Type=notify" in engine and "WatchdogSec=" in engine and "CPUSchedulingPolicy=rr" in engine


# --- docs ---


def test_the_reference_of_variables_is_what_the_code_reads() -> None:
    assert (ROOT / "docs" / "environment.md").read_text() == page(), "run: manage.py environment > docs/environment.md"
