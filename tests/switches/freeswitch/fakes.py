"""The driver's logic without a world: what it sends, emits and waits for lies open to a test."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from apps.core.events import SwitchEvent
from apps.core.ids import LegId, SwitchId, TrunkId
from apps.switches.freeswitch.control import Control
from apps.switches.freeswitch.ports import Context, Counters, Lane, Then
from apps.switches.freeswitch.settings import FreeSwitchSettings

SETTINGS = FreeSwitchSettings(
    switch=SwitchId("1"),
    password="secret",
    sounds_dir="/srv/sounds",
    recordings_dir="/srv/rec",
    gateways={"telco": TrunkId("5")},
)


@dataclass
class FakePorts:
    sent: list[str] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)  # of ``sent``
    emitted: list[SwitchEvent] = field(default_factory=list)
    held: set[LegId] = field(default_factory=set)
    closed: list[LegId] = field(default_factory=list)
    now: int = 1_000_000
    _thens: list[Then | None] = field(default_factory=list)
    _timers: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    _tokens: int = 0

    def send(self, frame: bytes, then: Then | None = None, lane: Lane = Lane.CALLS) -> None:
        self.sent.append(frame.decode())
        self.lanes.append(lane)
        self._thens.append(then)

    def later(self, delay_ms: int, act: Callable[[], None]) -> None:
        self._timers.append((self.now + delay_ms, act))

    def now_ms(self) -> int:
        return self.now

    def token(self) -> str:
        self._tokens += 1
        return f"token-{self._tokens}"

    def emit(self, event: SwitchEvent) -> None:
        self.emitted.append(event)

    def holds(self, leg: LegId) -> bool:
        return leg in self.held

    def close_arrival(self, leg: LegId) -> None:
        self.held.discard(leg)
        self.closed.append(leg)

    def release_arrival(self, leg: LegId, then: Callable[[], None]) -> None:
        self.held.discard(leg)
        then()

    # --- for the test ---

    def reply(self, text: str = "+OK") -> None:
        """Answer the oldest command that has no reply yet."""
        then = self._thens.pop(0)
        if then is not None:
            then(text)

    def reply_all(self, text: str = "+OK") -> None:
        while self._thens:
            self.reply(text)

    def pass_ms(self, ms: int) -> None:
        self.now += ms
        due = [act for at, act in self._timers if at <= self.now]
        self._timers = [(at, act) for at, act in self._timers if at > self.now]
        for act in due:
            act()

    def take(self) -> list[SwitchEvent]:
        """What was emitted since the last time."""
        taken, self.emitted = self.emitted, []
        return taken

    def commands(self) -> list[str]:
        """First line of each command sent since the last time, with an application's name and argument (no token)."""
        taken, self.sent = self.sent, []
        return [_brief(frame) for frame in taken]


def _brief(frame: str) -> str:
    head, _, body = frame.partition("\n\n")
    first, *rest = head.split("\n")
    app = next((row.split(":")[1] for row in rest if row.startswith("execute-app-name")), "")
    sound = re.sub(r"^{t=token-\d+,?", "{", body).removeprefix("{}")
    return " ".join(part for part in (first.split(" ")[0] if app else first, app, sound) if part)


def control(settings: FreeSwitchSettings = SETTINGS) -> tuple[Control, FakePorts]:
    ports = FakePorts()
    return Control(Context(settings=settings, ports=ports, counters=Counters())), ports
