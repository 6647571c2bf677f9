"""One Event Socket connection: ours to the switch (inbound), or the one a call's ``socket`` application opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from apps.switches.simulator import api, frames, headers, sockets
from apps.switches.simulator.channel import Channel, Job, Message
from apps.switches.simulator.frames import Command
from apps.switches.simulator.subscription import Subscription

if TYPE_CHECKING:
    from apps.switches.simulator.event_socket import EventSocketServer

log = logging.getLogger(__name__)

SPEAK_WITHIN_S = 25
UNREAD_LIMIT = 64 * 1024 * 1024
NEEDS_NO_AUTH = frozenset({"auth", "userauth", "exit"})


class Connection(asyncio.Protocol):
    def __init__(self, server: EventSocketServer, channel: Channel | None = None, host: str = "") -> None:
        self.server = server
        self.model = server.model
        self.channel = channel  # outbound: the call it belongs to
        self.host = host
        self.subscription = Subscription()
        self.authenticated = channel is not None
        self.linger_s: int | None = None
        self.lost = False
        self.diverts = False  # this call's keys come here and nowhere else
        self._reader = frames.CommandReader()
        self._transport: asyncio.Transport | None = None
        self._waits_for: str = ""  # the job an ``api originate`` blocks on
        self._behind: list[Command] = []
        self._silence: asyncio.TimerHandle | None = None
        self._handlers: dict[str, Callable[[Command, str], None]] = {
            "api": self._api,
            "auth": self._auth,
            "bgapi": self._bgapi,
            "connect": self._connect,
            "divert_events": self._divert,
            "event": self._event,
            "exit": self._exit,
            "filter": self._filter,
            "getvar": self._getvar,
            "linger": self._linger,
            "log": lambda command, rest: self.reply("+OK log level  [7]"),
            "myevents": self._myevents,
            "nixevent": self._nixevent,
            "noevents": self._noevents,
            "nolinger": self._nolinger,
            "nolog": lambda command, rest: self.reply("+OK no longer logging"),
            "resume": self._resume,
            "sendmsg": self._sendmsg,
            "userauth": lambda command, rest: self.reply("-ERR invalid"),
        }

    # --- asyncio ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.server.link_dropped and self.channel is None:
            self._transport.abort()
            return
        self.server.add(self)
        if self.channel is None:
            self.write(frames.AUTH_REQUEST)
        else:
            self._silence = asyncio.get_running_loop().call_later(SPEAK_WITHIN_S, self.close)

    def data_received(self, data: bytes) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        self.server.time.catch_up()
        try:
            commands = self._reader.feed(data)
        except frames.TooLong:
            log.warning("a command of more than %d bytes: connection closed", frames.LONGEST_COMMAND)
            self.close()
            return
        for command in commands:
            self.handle(command)
        self.server.time.catch_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._silence is not None:
            self._silence.cancel()
        self.server.remove(self)
        if self.channel is not None:
            self.server.time.catch_up()
            sockets.controller_gone(self.model, self.channel, self)
            self.server.time.catch_up()

    # --- Controller: what the model tells the far end of a call's socket ------------------------------------------

    def attached(self, channel: Channel) -> None:
        """It finds out by itself: it says ``connect``."""

    def hung_up(self, channel: Channel) -> None:
        """Told by the event (``channel_ended``), which comes earlier."""

    def channel_ended(self) -> None:
        assert self.channel is not None
        about = {"Controlled-Session-UUID": self.channel.uuid}
        if self.linger_s is None:
            self.write(frames.notice({**about, "Content-Disposition": "disconnect"}, frames.GOODBYE))
            self.close()
            return
        lingering = {"Content-Disposition": "linger", "Channel-Name": headers.quote(self.channel.name)}
        if self.linger_s:
            lingering["Linger-Time"] = str(self.linger_s)
            asyncio.get_running_loop().call_later(self.linger_s, self.close)
        self.write(frames.notice({**about, **lingering}))

    # --- writing ------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNREAD_LIMIT:
            log.warning("a consumer does not read: connection closed")
            transport.abort()
            return
        transport.write(data)

    def reply(self, text: str, extra: dict[str, str] | None = None) -> None:
        self.write(frames.reply(text, extra))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- commands -----------------------------------------------------------------------------------------------

    def handle(self, command: Command) -> None:
        if self._waits_for:
            self._behind.append(command)  # an ``api`` blocks its connection (ES:2329)
            return
        word, _, rest = command.line.partition(" ")
        handler = self._handlers.get(word.lower())
        if handler is None or (not self.authenticated and word.lower() not in NEEDS_NO_AUTH):
            self.reply("-ERR command not found")
        else:
            handler(command, rest)

    def _auth(self, command: Command, rest: str) -> None:
        if rest == self.server.password:
            self.authenticated = True
            self.reply("+OK accepted")
        else:
            self.reply("-ERR invalid")
            self.close()

    def _exit(self, command: Command, rest: str) -> None:
        self.reply("+OK bye")
        self.write(frames.notice({}, frames.GOODBYE))
        self.close()

    def _connect(self, command: Command, rest: str) -> None:
        if self.channel is None:
            self.reply("-ERR command not found")
            return
        data = self.server.render("CHANNEL_DATA", self.channel, {})
        for name, value in list(data.items()):
            if name.startswith("Caller-"):
                data[f"Channel-{name.removeprefix('Caller-')}"] = value
        lines = headers.as_plain(data).decode().rstrip("\n")
        ending = "Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"
        self.write(f"{lines}\n{ending}".encode())

    def _event(self, command: Command, rest: str) -> None:
        if self.subscription.add(rest):
            self.reply(f"+OK event listener enabled {self.subscription.format}")
        else:
            self.reply("-ERR no keywords supplied")

    def _nixevent(self, command: Command, rest: str) -> None:
        self.reply("+OK events nixed" if self.subscription.remove(rest) else "-ERR no keywords supplied")

    def _noevents(self, command: Command, rest: str) -> None:
        active = self.subscription.active
        self.subscription.clear()
        self.subscription.active = False
        self.reply("+OK no longer listening for events" if active else "-ERR not listening for events")

    def _myevents(self, command: Command, rest: str) -> None:
        words = rest.split()
        if "json" in words:
            self.subscription.format = "json"
        uuid = self.channel.uuid if self.channel is not None else next(iter(words), "")
        if self.channel is None and self.model.find(uuid) is None:
            self.reply("-ERR invalid uuid")
            return
        self.subscription.my_events(uuid)
        self.reply("+OK Events Enabled")

    def _divert(self, command: Command, rest: str) -> None:
        if self.channel is None:
            self.reply("-ERR not controlling a session.")
        else:
            self.diverts = rest.strip() == "on"
            self.reply("+OK events diverted" if self.diverts else "+OK events not diverted")

    def _filter(self, command: Command, rest: str) -> None:
        self.reply(self.subscription.filter(rest))

    def _linger(self, command: Command, rest: str) -> None:
        if self.channel is None:
            self.reply("-ERR not controlling a session")
            return
        self.linger_s = int(rest) if rest.strip().isdecimal() else 0
        self.reply(f"+OK will linger {self.linger_s} seconds" if self.linger_s else "+OK will linger")

    def _nolinger(self, command: Command, rest: str) -> None:
        self.linger_s = None
        self.reply("+OK will not linger" if self.channel is not None else "-ERR not controlling a session")

    def _resume(self, command: Command, rest: str) -> None:
        """The dialplan goes on when the socket closes, as it does without; by way of a reset."""
        if self.channel is None:
            self.reply("-ERR not controlling a session")
        else:
            self.channel.resumes = True
            self.reply("+OK")

    def _getvar(self, command: Command, rest: str) -> None:
        if self.channel is None:
            self.reply("-ERR command not found")
        else:
            self.reply(self.channel.variables.get(rest.strip(), ""))

    def _sendmsg(self, command: Command, rest: str) -> None:
        uuid = rest.strip()
        channel = self.model.find(uuid) if uuid else self.channel
        if channel is None or not channel.alive:
            self.reply(f"-ERR invalid session id [{uuid}]")
            return
        fields = command.headers
        self.reply("+OK")
        if fields.get("call-command") == "hangup":
            self.model.executor.send_hangup(channel, fields.get("hangup-cause") or "NORMAL_CLEARING")
        elif fields.get("call-command") == "execute":
            argument = command.body if command.body else fields.get("execute-app-arg", "")
            message = Message(
                app=fields.get("execute-app-name", ""),
                data=argument,
                uuid=fields.get("event-uuid", ""),
                locked=fields.get("event-lock") == "true",
            )
            self.model.executor.send(channel, message)

    def _command(self, rest: str) -> tuple[str, str]:
        self.server.on_command(rest.strip())
        name, _, argument = rest.strip().partition(" ")
        return api.expanded(self.model, name, argument)

    def _api(self, command: Command, rest: str) -> None:
        name, argument = self._command(rest)
        if name == "originate":
            self._waits_for = self.model.new_uuid()
            self.server.waiting[self._waits_for] = self
            self.model.originate(argument, Job(self._waits_for, name, argument))
        else:
            self.write(frames.api_response(api.run(self.model, name, argument)))

    def job_done(self, body: str) -> None:
        """The ``api originate`` this connection blocked on is over."""
        self._waits_for = ""
        self.write(frames.api_response(body))
        behind, self._behind = self._behind, []
        for command in behind:
            self.handle(command)

    def _bgapi(self, command: Command, rest: str) -> None:
        uuid = command.headers.get("job-uuid") or self.model.new_uuid()
        self.reply(f"+OK Job-UUID: {uuid}", {"Job-UUID": uuid})
        name, argument = self._command(rest)
        job = Job(uuid, name, argument)
        if name == "originate":
            self.model.clock.after(1, lambda: self.model.originate(argument, job))
        else:
            self.model.clock.after(1, lambda: self.model.job_done(job, api.run(self.model, name, argument)))
