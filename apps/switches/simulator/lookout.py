"""Is the switch's plain list what the core believes? As the FreeSWITCH driver's lookout, looking at the model.

A difference that is there in two looks running is worth a full reading, and is not told again for a while.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.core.commands import BelievedLeg
from apps.core.ids import LegId
from apps.switches.simulator.channel import Channel, Controller
from apps.switches.simulator.model import Switch
from apps.switches.simulator.sockets import is_stranded

TELL_AGAIN_MS = 10_000
Doubt = tuple[str, str]  # what is doubted, and the leg


class Lookout:
    def __init__(self, model: Switch, driver: Controller, read_all: Callable[[], None]) -> None:
        self._model, self._driver, self._read_all = model, driver, read_all
        self._before: set[Doubt] = set()
        self._told_ms: dict[Doubt, int] = {}

    def compare(self, legs: tuple[BelievedLeg, ...]) -> None:
        believed = {one.leg: one for one in legs}
        listed = {LegId(channel.uuid): channel for channel in self._model.listed()}
        doubts = {doubt for leg in legs if (doubt := self._doubt(leg, listed.get(leg.leg)))}
        doubts |= {("unknown", leg) for leg, row in listed.items() if leg not in believed and self._is_ours(row)}
        lasting, self._before = doubts & self._before, doubts
        now_ms = self._model.clock.now_ms
        self._told_ms = {doubt: at_ms for doubt, at_ms in self._told_ms.items() if now_ms - at_ms < TELL_AGAIN_MS}
        fresh = lasting - self._told_ms.keys()
        if fresh:
            self._told_ms |= dict.fromkeys(fresh, now_ms)
            self._read_all()

    def _doubt(self, believed: BelievedLeg, channel: Channel | None) -> Doubt | None:
        if channel is None:
            return None if believed.new else ("gone", believed.leg)
        talks = channel.bridged_to is not None
        if believed.talking is not None and talks is not believed.talking:
            return "talking", believed.leg
        if believed.ringing and channel.answered:
            return "answered", believed.leg
        if believed.ours and is_stranded(channel, self._driver):
            return "stranded", believed.leg
        return None

    def _is_ours(self, channel: Channel) -> bool:
        """Dialled or tagged by an engine, and the core knows nothing of it; or waiting for one that is not us."""
        return channel.alive and ("trunkline_call" in channel.variables or is_stranded(channel, self._driver))
