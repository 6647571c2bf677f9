"""Two engines on one switch: started, killed, stopped and let go on, and which of them leads."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.switch_live.center import ROOT, Center
from tests.switch_live.waiting import eventually, free_ports


class PairedEngine:
    def __init__(self, center: Center, directory: Path, number: int, doors: list[str]) -> None:
        self.number = number
        self.door = doors[number - 1]
        self.log = directory / f"engine{number}.log"
        self.prefix = center.engine_prefix
        self.environment = {
            **center.environment,
            "ENGINE_NUMBER": str(number),
            "ENGINE_URL": ",".join(doors),
            "ENGINE_BIND": self.door.removeprefix("http://"),
            "JOURNAL_DIR": str(directory / f"journal{number}"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "manage.py", "engine"],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.wait()

    def health(self) -> dict[str, Any]:
        """{} while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.door}/health", timeout=1) as reply:
                data: dict[str, Any] = json.load(reply)
        except urllib.error.HTTPError as error:
            data = json.load(error)
        except OSError:
            return {}
        return data

    @property
    def leads(self) -> bool:
        return self.health().get("role") == "leading"


class Pair:
    """``center`` speaks to whoever leads, once ``level`` or ``taken_over`` has returned."""

    def __init__(self, center: Center, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self._center = center
        self._alone = center.door_url
        doors = [f"http://127.0.0.1:{port}" for port in free_ports(2)]
        self.engines = [PairedEngine(center, directory, number, doors) for number in (1, 2)]

    def start(self) -> PairedEngine:
        for engine in self.engines:
            engine.start()
        return self.level()

    def level(self, timeout_s: float = 60.0) -> PairedEngine:
        """The one that leads, when the other has every fact."""

        def look() -> PairedEngine | None:
            healths = [engine.health() for engine in self.engines]
            leading = [place for place, health in enumerate(healths) if health.get("role") == "leading"]
            assert len(leading) < 2, "both say that they lead"
            both = leading and healths[leading[0]]["standbys"] and any(healths[leading[0]]["links"].values())
            return self.engines[leading[0]] if both else None

        leader = eventually(look, timeout_s, f"a leader with a standby, see {self.engines[0].log}")
        assert leader is not None
        self._center.door_url = leader.door
        return leader

    def other(self, engine: PairedEngine) -> PairedEngine:
        return next(one for one in self.engines if one is not engine)

    def taken_over(self, engine: PairedEngine, since_s: float) -> float:
        """Seconds from ``since_s`` until this engine leads."""
        eventually(lambda: engine.leads, 30, f"engine {engine.number} leads, see {engine.log}")
        took_s = time.monotonic() - since_s
        self._center.door_url = engine.door
        return took_s

    def stop(self) -> None:
        for engine in self.engines:
            if engine.process is not None and engine.process.poll() is None:
                engine.send(signal.SIGCONT)
                engine.process.terminate()
        for engine in self.engines:
            if engine.process is not None:
                try:
                    engine.process.wait(20)
                except subprocess.TimeoutExpired:
                    engine.kill()
        self._center.door_url = self._alone
