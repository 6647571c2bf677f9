"""Face two: the model in real time behind a TCP port that speaks Event Socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from apps.switches.simulator import frames, headers, sockets
from apps.switches.simulator.channel import Channel
from apps.switches.simulator.connection import Connection
from apps.switches.simulator.model import Switch
from apps.switches.simulator.phones import PhoneBook
from apps.switches.simulator.realtime import RealTime

log = logging.getLogger(__name__)

HEARTBEAT_MS = 20_000
REGISTER_EVERY_MS = 60_000
CONNECT_TIMEOUT_S = 5.0
DEFAULT_ARRIVAL_PORT = 8084
UNDER_FAULTS = frozenset({"BACKGROUND_JOB", "DTMF"})  # besides every CHANNEL_, PLAYBACK_ and RECORD_ event


class EventSocketServer:
    """``start`` it inside a running loop; ``port`` is the real one when 0 was asked for."""

    def __init__(
        self,
        model: Switch,
        phones: PhoneBook | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        password: str = "ClueCon",
        socket_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self.model = model
        self.phones = phones
        self.host = host
        self.port = port
        self.password = password
        self.links: list[Connection] = []  # inbound
        self.sockets: dict[str, list[Connection]] = {}  # of calls, by channel
        self.waiting: dict[str, Connection] = {}
        self.link_dropped = False
        self.on_command: Callable[[str], None] = lambda command: None  # tests listen here, before it is carried out
        self._socket_timeout_s = socket_timeout_s
        self._sequence = 0
        self._server: asyncio.Server | None = None
        self._dialling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.time = RealTime(self.model.clock)
        self.model.dial = self._dial
        self.model.listeners.append(self._heard)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.model.clock.after(HEARTBEAT_MS, self._heartbeat)
        self.model.clock.after(1000, self._register)
        self._plan_drop()
        self.time.catch_up()

    async def stop(self) -> None:
        self.time.stop()
        if self._server is not None:
            self._server.close()
        for task in list(self._dialling):
            task.cancel()
        for connection in [*self.links, *(socket for held in self.sockets.values() for socket in held)]:
            connection.abort()
        if self._server is not None:
            await self._server.wait_closed()

    # --- events -------------------------------------------------------------------------------------------------

    def render(self, name: str, channel: Channel | None, extra: dict[str, str]) -> dict[str, str]:
        return headers.event(self.model, self._sequence, name, channel, extra)

    def _heard(self, name: str, channel: Channel | None, extra: dict[str, str]) -> None:
        self._sequence += 1
        if name == "BACKGROUND_JOB" and (waiting := self.waiting.pop(extra["Job-UUID"], None)) is not None:
            waiting.job_done(extra["_body"])
            return
        uuid = channel.uuid if channel is not None else ""
        subclass = extra.get("Event-Subclass", "")
        if any(c.subscription.hears(name, subclass, uuid) for c in self._reachable(uuid)):
            event = self.render(name, channel, extra)
            if name in UNDER_FAULTS or name.startswith(("CHANNEL_", "PLAYBACK_", "RECORD_")):
                self.model.faults.deliver(self.model.clock, event, self._distribute)
            else:
                self._distribute(event)
        if name == "CHANNEL_HANGUP":
            for connection in list(self.sockets.get(uuid, ())):
                connection.channel_ended()

    def _reachable(self, uuid: str) -> list[Connection]:
        """Who may hear of a channel: every link that has logged in, and the call's own sockets."""
        return [link for link in self.links if link.authenticated] + self.sockets.get(uuid, [])

    def add(self, connection: Connection) -> None:
        if connection.channel is None:
            self.links.append(connection)
        else:
            self.sockets.setdefault(connection.channel.uuid, []).append(connection)

    def remove(self, connection: Connection) -> None:
        uuid = connection.channel.uuid if connection.channel is not None else ""
        held = self.sockets.get(uuid, []) if uuid else self.links
        if connection in held:
            held.remove(connection)
        if uuid and not held:
            self.sockets.pop(uuid, None)

    def _distribute(self, event: dict[str, str]) -> None:
        name, subclass, uuid = event["Event-Name"], event.get("Event-Subclass", ""), event.get("Unique-ID", "")
        rendered: dict[str, bytes] = {}
        listening = self._reachable(uuid)
        if name == "DTMF":
            listening = [c for c in listening if c.diverts] or listening
        for connection in listening:
            wants = connection.subscription
            if not (wants.hears(name, subclass, uuid) and wants.passes(event)):
                continue
            kind = wants.format
            if kind not in rendered:
                raw = headers.as_json(event) if kind == "json" else headers.as_plain(event)
                rendered[kind] = frames.event_frame(kind, raw)
            connection.write(rendered[kind])

    def _heartbeat(self) -> None:
        model = self.model
        extra = {
            "Event-Info": "System Ready",
            "Up-Time": "0 years, 0 days, 0 hours, 0 minutes, 20 seconds, 0 milliseconds, 0 microseconds",
            "FreeSWITCH-Version": "1.11.1-release~simulator",
            "Uptime-msec": str(model.clock.now_ms - model.started_ms),
            "Session-Count": str(len(model.channels)),
            "Max-Sessions": str(model.max_sessions),
            "Session-Per-Sec": "500",
            "Session-Per-Sec-Last": "0",
            "Session-Since-Startup": str(model.sessions),
            "Session-Peak-Max": str(model.peak),
            "Heartbeat-Interval": str(HEARTBEAT_MS // 1000),
            "Idle-CPU": "99.000000",
        }
        model.emit("HEARTBEAT", None, extra)
        model.clock.after(HEARTBEAT_MS, self._heartbeat)

    def _register(self) -> None:
        """Phones register again and again; gateways tell their state once more."""
        if self.phones is not None:
            for phone in self.phones.phones.values():
                if phone.registered:
                    self.phones.announce(phone)
        for gateway in self.model.gateways:
            self.model.announce_gateway(gateway)
        self.model.clock.after(REGISTER_EVERY_MS, self._register)

    # --- the link drops -----------------------------------------------------------------------------------------

    def drop_link(self, lasts_ms: int = 0) -> None:
        """Cut every inbound connection at once, and refuse new ones for so long."""
        for connection in list(self.links):
            connection.abort()
        if lasts_ms > 0:
            self.link_dropped = True
            self.model.clock.after(lasts_ms, self._link_back)

    def _link_back(self) -> None:
        self.link_dropped = False

    def _plan_drop(self) -> None:
        delay_ms = self.model.faults.next_drop_ms()
        if delay_ms is not None:
            self.model.clock.after(delay_ms, self._drop_by_fault)

    def _drop_by_fault(self) -> None:
        self.drop_link(self.model.faults.rates.drop_lasts_ms)
        self._plan_drop()

    # --- the socket application ---------------------------------------------------------------------------------

    def _dial(self, channel: Channel, hosts: list[str]) -> None:
        task = asyncio.get_running_loop().create_task(self._dial_each(channel, hosts))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _dial_each(self, channel: Channel, hosts: list[str]) -> None:
        """The first host that accepts gets the call; when none does the dialplan goes on."""
        loop = asyncio.get_running_loop()
        for address in hosts:
            host, _, port = address.rpartition(":")
            if not host:
                host, port = port, str(DEFAULT_ARRIVAL_PORT)
            connection = Connection(self, channel, host)
            try:
                connecting = loop.create_connection(lambda c=connection: c, host, int(port))  # type: ignore[misc]
                await asyncio.wait_for(connecting, self._socket_timeout_s)
            except (OSError, ValueError, TimeoutError):
                continue
            self.time.catch_up()
            if connection.lost:
                continue
            if not sockets.accepted(self.model, channel, connection, host):
                connection.close()
            self.time.catch_up()
            return
        self.time.catch_up()
        sockets.refused(channel)
        self.time.catch_up()
