"""A rig with a real FreeSWITCH: SIPp plays the people, so what they cannot do is skipped, saying so."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.core.events import LinkUp, SwitchEvent
from apps.core.ids import LegId
from apps.switches.freeswitch.driver import FreeSwitchDriver
from tests.switch_live.driver_rig import PASSWORD, Rig
from tests.switch_live.waiting import eventually
from tests.switches.contract.rigs import ANSWERS, DID, TOLD
from tests.switches.simulator.sessions import Framer

CALLER = "13800138000"  # the only number SIPp's caller has
LONGER = 3  # a machine that plays real media may be slow


class LiveRig:
    phones = frozenset({ANSWERS, TOLD})
    told = False

    def __init__(self, place: Rig) -> None:
        self.place = place
        self.events: list[SwitchEvent] = []
        self.driver = FreeSwitchDriver(place.settings())
        self._callers: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.driver.start(self.events.append)
        self.wait_until(lambda: any(isinstance(event, LinkUp) for event in self.events), "the link")
        self.wait_until(lambda: self.driver.arrival_port, "the arrival port")

    def stop(self) -> None:
        self.driver.stop()
        self._api("hupall NORMAL_CLEARING")
        self.wait_until(lambda: self._api("show channels count").strip().startswith("0 total"), "an empty switch")

    def _api(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self.place.event_socket), 10) as link:
            link.sendall(f"auth {PASSWORD}\n\napi {command}\n\n".encode())
            framer = Framer()
            while data := link.recv(65536):
                for headers, body in framer.feed(data):
                    if headers["Content-Type"] == "api/response":
                        return body.decode()
        raise AssertionError("the switch closed the link")

    def wait_until(self, probe: Callable[[], object], what: str, timeout_ms: int = 10_000) -> None:
        deadline = time.monotonic() + LONGER * timeout_ms / 1000
        while not probe():
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {LONGER * timeout_ms} ms: {what}")
            time.sleep(0.005)

    def let_pass(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def place_call(self, number: str, name: str = "", keys: str = "", did: str = DID) -> None:
        if number != CALLER or len(name) > 128 or not name.isprintable() or did != DID:
            pytest.skip("SIPp's caller has one number, and a name that fits a scenario file")
        self._callers.append(self.place.call(did, name))

    def caller_hangs_up(self, number: str) -> None:
        """By the switch, which to the driver is the same: SIPp's caller cannot be told to."""
        (uuid,) = eventually(lambda: self._legs_from(number), 10, f"the call of {number} is listed")
        assert self._api(f"uuid_kill {uuid}").startswith("+OK")

    def _legs_from(self, number: str) -> list[str]:
        """The switch writes its list from time to time, so a leg may be there before it is listed."""
        rows = json.loads(self._api("show channels as json")).get("rows", [])
        return [row["uuid"] for row in rows if row["cid_num"] == number and row["direction"] == "inbound"]

    def caller_presses(self, number: str, digit: str) -> None:
        pytest.skip("SIPp's caller presses by scenario only")

    def pick_up(self, address: str) -> None:
        pytest.skip("SIPp's phone picks up by scenario only")

    def put_down(self, address: str) -> None:
        pytest.skip("SIPp's phone hangs up by scenario only")

    def drop_link(self) -> None:
        pytest.skip("a real switch does not drop a link when told")

    def recording(self, path: str) -> Path:
        return self.place.home / "recordings" / path

    def exists(self, leg: LegId) -> bool:
        return self._api(f"uuid_exists {leg}") == "true"
