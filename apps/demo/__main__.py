"""``python -m apps.demo``: the whole of Trunkline on this machine, with callers. Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from apps.demo import crm
from apps.demo.callers import open_line
from apps.demo.processes import Child, DemoError, Family
from apps.demo.screen import Screen
from apps.demo.services import PrivatePostgres, PrivateRedis, ServiceError, service_directory
from apps.demo.surroundings import LOOPBACK, ROOT, Surroundings, answers, free_port, new_secret, surroundings

if TYPE_CHECKING:
    from apps.demo.prepare import SwitchPlace
    from apps.demo.story import Login

LOOK_S = 0.5


class Demo:
    def __init__(self, place: Surroundings, screen: Screen) -> None:
        self._place = place
        self._screen = screen
        self._family = Family(screen)
        self._environment: dict[str, str] = {}
        self._simulator_options = place.run_dir / "simulator.json"

    # --- start -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._place.logs.mkdir(parents=True, exist_ok=True)
        database_url, redis_url = self._start_postgres(), self._start_redis()
        self._environment = self._place.for_children(database_url, redis_url)
        os.environ.update(self._environment, DJANGO_SETTINGS_MODULE="apps.config.settings")
        logins = self._fill_database()
        self._start_switch()
        self._start_processes()
        self._start_crm()
        if self._place.simulated_agents:
            self._start_people()
        self._close_database()
        if self._place.switch is None:
            open_line(self._simulator_options, self._place.callers_per_minute)
        self._introduce(logins)

    def _start_postgres(self) -> str:
        if self._place.database_url is not None:
            self._screen.say("✓ PostgreSQL: yours (DATABASE_URL)")
            return self._place.database_url
        with self._screen.step("PostgreSQL") as detail:
            detail.append("private")
            postgres = PrivatePostgres(service_directory(self._place.run_dir / "postgres"))
            self._family.adopt(postgres)
            return postgres.start()

    def _start_redis(self) -> str:
        if self._place.redis_url is not None:
            self._screen.say("✓ Redis: yours (REDIS_URL)")
            return self._place.redis_url
        with self._screen.step("Redis") as detail:
            detail.append("private")
            redis = PrivateRedis(service_directory(self._place.run_dir / "redis"))
            self._family.adopt(redis)
            return redis.start()

    def _fill_database(self) -> list[Login]:
        with self._screen.step("Django"):
            import django

            django.setup()
        from django.core.management import call_command

        from apps.demo.story import load_story

        with self._screen.step("tables"):
            call_command("migrate", interactive=False, verbosity=0)
        with self._screen.step("story") as detail:
            logins = load_story()
            detail.append(f"{len(logins)} people who can sign in")
        return logins

    def _start_switch(self) -> None:
        from apps.demo import prepare

        real = self._place.switch
        if real is not None:
            place = prepare.SwitchPlace(
                host=real.host, port=real.port, password=real.password, arrival=real.arrival
            )  # fmt: skip
            with self._screen.step(f"switch {real.host}:{real.port}"):
                if not answers(real.host, real.port):
                    raise DemoError(f"no Event Socket answers at {real.host}:{real.port} (SWITCH_HOST, SWITCH_PORT)")
                prepare.place_switch(place)
            return
        place = prepare.SwitchPlace(
            host=LOOPBACK,
            port=free_port(),
            password=new_secret(),
            arrival="|".join(f"{LOOPBACK}:{free_port()}" for _ in self._place.engine_ports),
            sounds_dir=str(self._place.run_dir / "sounds"),
            recordings_dir=str(prepare.recordings_dir()),
        )
        with self._screen.step("prompts") as detail:
            sounds = prepare.place_prompts(self._place.run_dir / "sounds")
            detail += [f"{sounds.spoken} spoken"] if sounds.spoken else []
            detail += [f"{len(sounds.missing)} missing: {sounds.trouble}"] if sounds.missing or sounds.trouble else []
        prepare.place_switch(place)
        self._start_simulator(place)

    def _start_simulator(self, place: SwitchPlace) -> None:
        from apps.demo.prepare import simulator_options

        options = simulator_options(place, seed=self._place.seed)
        config = self._simulator_options
        config.touch(mode=0o600)
        config.write_text(json.dumps(options, ensure_ascii=False, indent=1))
        Path(str(place.recordings_dir)).mkdir(parents=True, exist_ok=True)
        with self._screen.step("switch simulator"):
            command = ["-m", "apps.switches.simulator", "--config", str(config)]
            # Its callers would be gone with it: no restart that pretends otherwise.
            self._start("simulator", command, lambda: answers(place.host, place.port), restart=False)
            self._family.wait_for("simulator")

    def _start_processes(self) -> None:
        """All at once, as none needs another to start: most of the time goes into imports, on a core for each."""
        log = self._place.logs / "worker.log"
        log.unlink(missing_ok=True)
        schedule = self._place.run_dir / "celerybeat-schedule"
        worker = [
            *("-m", "celery", "-A", "apps.config.celery", "worker", "--beat", "--schedule", str(schedule)),
            *("--pool", "threads", "--concurrency", "2", "--loglevel", "INFO", "--without-mingle"),
        ]
        web = f"{self._place.web_url}/health/live"
        socket = self._place.web_socket.fileno()
        engines = self._start_engines()
        self._start("web", ["manage.py", "web", "--fd", str(socket)], lambda: responds(web), inherits=[socket])
        self._start("worker", worker, lambda: " ready." in _text(log))
        for name in (*engines, "web", "worker"):
            with self._screen.step(name):
                self._family.wait_for(name)

    def _start_engines(self) -> list[str]:
        """One, or two of which one stands by."""
        names = []
        for number, url in enumerate(self._place.engine_urls, start=1):
            name = "engine" if number == 1 else "standby"
            own = self._place.for_engine(number)
            self._start(name, ["manage.py", "engine"], lambda url=url: responds(f"{url}/health"), own=own)  # type: ignore[misc]
            names.append(name)
        return names

    def _start_crm(self) -> None:
        from apps.demo.prepare import place_crm

        port = free_port()
        with self._screen.step("webhook receiver"):
            self._environment[crm.SECRET] = place_crm(f"http://{LOOPBACK}:{port}/calls")
            command = ["-m", "apps.demo.crm", "--port", str(port)]
            self._start("crm", command, lambda: answers(LOOPBACK, port))
            self._family.wait_for("crm")

    def _start_people(self) -> None:
        from apps.demo.prepare import simulated

        agents = simulated()
        with self._screen.step("simulated agents") as detail:
            detail.append(str(len(agents)))
            ids = ",".join(str(agent.pk) for agent in agents)
            command = ["-m", "apps.demo.people", "--agents", ids, "--seed", str(self._place.seed)]
            self._start("people", command, lambda: True)

    def _start(
        self,
        name: str,
        command: list[str],
        ready: Callable[[], bool],
        *,
        restart: bool = True,
        inherits: Sequence[int] = (),
        own: Mapping[str, str] | None = None,
    ) -> None:
        child = Child(
            name,
            [sys.executable, *command],
            environment={**self._environment, **(own or {})},
            directory=ROOT,
            log=self._place.logs / f"{name}.log",
            ready=ready,
            inherits=inherits,
        )
        self._family.start(child, restart=restart)

    @staticmethod
    def _close_database() -> None:
        from django.db import connections

        for connection in connections.all():
            connection.close()
            if close_pool := getattr(connection, "close_pool", None):
                close_pool()

    # --- run -------------------------------------------------------------------------------------------------------

    def _introduce(self, logins: list[Login]) -> None:
        from apps.accounts.models import Role
        from apps.demo.prepare import left_to_visitors

        visitors = {agent.user.get_username() for agent in left_to_visitors() if agent.user is not None}
        pages = {Role.SUPERVISOR: "/wall/", Role.ADMIN: "/admin/", Role.AGENT: "/agent/"}
        say, web = self._screen.say, self._place.web_url
        say(f"\n  Trunkline is up: {web}\n")
        for login in logins:
            if login.role != Role.AGENT or login.username in visitors or not self._place.simulated_agents:
                address = f"{web}{pages[Role(login.role)]}"
                say(f"  {address:<34} {login.username:<10} {login.password}  {login.name}")
        say("\n  Sign in as an agent and press Ready: a caller is there within a minute or so, and is heard.")
        if self._place.simulated_agents:
            say("  The other agents and all callers are simulated.")
        say(f"  Two people in one browser: use a private window for the second. Logs: {self._place.logs}")
        say("  Ctrl-C stops everything.\n")

    def watch(self) -> None:
        """Until a signal or until something ends that cannot be started again."""
        while True:
            time.sleep(LOOK_S)
            self._family.look_after()

    def stop(self) -> None:
        self._screen.say("\nstopping")
        self._family.stop()
        self._screen.say("  stopped")


def responds(url: str) -> bool:
    """200 within a moment."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


class _Stop(BaseException):
    """Ctrl-C, SIGTERM, or the terminal is gone."""


def _on_signal(number: int, frame: FrameType | None) -> None:
    # Once: a second Ctrl-C must not break the stopping.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise _Stop


def main() -> int:
    screen = Screen()
    try:
        place = surroundings()
        claim = place.claim()
    except ValueError as error:
        screen.say(f"✗ {error}")
        return 1
    with claim:
        return run(Demo(place, screen), screen)


def run(demo: Demo, screen: Screen) -> int:
    """Until it is told to stop; the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _on_signal)
    code = 0
    try:
        demo.start()
        demo.watch()
    except _Stop:
        pass  # asked for
    except (DemoError, ServiceError) as error:
        screen.say(f"✗ {error}")
        code = 1
    finally:
        demo.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
