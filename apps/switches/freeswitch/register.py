"""Reading and changing global variables of a FreeSWITCH from an asyncio loop: where two engines agree who leads.

A connection of its own, apart from the driver's: an engine that stands by has no driver, and a leader's word that it
lives must not wait behind the commands of its calls.
"""

from __future__ import annotations

import asyncio
from collections import deque

from apps.switches.freeswitch import clean, encode
from apps.switches.freeswitch.fence import read
from apps.switches.freeswitch.framing import Framer, Message, ProtocolError


class RegisterAway(ConnectionError):
    """The switch cannot be asked just now."""


class Register:
    """Every method connects if need be and raises ``RegisterAway``, at the latest after ``timeout_s``."""

    def __init__(self, host: str, port: int, password: str, *, timeout_s: float = 0.5) -> None:
        self._address = (host, port)
        self._password = password
        self._timeout_s = timeout_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._framer = Framer()
        self._ready: deque[Message] = deque()

    async def get(self, name: str) -> str:
        """ "" when the variable is not set."""
        return read((await self._ask([f"global_getvar {name}"]))[0])

    async def swap(self, name: str, expected: str, value: str) -> str:
        """Set it if it is ``expected`` (anything, when that is empty); what it is now."""
        compared = f"={clean.ident(expected)}" if expected else ""
        setting = f"global_setvar {name}={clean.ident(value)}{compared}"
        return read((await self._ask([setting, f"global_getvar {name}"]))[1])

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _ask(self, commands: list[str]) -> list[str]:
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._writer is None:
                    await self._connect()
                return [reply.body.decode("utf-8", "replace") for reply in await self._exchange(commands)]
        except (OSError, TimeoutError, ProtocolError) as error:  # a closed connection is an OSError too
            self.close()
            raise RegisterAway(str(error) or type(error).__name__) from error
        except BaseException:
            self.close()  # cancelled half-way: the next reply would be that to an older question
            raise

    async def _connect(self) -> None:
        self._framer, self._ready = Framer(), deque()
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        await self._next("auth/request")
        self._writer.write(encode.auth(self._password))
        if not (await self._next("command/reply")).headers.get("Reply-Text", "").startswith("+OK"):
            raise ConnectionError("the switch refuses our password")

    async def _exchange(self, commands: list[str]) -> list[Message]:
        assert self._writer is not None
        self._writer.write(b"".join(map(encode.api, commands)))
        return [await self._next("api/response") for _ in commands]

    async def _next(self, kind: str) -> Message:
        assert self._reader is not None
        while True:
            while self._ready:
                message = self._ready.popleft()
                if message.content_type == kind:
                    return message
                if message.content_type in ("text/rude-rejection", "text/disconnect-notice"):
                    raise ConnectionError("the switch does not let us in")
            data = await self._reader.read(65_536)
            if not data:
                raise ConnectionError("the switch closed the connection")
            self._ready.extend(self._framer.feed(data))
