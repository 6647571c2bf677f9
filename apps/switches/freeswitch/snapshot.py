"""Reading the switch: all its channels, the dump of each, the registered devices; then one ``SwitchSnapshot``.

``show`` lags (it missed calls up to 226 ms old and showed ghosts up to 188 ms, **live**): asking twice is the
engine's business.

A reading also finds the stranded: calls that wait in the ``socket`` application for an engine that was killed before
they had parked (see ``arrivals``). Nothing else ever frees them, so they are brought in again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from apps.core.events import SnapshotLeg, SwitchSnapshot
from apps.core.ids import LegId, TrunkId
from apps.switches.freeswitch import clean, decode, encode
from apps.switches.freeswitch.framing import parse_json
from apps.switches.freeswitch.ports import LINK_LOST, Context, Lane

log = logging.getLogger(__name__)

STRANDED_MS = 900


def rows_of(reply: str) -> list[dict[str, Any]] | None:
    """The rows of a ``show … as json``; none are left out by the switch altogether. None: no answer to rely on."""
    try:
        table = parse_json(reply.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    rows = table.get("rows", [])
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


class SnapshotReader:
    """One reading at a time; what is asked for meanwhile is one more reading after it."""

    def __init__(
        self, context: Context, adopt: Callable[[decode.Headers], None], forget: Callable[[frozenset[str]], None]
    ) -> None:
        self._settings = context.settings
        self._ports = context.ports
        self._adopt = adopt
        self._forget = forget
        self._running = False
        self._again = False
        self._outstanding = 0
        self._present: frozenset[str] = frozenset()
        self._legs: list[SnapshotLeg] = []
        self._others: list[LegId] = []
        self._registered: tuple[str, ...] | None = None
        self._waiting: dict[LegId, int] = {}  # in the socket application but with nobody, first seen so
        self._still_waiting: dict[LegId, int] = {}

    def request(self) -> None:
        if self._running:
            self._again = True
            return
        self._running = True
        self._legs = []
        self._others = []
        self._registered = None
        self._still_waiting = {}
        self._outstanding = 1
        self._ports.send(encode.api("show registrations as json"), self._devices, Lane.READING)
        for gateway, trunk in self._settings.gateways.items():
            self._ask_trunk(gateway, trunk)
        self._ports.send(encode.api("show channels as json"), self._channels, Lane.READING)

    def _ask_trunk(self, gateway: str, trunk: TrunkId) -> None:
        """Of a trunk that neither registers nor is pinged the switch says nothing by itself."""
        try:
            frame = encode.gateway_status(gateway)
        except clean.Unsafe as error:
            log.warning("trunk %s has no usable gateway name: %s", trunk, error)
            return
        self._ports.send(frame, lambda reply: self._trunk(trunk, reply), Lane.READING)

    def _trunk(self, trunk: TrunkId, reply: str) -> None:
        told = decode.gateway_status(reply, trunk, self._settings.switch)
        if told is not None:
            self._ports.emit(told)

    def _devices(self, reply: str) -> None:
        rows = None if reply == LINK_LOST else rows_of(reply)
        if rows is None:
            log.warning("the switch did not list its registered devices")
            return
        users = (row.get("reg_user") for row in rows)
        self._registered = tuple(sorted({clean.text(user, 64) for user in users if isinstance(user, str) and user}))

    def _channels(self, reply: str) -> None:
        rows = None if reply == LINK_LOST else rows_of(reply)
        if rows is None:
            log.warning("the switch did not list its channels: no snapshot")
            self._finish(complete=False)
            return
        ids = [row["uuid"] for row in rows if isinstance(row.get("uuid"), str)]
        self._present = frozenset(ids)
        for uuid in ids:
            try:
                frame = encode.dump(uuid)
            except clean.Unsafe:
                continue  # an id with odd characters is not one of ours
            self._outstanding += 1
            self._ports.send(frame, self._dumped, Lane.READING)
        self._one_less()

    def _dumped(self, reply: str) -> None:
        if reply == LINK_LOST:
            self._finish(complete=False)  # half a list would declare the other half dead
            return
        try:
            headers = parse_json(reply.encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            headers = {}  # -ERR No such channel!: it ended meanwhile
        uuid = decode.field(headers, "Unique-ID")
        if uuid and (leg := decode.snapshot_leg(headers, self._present, self._ports.holds(LegId(uuid)))):
            self._adopt(headers)
            self._legs.append(leg)
        elif uuid:
            self._others.append(LegId(uuid))
            if decode.waits_for_engine(headers, self._settings):
                self._stranded(LegId(uuid))
        self._one_less()

    def _stranded(self, leg: LegId) -> None:
        """Twice and a while apart: a call that is just coming in looks the same."""
        now_ms = self._ports.now_ms()
        since_ms = self._waiting.get(leg, now_ms)
        if now_ms - since_ms < STRANDED_MS:
            self._still_waiting[leg] = since_ms
            return
        log.warning("call %s waits for an engine that is gone: fetching it", leg)
        self._ports.send(encode.reclaim(leg, self._settings))

    def _one_less(self) -> None:
        self._outstanding -= 1
        if self._outstanding == 0:
            self._finish(complete=True)

    def _finish(self, complete: bool) -> None:
        if not self._running:
            return
        self._running = False
        if complete:
            self._forget(self._present)
            self._waiting = self._still_waiting
            self._ports.emit(
                SwitchSnapshot(
                    switch=self._settings.switch,
                    legs=tuple(self._legs),
                    others=tuple(self._others),
                    registered=self._registered,
                )
            )
        if self._again:
            self._again = False
            self.request()
