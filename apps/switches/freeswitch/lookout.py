"""Is the switch's plain list what the core believes? Only a lasting difference is worth reading the switch in full.

One ``show channels`` on a lane of its own, every second or two. The list lags behind and the core's belief is
always a moment old, so a difference counts when it is there in two looks running; and one that a full reading did not
settle is not told again for a while. A look that took long proves only that somebody is short of processor, which a
full reading would make worse: it does not count, and readings stay a small part of the time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from apps.core.commands import BelievedLeg, CompareLegs
from apps.core.ids import LegId
from apps.switches.freeswitch import encode
from apps.switches.freeswitch.legs import Legs
from apps.switches.freeswitch.ports import LINK_LOST, Context, Lane
from apps.switches.freeswitch.snapshot import rows_of

log = logging.getLogger(__name__)

TELL_AGAIN_MS = 10_000
SLOW_MS = 400
PAUSE_LOOKS = 200
"""A full reading costs ten looks or so, and comes no sooner after the last than so many of them would take."""
_TALKING = frozenset({"CS_EXCHANGE_MEDIA", "CS_SOFT_EXECUTE"})
_ANSWERED = frozenset({"ACTIVE", "HELD", "UNHELD"})

Doubt = tuple[str, str]  # what is doubted, and the leg


class Lookout:
    def __init__(self, context: Context, legs: Legs, read_all: Callable[[], None]) -> None:
        self._context = context.settings
        self._ports = context.ports
        self._legs = legs
        self._read_all = read_all
        self._asked_ms: int | None = None
        self._read_ms = 0
        self._before: set[Doubt] = set()
        self._told_ms: dict[Doubt, int] = {}

    def compare(self, command: CompareLegs) -> None:
        if self._asked_ms is not None:
            return  # the switch is slow: one look at a time
        self._asked_ms = self._ports.now_ms()
        believed = {one.leg: one for one in command.believed}
        frame = encode.api("show channels as json")
        self._ports.send(frame, lambda reply: self._listed(believed, reply), Lane.READING)

    def _listed(self, believed: dict[LegId, BelievedLeg], reply: str) -> None:
        took_ms, self._asked_ms = self._ports.now_ms() - (self._asked_ms or 0), None
        rows = None if reply == LINK_LOST else rows_of(reply)
        if rows is None or took_ms > SLOW_MS:
            self._before = set()
            return
        listed = {LegId(row["uuid"]): row for row in rows if isinstance(row.get("uuid"), str)}
        doubts = {doubt for leg in believed.values() if (doubt := self._doubt(leg, listed.get(leg.leg)))}
        doubts |= {("unknown", leg) for leg, row in listed.items() if leg not in believed and self._is_ours(leg, row)}
        self._tell(doubts & self._before, took_ms)
        self._before = doubts

    def _doubt(self, believed: BelievedLeg, row: dict[str, Any] | None) -> Doubt | None:
        if row is None:
            return None if believed.new else ("gone", believed.leg)
        talks = row.get("state") in _TALKING
        if believed.talking is not None and talks is not believed.talking:
            return "talking", believed.leg
        if believed.ringing and row.get("callstate") in _ANSWERED:
            return "answered", believed.leg
        if believed.ours and row.get("application") == "socket" and not self._ports.holds(believed.leg):
            return "stranded", believed.leg
        return None

    def _is_ours(self, leg: LegId, row: dict[str, Any]) -> bool:
        """Noted here, and the core knows nothing of it; or waiting for an engine that is not us."""
        note = self._legs.get(leg)
        if note is not None:
            return note.gone is None and not note.job
        return row.get("application") == "socket" and not self._legs.is_over(leg) and not self._ports.holds(leg)

    def _tell(self, lasting: set[Doubt], took_ms: int) -> None:
        now_ms = self._ports.now_ms()
        if now_ms - self._read_ms < took_ms * PAUSE_LOOKS:
            return
        self._told_ms = {doubt: at_ms for doubt, at_ms in self._told_ms.items() if now_ms - at_ms < TELL_AGAIN_MS}
        fresh = lasting - self._told_ms.keys()
        if not fresh:
            return
        self._told_ms |= dict.fromkeys(fresh, now_ms)
        self._read_ms = now_ms
        log.warning("switch %s is not as believed: %s; reading it in full", self._context.switch, sorted(fresh)[:10])
        self._read_all()
