"""What the contract suite needs of a driver, its switch and the people around it, and two things that have it.

A rig's phones are fixed by account: see ``PHONES``. A live FreeSWITCH passes the suite with a rig of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from apps.core.commands import Command, Destination, DestinationKind, HangUpLeg, OriginateLeg
from apps.core.events import HangupCause, LegRole, LinkUp, SwitchEvent
from apps.core.ids import AgentId, CallId, LegId, SwitchId, TenantId, TrunkId
from apps.switches.base import SwitchDriver
from apps.switches.freeswitch.driver import FreeSwitchDriver
from apps.switches.freeswitch.settings import FreeSwitchSettings
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.control import Control
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.driver import SimulatorDriver
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.media import SoundLibrary
from apps.switches.simulator.model import Switch
from apps.switches.simulator.people import CallerPlan, Callers
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from apps.switches.simulator.recording import Recorder

E = TypeVar("E", bound=SwitchEvent)

SWITCH = SwitchId("1")
TENANT = TenantId("7")
DID = "4001"
ANSWERS, TOLD, BUSY, REJECTS, UNAVAILABLE, UNREGISTERED = "1001", "1002", "1003", "1004", "1005", "1099"
PHONES = {
    ANSWERS: Answering.AUTO,
    TOLD: Answering.TOLD,
    BUSY: Answering.BUSY,
    REJECTS: Answering.REJECT,
    UNAVAILABLE: Answering.UNAVAILABLE,
}
GATEWAY, TRUNK = "out", TrunkId("3")
SHORT, LONG, MISSING = "short.wav", "long.wav", "missing.wav"
MUSIC_LADDER_MS = 200


_runs = itertools.count(1)


class Rig(Protocol):
    """``wait`` and ``nothing`` let time pass, real or virtual."""

    driver: SwitchDriver
    events: list[SwitchEvent]
    phones: frozenset[str]  # those of PHONES that it has
    told: bool  # its phones answer when told to

    def wait_until(self, probe: Callable[[], object], what: str, timeout_ms: int = 10_000) -> None: ...

    def let_pass(self, ms: int) -> None: ...

    def place_call(self, number: str, name: str = "", keys: str = "", did: str = DID) -> None: ...

    def caller_hangs_up(self, number: str) -> None: ...

    def caller_presses(self, number: str, digit: str) -> None: ...

    def pick_up(self, address: str) -> None: ...

    def put_down(self, address: str) -> None: ...

    def drop_link(self) -> None: ...

    def recording(self, path: str) -> Path: ...

    def exists(self, leg: LegId) -> bool: ...


class Scene:
    """A rig and the verbs that the tests are written in."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.minted = 0
        self.run = next(_runs)  # a switch that has just ended a leg must not get its id again

    def do(self, command: Command) -> None:
        self.rig.driver.execute(command)

    def all(self, kind: type[E], after: int = 0, **match: object) -> list[E]:
        return [
            event
            for event in self.rig.events[after:]
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in match.items())
        ]

    def wait(self, kind: type[E], after: int = 0, timeout_ms: int = 10_000, **match: object) -> E:
        try:
            self.rig.wait_until(lambda: self.all(kind, after, **match), f"{kind.__name__} {match}", timeout_ms)
        except AssertionError as error:
            raise AssertionError(f"{error}; heard {self.rig.events[after:]}") from None
        return self.all(kind, after, **match)[0]

    def mark(self) -> int:
        return len(self.rig.events)

    def leg(self) -> LegId:
        self.minted += 1
        return LegId(f"run{self.run}-l{self.minted}")

    def originate(
        self,
        address: str,
        leg: LegId | None = None,
        *,
        ring_timeout_ms: int = 10_000,
        gateway: str = "",
        role: LegRole | None = None,
        **more: Any,
    ) -> LegId:
        if address in PHONES and address not in self.rig.phones:
            pytest.skip(f"this rig has no phone that is {PHONES[address]}")
        leg = leg or self.leg()
        kind = DestinationKind.TRUNK if gateway else DestinationKind.DEVICE
        self.do(
            OriginateLeg(
                switch=SWITCH,
                leg=leg,
                call=CallId("run1-c1"),
                tenant=TENANT,
                role=role or (LegRole.EXTERNAL if gateway else LegRole.AGENT),
                agent=None if gateway else AgentId("31"),
                destination=Destination(kind=kind, address=address, gateway=gateway),
                ring_timeout_ms=ring_timeout_ms,
                caller_number="13800138000",
                **more,
            )
        )
        return leg

    def hang_up(self, leg: LegId, cause: HangupCause = HangupCause.NORMAL) -> None:
        self.do(HangUpLeg(switch=SWITCH, leg=leg, cause=cause))


def _model(seed: int, sockets: str, recordings: Path) -> tuple[Switch, PhoneBook, Callers]:
    sounds = SoundLibrary(default_ms=400, durations={LONG: 6000, f"/sounds/{LONG}": 6000})
    sounds.forget(MISSING, f"/sounds/{MISSING}")
    model = Switch(
        seed=seed,
        clock=Scheduler(1_800_000_000_000),
        dialplan=Dialplan(sockets=sockets, music_ms=MUSIC_LADDER_MS),
        sounds=sounds,
        recorder=Recorder(recordings),
        gateways=(GATEWAY,),
    )
    quick = PhoneBehaviour(delay_ms=(50, 100), refuse_after_ms=60)
    phones = PhoneBook(model, seed, outside=quick)
    for address, answering in PHONES.items():
        phones.add(address, PhoneBehaviour(answering=answering, delay_ms=(50, 100), refuse_after_ms=60))
    return model, phones, Callers(model, seed=seed)


