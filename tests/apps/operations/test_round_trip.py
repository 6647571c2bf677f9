"""A centre that takes calls is backed up, loses its database, and has everything again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.demo.services import PrivatePostgres, service_directory
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
CALLS = 2


@pytest.fixture
def run_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-round-trip-"))
    directory.chmod(0o755)  # as root the private services run as somebody else
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def environment(run_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    postgres = PrivatePostgres(service_directory(run_dir / "postgres"))
    return {
        **kept, "STATE_DIR": str(run_dir), "CALLERS_PER_MINUTE": "60", "LOG_LEVEL": "INFO",
        "WEB_PORT": str(free_port()),
        "TRUNKLINE_TEST_DATABASE": postgres.url,
    }  # fmt: skip


def manage(environment: dict[str, str], *arguments: str) -> str:
    run_dir = Path(environment["STATE_DIR"])
    settings = {"DATABASE_URL": environment["TRUNKLINE_TEST_DATABASE"], "RECORDINGS_DIR": str(run_dir / "recordings")}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env={**environment, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def take_calls(environment: dict[str, str], url: str) -> subprocess.Popen[bytes]:
    """The demo with callers, until some have talked and their recordings are done."""
    log = (Path(environment["STATE_DIR"]) / "demo.log").open("wb")
    demo = subprocess.Popen([sys.executable, "-m", "apps.demo"], cwd=ROOT, env=environment, stdout=log)
    deadline = time.monotonic() + 150
    query = "SELECT 1 FROM recordings_recording WHERE status = 'done'"
    while True:
        time.sleep(1)
        assert demo.poll() is None and time.monotonic() < deadline, Path(log.name).read_text()
        try:
            if len(rows(url, query)) >= CALLS:
                return demo
        except psycopg.Error:
            continue  # not up yet


def test_a_centre_comes_back_as_it_was(run_dir: Path, environment: dict[str, str]) -> None:
    url = environment["TRUNKLINE_TEST_DATABASE"]
    demo = take_calls(environment, url)
    try:
        # While calls come and go: dump, counts and the list of recordings agree all the same.
        manage(environment, "backup", "--output", str(run_dir / "backup"), "--copy-recordings")
    finally:
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(60) == 0
    manifest = json.loads((run_dir / "backup" / "manifest.json").read_text())
    assert manifest["rows"]["calls_call"] >= CALLS <= manifest["recordings"]

    postgres = PrivatePostgres(service_directory(run_dir / "postgres"))
    postgres.start()
    try:
        with psycopg.connect(url.replace("/trunkline?", "/postgres?"), autocommit=True) as connection:
            connection.execute("DROP DATABASE trunkline")
            connection.execute("CREATE DATABASE trunkline")
        shutil.rmtree(run_dir / "recordings")
        said = manage(environment, "restore", str(run_dir / "backup"))
        assert f"{manifest['recordings'] - manifest['recordings_missing']} recordings checked" in said
        for table, count in manifest["rows"].items():
            assert rows(url, f'SELECT count(*) FROM "{table}"')[0][0] == count, table
        waiting = "SELECT 1 FROM calls_call c WHERE ended_at IS NOT NULL AND NOT EXISTS"
        assert rows(url, f"{waiting} (SELECT 1 FROM calls_factrecord f WHERE f.call = c.id)") == []
        assert manage(environment, "migrate", "--check") == ""
    finally:
        postgres.stop()
