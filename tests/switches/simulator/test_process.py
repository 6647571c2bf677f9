"""The simulator as a process, and what nobody should send it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.switches.simulator.sessions import Framer

ROOT = Path(__file__).parents[3]


class Running:
    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "apps.switches.simulator", "--port", "0", "--control-port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ})
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.event_socket = self._address(ready["event_socket"])
        self.control = socket.create_connection(self._address(ready["control"]), 10)
        self.lines = self.control.makefile("rwb")

    @staticmethod
    def _address(text: str) -> tuple[str, int]:
        host, _, port = text.rpartition(":")
        return host, int(port)

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        return self.say(json.dumps({"do": do, **more}).encode())

    def say(self, line: bytes) -> dict[str, Any]:
        self.lines.write(line + b"\n")
        self.lines.flush()
        answer: dict[str, Any] = json.loads(self.lines.readline())
        return answer

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.control.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(10)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    config = tmp_path_factory.mktemp("simulator") / "simulator.json"
    config.write_text(json.dumps({"agent": ["1001", "1002=told"], "gateway": ["out"], "sockets": "127.0.0.1:1"}))
    simulator = Running("--config", str(config), "--did", "4001", "--callers-per-minute", "600", "--keys", "1")
    try:
        yield simulator
    finally:
        simulator.stop()


class Link:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, 10)
        self.framer = Framer()
        self.frames: list[tuple[dict[str, str], bytes]] = []

    def read(self) -> tuple[dict[str, str], bytes] | None:
        while not self.frames:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.frames += self.framer.feed(data)
        return self.frames.pop(0)

    def send(self, text: str | bytes) -> tuple[dict[str, str], bytes] | None:
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())
        return self.read()

    def login(self) -> Link:
        self.read()
        answer = self.send("auth ClueCon\n\n")
        assert answer is not None
        assert answer[0]["Reply-Text"] == "+OK accepted"
        return self


def test_it_runs_and_ends_on_sigterm() -> None:
    simulator = Running("--sockets", "127.0.0.1:1")
    assert simulator.ask("help")["ok"]
    assert simulator.stop() == 0


def test_callers_come_by_themselves(running: Running) -> None:
    deadline = time.monotonic() + 10
    while running.ask("callers")["placed"] < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.ask("callers")["placed"] >= 3
    assert running.ask("callers", running=False)["running"] is False


def test_a_call_is_placed_and_ended(running: Running) -> None:
    uuid = running.ask("call", number="138", did="park")["uuid"]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        listed = {channel["uuid"]: channel for channel in running.ask("channels")["channels"]}
        if listed[uuid]["application"] == "park":
            break
        time.sleep(0.02)
    assert listed[uuid]["application"] == "park"
    assert running.ask("hang_up", uuid=uuid)["ok"]


@pytest.mark.parametrize(
    "line",
    [b"", b"nonsense", b"[]", b'{"do": "explode"}', b'{"do": "call"}', b'{"do": "press"}', b"\xff\xfe", b"{" * 2000],
)
def test_control_refuses_what_it_does_not_understand(running: Running, line: bytes) -> None:
    answer = running.say(line)
    assert answer["ok"] is False
    assert answer["error"]
    assert running.ask("phones")["phones"]["1002"]["answering"] == "told"


def test_a_wrong_password_is_refused_and_nothing_works_without_one(running: Running) -> None:
    link = Link(running.event_socket)
    link.read()
    answer = link.send("api status\n\n")
    assert answer is not None
    assert answer[0]["Reply-Text"] == "-ERR command not found"
    answer = link.send("auth wrong\n\n")
    assert answer is not None
    assert answer[0]["Reply-Text"] == "-ERR invalid"
    assert link.read() is None


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("nonsense\n\n", "-ERR command not found"),
        ("event json\n\n", "-ERR no keywords supplied"),
        ("sendmsg\ncall-command: execute\n\n", "-ERR invalid session id []"),
        ("linger 5\n\n", "-ERR not controlling a session"),
        ("filter X\n\n", "-ERR invalid syntax"),
        ("api uuid_setvar_multi nope a=b\n\n", "-ERR No such channel!\n"),
        ("api uuid_transfer nope arrival XML trunkline\n\n", "-ERR No such channel!\n"),
        ("api uuid_break nope all\n\n", "-ERR No such channel!\n"),
        ("api uuid_hold nope\n\n", "+OK Success\n"),
        ("api uuid_bridge\n\n", "-USAGE: <uuid> <other_uuid>\n"),
        (b"api \xff\xfe\n\n", "-ERR \udcff\udcfe Command not found!\n"),
        ("api uuid_exists nope\r\n\r\n", "false"),
    ],
)
def test_replies_to_what_cannot_be_done(running: Running, command: str | bytes, reply: str) -> None:
    answer = Link(running.event_socket).login().send(command)
    assert answer is not None
    headers, body = answer
    assert (body.decode(errors="surrogateescape") or headers["Reply-Text"]) == reply


def test_a_command_without_end_is_cut_off(running: Running) -> None:
    link = Link(running.event_socket).login()
    link.socket.settimeout(20)
    try:
        for _ in range(12):
            link.socket.sendall(b"x" * 1024 * 1024)
        assert link.read() is None
    except ConnectionError:
        pass  # cut off while we were still writing
    assert running.ask("help")["ok"]


@pytest.mark.parametrize(
    "arguments",
    [("--faults", "nonsense=1"), ("--patience-s", "9-3"), ("--config", "/nowhere.json"), ("--agent-talk-s", "x")],
)
def test_options_that_cannot_work_are_refused(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "apps.switches.simulator", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert arguments[0].encode() in ended.stderr