class ModelRig:
    """The model in process, in virtual time."""

    phones = frozenset(PHONES)
    told = True

    def __init__(self, home: Path) -> None:
        self.home = home
        self.model, self.book, self.callers = _model(1, "engine:8084", home)
        self.driver: SimulatorDriver = SimulatorDriver(SWITCH, self.model, {GATEWAY: TRUNK})
        self.events: list[SwitchEvent] = []

    def start(self) -> None:
        self.driver.start(self.events.append)

    def stop(self) -> None:
        self.driver.stop()

    def wait_until(self, probe: Callable[[], object], what: str, timeout_ms: int = 10_000) -> None:
        deadline = self.model.clock.now_ms + timeout_ms
        while not probe():
            due = self.driver.next_due_ms()
            if due is None or due > deadline:
                raise AssertionError(f"not in {timeout_ms} ms: {what}")
            self.driver.run_until(due)

    def let_pass(self, ms: int) -> None:
        self.driver.run_until(self.model.clock.now_ms + ms)

    def place_call(self, number: str, name: str = "", keys: str = "", did: str = DID) -> None:
        self.callers.place(CallerPlan(number=number, name=name, keys=keys, did=did, talk_ms=None, patience_ms=None))

    def _caller(self, number: str) -> Any:
        return next(c for c in self.model.channels.values() if c.caller_number == number and c.direction == "inbound")

    def caller_hangs_up(self, number: str) -> None:
        self.model.hang_up(self._caller(number), "NORMAL_CLEARING")

    def caller_presses(self, number: str, digit: str) -> None:
        self.model.press(self._caller(number), digit)

    def pick_up(self, address: str) -> None:
        assert self.book.pick_up(address)

    def put_down(self, address: str) -> None:
        assert self.book.put_down(address)

    def drop_link(self) -> None:
        self.driver.drop_link()
        self.model.clock.after(300, self.driver.connect)

    def recording(self, path: str) -> Path:
        return self.home / path

    def exists(self, leg: LegId) -> bool:
        return self.model.find(leg) is not None


class EventSocketRig:
    """The FreeSWITCH driver over TCP to the model in real time, which runs in a thread of its own."""

    phones = frozenset(PHONES)
    told = True

    def __init__(self, home: Path) -> None:
        self.home = home
        self.events: list[SwitchEvent] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._on_loop(self._serve())
        settings = FreeSwitchSettings(
            switch=SWITCH,
            port=self.server.port,
            password="secret",
            arrival_port=0,
            sounds_dir="/sounds",
            recordings_dir=str(self.home),
            gateways={GATEWAY: TRUNK},
        )
        self.driver: FreeSwitchDriver = FreeSwitchDriver(settings)
        self.driver.start(self.events.append)
        self.wait_until(lambda: any(isinstance(e, LinkUp) for e in self.events), "the link")
        self.wait_until(lambda: self.driver.arrival_port, "the arrival port")
        self.model.dialplan = Dialplan(sockets=f"127.0.0.1:{self.driver.arrival_port}", music_ms=MUSIC_LADDER_MS)

    async def _serve(self) -> None:
        self.model, self.book, self.callers = _model(1, "127.0.0.1:1", self.home)
        self.server = EventSocketServer(self.model, self.book, password="secret")
        await self.server.start()
        self.control = Control(self.server, self.book, self.callers)

    def _on_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def stop(self) -> None:
        self.driver.stop()
        self._on_loop(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def wait_until(self, probe: Callable[[], object], what: str, timeout_ms: int = 10_000) -> None:
        deadline = time.monotonic() + timeout_ms / 1000
        while not probe():
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {timeout_ms} ms: {what}")
            time.sleep(0.002)

    def let_pass(self, ms: int) -> None:
        time.sleep(ms / 1000)

    def _control(self, do: str, **more: object) -> dict[str, Any]:
        import json

        async def ask() -> dict[str, Any]:
            return self.control.answer(json.dumps({"do": do, **more}))

        answer: dict[str, Any] = self._on_loop(ask())
        assert answer["ok"], answer
        return answer

    def place_call(self, number: str, name: str = "", keys: str = "", did: str = DID) -> None:
        self._control("call", number=number, name=name, keys=keys, did=did, talk_ms=None, patience_ms=None)

    def caller_hangs_up(self, number: str) -> None:
        self._control("hang_up", number=number)

    def caller_presses(self, number: str, digit: str) -> None:
        self._control("press", number=number, digit=digit)

    def pick_up(self, address: str) -> None:
        self._control("pick_up", phone=address)

    def put_down(self, address: str) -> None:
        self._control("put_down", phone=address)

    def drop_link(self) -> None:
        self._control("drop_link", lasts_ms=300)

    def recording(self, path: str) -> Path:
        return self.home / path

    def exists(self, leg: LegId) -> bool:
        return any(c["uuid"] == leg for c in self._control("channels")["channels"])
