"""A real FreeSWITCH on free ports, with files that Trunkline rendered."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.switch_live.event_socket import EventSocket
from tests.switch_live.waiting import eventually

# What FreeSWITCH itself says about this machine or its own first start, whatever the configuration.
NOT_OURS = (
    "NATIVE SQL ERR",  # it drops tables that are not there yet
    "drop table",
    "drop view",
    "MSG Thread",
    "orphan, no more console",
    "Clock calibration",
    "Error updating the timer",
    "setrlimit",
)


def freeswitch_binary() -> str | None:
    return shutil.which("freeswitch")


class LiveSwitch:
    """``directory`` holds conf/ and sounds/ as ``manage.py switchconfig render`` wrote them."""

    def __init__(self, directory: Path, event_socket_port: int, password: str) -> None:
        self.directory = directory
        self.event_socket_port = event_socket_port
        self.password = password
        self.recordings = directory / "recordings"
        self.cdr = directory / "log" / "json_cdr"
        self.log = directory / "log" / "freeswitch.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.complaints_at_start: list[str] = []
        self._api: EventSocket | None = None

    def start(self, extra: Mapping[str, str] | None = None) -> None:
        """Returns when it takes calls. Raises ``AssertionError`` with its output when it does not."""
        options = {"conf": "conf", "log": "log", "db": "db", "run": "run", "certs": "certs", "recordings": "recordings"}
        options |= {"cache": "cache", "storage": "storage", "temp": "temp", "scripts": "scripts", "grammar": "grammar"}
        arguments: list[str] = []
        for option, name in options.items():
            (self.directory / name).mkdir(exist_ok=True)
            arguments += [f"-{option}", str(self.directory / name)]
        binary = freeswitch_binary()
        assert binary is not None
        with (self.directory / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [binary, "-nonat", "-nf", "-nc", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(extra or {})},
                start_new_session=True,
            )
        eventually(self._is_ready, 60, f"FreeSWITCH ready, see {self.directory}")
        self.complaints_at_start = self._complaints()

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"FreeSWITCH ended: {(self.directory / 'output').read_text(errors='replace')[-2000:]}")
        try:
            api = EventSocket(self.event_socket_port, self.password)
        except OSError:
            return False
        # The modules load in the order of modules.conf while the Event Socket already answers.
        loaded = api.api("module_exists mod_json_cdr").strip() == "true"
        ready = loaded and "is ready" in api.api("status") and "RUNNING" in api.api("sofia status")
        api.close()
        return ready

    @property
    def api(self) -> EventSocket:
        if self._api is None:
            self._api = EventSocket(self.event_socket_port, self.password)
        return self._api

    def stop(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _complaints(self) -> list[str]:
        """Lines of its log at warning or above that our files could be the cause of."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        loud = [line for line in lines if any(f"[{level}]" in line for level in ("WARNING", "ERR", "CRIT", "ALERT"))]
        return [line for line in loud if not any(known in line for known in NOT_OURS)]
