"""The demo comes up in time, is alive, and leaves nothing behind. Packages are installed already."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.demo.surroundings import free_port

ROOT = Path(__file__).resolve().parents[2]
FIRST_S, AGAIN_S = 60.0, 15.0


@pytest.fixture
def run_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="trunkline-start-"))
    directory.chmod(0o755)  # as root the private services run as somebody else
    yield directory
    shutil.rmtree(directory)


def start(run_dir: Path) -> tuple[subprocess.Popen[bytes], str, float]:
    """The demo, its address, and how many seconds it took until it said so."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "DEBUG")}
    environment = {**kept, "STATE_DIR": str(run_dir), "LOG_LEVEL": "INFO", "WEB_PORT": str(free_port())}
    output = run_dir / "said"
    began = time.monotonic()
    with output.open("wb") as log:
        demo = subprocess.Popen([sys.executable, "-m", "apps.demo"], cwd=ROOT, env=environment, stdout=log)
    while "Trunkline is up: " not in (text := output.read_text()):
        assert demo.poll() is None and time.monotonic() - began < 3 * FIRST_S, text
        time.sleep(0.05)
    return demo, text.split("Trunkline is up: ")[1].split()[0], time.monotonic() - began


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def stop(demo: subprocess.Popen[bytes]) -> None:
    """Ctrl-C; nobody of the family is left."""
    family = children(demo.pid)
    assert len(family) >= 6, "postgres, redis, simulator, engine, web, worker"
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []


def test_it_is_up_within_a_minute_and_again_within_a_quarter(run_dir: Path) -> None:
    demo, web, took_s = start(run_dir)
    try:
        assert took_s < FIRST_S
        deadline = time.monotonic() + FIRST_S
        while (ready := json.loads(urllib.request.urlopen(f"{web}/health/ready", timeout=5).read()))["status"] != "ok":
            assert time.monotonic() < deadline, ready
            time.sleep(1)
    finally:
        stop(demo)
    demo, _web, took_s = start(run_dir)
    stop(demo)
    assert took_s < AGAIN_S
