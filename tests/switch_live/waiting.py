"""Waiting for something to become true, with a deadline; and free ports."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], timeout_s: float = 20.0, what: str = "") -> T:
    """The first truthy value of ``look``. Raises ``AssertionError`` with the last one at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or look}; last seen: {value!r}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports free for TCP and UDP on loopback, all different."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held += [tcp, udp]
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
            except OSError:
                continue
            ports.append(tcp.getsockname()[1])
    finally:
        for item in held:
            item.close()
    return ports
