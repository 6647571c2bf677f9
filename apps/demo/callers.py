"""Opens the hotline: the simulated callers begin when somebody is there to answer, and a few of them at once."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from apps.demo.processes import DemoError
from apps.demo.surroundings import LOOPBACK

ANSWER_S = 5.0
WAITED_FOR_IT = 6  # callers who come at once, so that the first look at the wall sees life


def open_line(simulator: Path, per_minute: float) -> None:
    """``simulator`` is the file of its options. Raises ``DemoError`` when it does not do as it is told."""
    port = json.loads(simulator.read_text())["control-port"]
    asked = {"do": "callers", "per_minute": per_minute, "rush": WAITED_FOR_IT, "running": True}
    with socket.create_connection((LOOPBACK, port), ANSWER_S) as connection:
        connection.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    if not answer["ok"]:
        raise DemoError(f"the switch simulator lets nobody call: {answer['error']}")
