"""Ports for what a test starts a moment later.

The kernel gives a port of its own range to whoever asks for any, so one that was free may be somebody's by then, the
more so where tests run side by side. These lie below that range, a stretch for each worker.
"""

from __future__ import annotations

import os
import socket
from itertools import cycle

FIRST, EACH = 20_000, 1_500


def _stretch() -> list[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")) % 8
    first = FIRST + worker * EACH
    start = os.getpid() % EACH  # another run of the tests on this machine begins elsewhere
    return [first + (start + offset) % EACH for offset in range(EACH)]


_PORTS = cycle(_stretch())


def free_port() -> int:
    """On loopback; none is given twice within a thousand."""
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("a cycle does not end")
