"""A real coturn on loopback, which knows nobody but who has a password made from its secret."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

SECRET = "coturn-and-the-console-share-this"
REALM = "turn.example.com"
START_S = 20


class Coturn:
    """``start`` and ``stop`` as often as wanted, always on the same port; what was relayed is gone each time."""

    def __init__(self, directory: Path) -> None:
        if shutil.which("turnserver") is None or shutil.which("turnutils_uclient") is None:
            pytest.skip("SKIPPED: no coturn on this machine (apt install coturn)")
        self.directory = directory
        self.log = directory / "coturn.log"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = int(taken.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = [
            *("-n", "--no-cli", "--no-tls", "--no-dtls", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"),
            *("--allow-loopback-peers", "--log-file=stdout", "--simple-log", f"--pidfile={self.directory / 'pid'}"),
            *("--use-auth-secret", f"--static-auth-secret={SECRET}", f"--realm={REALM}"),
            f"--listening-port={self.port}",
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(["turnserver", *options], stdout=log, stderr=log, cwd=self.directory)
        until_s = time.monotonic() + START_S
        while time.monotonic() < until_s and self._process.poll() is None:
            if self._listens():
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text(errors="replace"))

    def _listens(self) -> bool:
        """Once it takes a TCP connection on its port, it answers on UDP as well."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None
