"""TURN passwords against a real coturn on loopback: it relays for who has a good one, and for as long as it is good."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from apps.consoles import turn
from tests.coturn import SECRET, Coturn

RELAYED = "tot_send_msgs=10, tot_recv_msgs=10"
"""Five from either end of a relayed connection, all of them received."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = Coturn(tmp_path_factory.mktemp("coturn"))
    server.start()
    yield server.port
    server.stop()


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
