"""TURN passwords against a real coturn on loopback: it relays for who has a good one, and for as long as it is good."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.consoles import turn

SECRET = "coturn-and-the-console-share-this"
REALM = "turn.example.com"
START_S = 20
RELAYED = "tot_send_msgs=10, tot_recv_msgs=10"
"""Five from either end of a relayed connection, all of them received."""


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if shutil.which("turnserver") is None or shutil.which("turnutils_uclient") is None:
        pytest.skip("SKIPPED: no coturn on this machine (apt install coturn)")
    directory, port = tmp_path_factory.mktemp("coturn"), free_udp_port()
    options = [
        *("-n", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"),
        *("--allow-loopback-peers", "--log-file=stdout", "--simple-log", f"--pidfile={directory / 'pid'}"),
        *("--use-auth-secret", f"--static-auth-secret={SECRET}", f"--realm={REALM}", f"--listening-port={port}"),
    ]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(["turnserver", *options], stdout=log, stderr=log, cwd=directory)
    try:
        yield listening(port, server, directory / "log")
    finally:
        server.terminate()
        server.wait(20)


def listening(port: int, server: subprocess.Popen[bytes], log: Path) -> int:
    """Once it answers a TCP connection on its port, it does on UDP as well."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        assert server.poll() is None, log.read_text(errors="replace")
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return port
        except OSError:
            time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def relays(port: int, *, secret: str = SECRET, now_s: float, valid_s: int = 600) -> bool:
    """Whether two ends that ask for a relay with this password exchange five messages each through it."""
    server = turn.ice_server((f"turn:127.0.0.1:{port}",), secret, "1002", now_s, valid_s)
    client = ["turnutils_uclient", "-y", "-c", "-n", "5", "-m", "1", "-p", str(port)]
    login = ["-u", server["username"], "-w", server["credential"]]
    done = subprocess.run([*client, *login, "127.0.0.1"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 or "Cannot complete Allocation" in done.stdout + done.stderr, done
    return done.returncode == 0 and RELAYED in done.stdout


def test_coturn_relays_for_a_page_while_its_password_is_good(port: int) -> None:
    assert relays(port, now_s=time.time())
    assert not relays(port, now_s=time.time() - 3600, valid_s=3590), "one that expired ten seconds ago"
    assert not relays(port, secret="x" * 32, now_s=time.time()), "one that was made up"
