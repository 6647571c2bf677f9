"""A loopback port for tests and the demo: one JSON object a line in, one a line out.

``{"do": "call", "number": "13800138000", "did": "4001", "keys": "1"}`` answers ``{"ok": true, "uuid": "…"}``; what
cannot be done answers ``{"ok": false, "error": "…"}``. ``{"do": "help"}`` lists what there is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from apps.switches.simulator.channel import Channel
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.people import CallerPlan, Callers
from apps.switches.simulator.phones import Answering, PhoneBook

log = logging.getLogger(__name__)

LONGEST_LINE = 1024 * 1024
Answer = dict[str, Any]


class Refused(Exception):
    """What was asked for cannot be done; the message says why."""


class Control:
    def __init__(self, server: EventSocketServer, phones: PhoneBook, callers: Callers) -> None:
        self.server = server
        self.model = server.model
        self.phones = phones
        self.callers = callers
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._do: dict[str, Callable[[Answer], Answer]] = {
            "behave": self._behave,
            "call": self._call,
            "callers": self._callers,
            "channels": self._channels,
            "drop_link": self._drop_link,
            "gateway": self._gateway,
            "hang_up": self._hang_up,
            "help": self._help,
            "phones": self._phones,
            "pick_up": self._pick_up,
            "press": self._press,
            "put_down": self._put_down,
            "register": self._register,
        }

    async def start(self, port: int = 0) -> None:
        self._listener = await asyncio.start_server(self._talk, "127.0.0.1", port, limit=LONGEST_LINE)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self.answer(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("control connection ended: %s", error)
        finally:
            writer.close()

    def answer(self, line: bytes | str) -> Answer:
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict) or asked.get("do") not in self._do:
                raise Refused(f"say {{'do': …}} with one of {', '.join(self._do)}")
            self.server.time.catch_up()
            answered = self._do[asked["do"]](asked)
            self.server.time.catch_up()
            return {"ok": True, **answered}
        except (Refused, ValueError, TypeError, KeyError) as error:
            return {"ok": False, "error": str(error) or type(error).__name__}

    # --- callers ------------------------------------------------------------------------------------------------

    def _call(self, asked: Answer) -> Answer:
        fields = {name: value for name, value in asked.items() if name != "do"}
        for name in ("number", "did"):
            if not isinstance(fields.get(name), str):
                raise Refused(f"a call needs a {name}")
        channel = self.callers.place(CallerPlan(**fields))
        if not channel.alive:
            raise Refused("the switch is full")
        return {"uuid": channel.uuid}

    def _callers(self, asked: Answer) -> Answer:
        if "per_minute" in asked:
            self.callers.crowd = replace(self.callers.crowd, per_minute=float(asked["per_minute"]))
        if "at_most" in asked:
            self.callers.crowd = replace(self.callers.crowd, at_most=int(asked["at_most"]))
        if "running" in asked:
            self.callers.stop()
            if asked["running"]:
                self.callers.start(rush=int(asked.get("rush", 0)))
        return {"running": self.callers.running, "placed": self.callers.placed, "calling": len(self.callers)}

    def _find(self, asked: Answer) -> Channel:
        for channel in self.model.channels.values():
            if channel.alive and (channel.uuid == asked.get("uuid") or channel.caller_number == asked.get("number")):
                return channel
        raise Refused("no such channel")

    def _hang_up(self, asked: Answer) -> Answer:
        channel = self._find(asked)
        self.model.hang_up(channel, asked.get("cause", "NORMAL_CLEARING"))
        return {"uuid": channel.uuid}

    def _press(self, asked: Answer) -> Answer:
        channel = self._find(asked)
        for digit in str(asked["digit"]):
            self.model.press(channel, digit)
        return {"uuid": channel.uuid}

    # --- phones -------------------------------------------------------------------------------------------------

    def _pick_up(self, asked: Answer) -> Answer:
        if not self.phones.pick_up(asked["phone"]):
            raise Refused("that phone does not ring")
        return {}

    def _put_down(self, asked: Answer) -> Answer:
        if not self.phones.put_down(asked["phone"]):
            raise Refused("that phone is in no call")
        return {}

    def _register(self, asked: Answer) -> Answer:
        self.phones.register(asked["phone"], bool(asked["registered"]))
        return {}

    def _behave(self, asked: Answer) -> Answer:
        phone = self.phones.phones.get(asked["phone"]) or self.phones.add(asked["phone"])
        changes: dict[str, Any] = {}
        if "answering" in asked:
            changes["answering"] = Answering(asked["answering"])
        for name in ("delay_ms", "talk_ms"):
            if name in asked:
                changes[name] = None if asked[name] is None else (int(asked[name][0]), int(asked[name][1]))
        phone.behaviour = replace(phone.behaviour, **changes)
        return {}

    def _phones(self, asked: Answer) -> Answer:
        listed = {}
        for phone in self.phones.phones.values():
            live = [c for c in phone.channels if c.alive]
            state = "talking" if any(c.answered for c in live) else "ringing" if live else "idle"
            listed[phone.address] = {
                "registered": phone.registered,
                "answering": phone.behaviour.answering.value,
                "state": state,
                "channels": [c.uuid for c in live],
            }
        return {"phones": listed}

    # --- the switch ---------------------------------------------------------------------------------------------

    def _channels(self, asked: Answer) -> Answer:
        return {"channels": [_described(channel) for channel in self.model.channels.values()]}

    def _drop_link(self, asked: Answer) -> Answer:
        self.server.drop_link(int(asked.get("lasts_ms", 0)))
        return {}

    def _gateway(self, asked: Answer) -> Answer:
        self.model.set_gateway(asked["name"], bool(asked["up"]))
        return {}

    def _help(self, asked: Answer) -> Answer:
        return {"do": sorted(self._do)}


def _described(channel: Channel) -> Answer:
    peer = channel.bridged_to
    return {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "number": channel.caller_number,
        "destination": channel.destination,
        "state": channel.state,
        "answered": channel.answered,
        "application": channel.apps[-1].name if channel.apps else "",
        "application_data": channel.apps[-1].data if channel.apps else "",
        "bridged_to": peer.uuid if peer is not None else None,
        "recording": list(channel.recordings),
        "masked": [path for path, recording in channel.recordings.items() if recording.masked_ms is not None],
        "muted": channel.muted,
        "held": bool(channel.held_ms),
        "tones_heard": channel.tones_heard,
        "controlled": channel.controller is not None,
        "variables": {k: v for k, v in channel.variables.items() if k.startswith("trunkline_")},
    }
