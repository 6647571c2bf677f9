"""Plays our side of a recorded session against the simulator, and the callers' side as the recording shows it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.dialplan import Dialplan
from apps.switches.simulator.event_socket import EventSocketServer
from apps.switches.simulator.model import Switch
from apps.switches.simulator.phones import Answering, PhoneBehaviour, PhoneBook
from tests.switches.simulator.sessions import Framer, Item, received

RECORDED_PORT = "127.0.0.1:8084"
PATIENCE_S = 8.0


@dataclass
class Replay:
    """``answering`` is what the phone a1 does; ``listens`` whether a controller accepts the call's socket."""

    items: list[Item]
    answering: Answering = Answering.AUTO
    listens: bool = True
    ignored: frozenset[str] = frozenset()
    pressed: bool = False
    heard: list[Item] = field(default_factory=list)
    uuids: dict[str, str] = field(default_factory=dict)  # recorded -> simulated

    async def run(self) -> list[Item]:
        await self._start()
        try:
            expected: list[Item] = []
            for item in self.items:
                await self._step(item, expected)
            await self._until(expected, self.items[-1])
        finally:
            await self._stop()
        return self.heard

    # --- the two sides ------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self.writers: dict[str, asyncio.StreamWriter] = {}
        self.readers: list[asyncio.Task[None]] = []
        self.outbound: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.listener = await asyncio.start_server(lambda r, w: self.outbound.put_nowait((r, w)), "127.0.0.1", 0)
        self.arrivals = f"127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"
        sock = (
            ("set", "hangup_after_bridge=false"),
            ("socket", f"{self.arrivals if self.listens else '127.0.0.1:1'} async full"),
            ("log", "WARNING socket returned"),
            ("answer", ""),
            ("playback", "tone_stream://%(500,500,440);loops=3"),
        )
        self.model = Switch(
            seed=1,
            clock=Scheduler(1_800_000_000_000),
            dialplan=Dialplan(extensions={"sock": sock}),
            profiles=("external", "internal"),
        )
        self.phones = PhoneBook(self.model, 1)
        for account in ("a1", "a2", "sup"):
            answering = self.answering if account == "a1" else Answering.AUTO
            behaviour = PhoneBehaviour(answering=answering, delay_ms=(20, 21), lines=9)
            self.phones.add(f"{account}@127.0.0.1:5090", behaviour)
        self.server = EventSocketServer(self.model, self.phones)
        await self.server.start()

    async def _stop(self) -> None:
        self.listener.close()
        for task in self.readers:
            task.cancel()
        for writer in self.writers.values():
            writer.close()
        await self.server.stop()

    async def _connected(self, conn: str) -> asyncio.StreamWriter:
        if conn not in self.writers:
            if conn == "outbound":
                reader, writer = await asyncio.wait_for(self.outbound.get(), PATIENCE_S)
            else:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            self.writers[conn] = writer
            self.readers.append(asyncio.create_task(self._read(conn, reader)))
        return self.writers[conn]

    async def _read(self, conn: str, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        began = time.monotonic()
        while data := await reader.read(65536):
            for headers, body in framer.feed(data):
                self.heard.append(received(time.monotonic() - began, conn, headers, body))
        self.heard.append(Item(time.monotonic() - began, conn, "eof"))

    # --- one item after the other -------------------------------------------------------------------------------

    async def _step(self, item: Item, expected: list[Item]) -> None:
        """What came before in the recording comes first here too; then whoever acted acts."""
        if item.kind == "eof":
            if item.conn == "outbound" and not any(i.kind == "notice" for i in expected if i.conn == "outbound"):
                await self._until(expected, item)
                self.writers["outbound"].close()
        elif item.kind == "sent":
            if item.text == "connect":
                await self._until(expected, item)
                await self._arrival(next(i for i in self.items if i.kind == "connect"))
            await self._until(expected, item)
            writer = await self._connected(item.conn)
            writer.write((self._translated(item.text) + "\n\n").encode())
        else:
            if item.conn not in self.writers:
                await self._connected(item.conn)
            if item.kind == "event":
                await self._act(item, expected)
            expected.append(item)

    async def _act(self, item: Item, expected: list[Item]) -> None:
        headers = item.headers or {}
        if headers.get("Call-Direction") == "inbound" and item.uuid not in self.uuids:
            await self._until(expected, item)
            await self._arrival(next(i for i in self.items if i.uuid == item.uuid and i.name == "CHANNEL_CREATE"))
        again = any(seen.name == item.name and seen.uuid == item.uuid for seen in expected)
        if item.name == "CHANNEL_HANGUP" and not again and self._by_far_end(item.uuid):
            await self._until(expected, item)
            channel = self.model.find(self.uuids[item.uuid])
            assert channel is not None, "hung up before its time"
            self._now(lambda: self.model.hang_up(channel, str(headers["Hangup-Cause"])))
        elif (
            headers.get("Application") == "play_and_get_digits" and item.name.endswith("COMPLETE") and not self.pressed
        ):
            await self._until(expected, item)
            self.pressed = True
            self._press_keys(item.uuid)

    def _press_keys(self, uuid: str) -> None:
        """What ended the application; the recording has the key's own event a moment later."""
        channel = self.model.find(self.uuids[uuid])
        assert channel is not None
        for item in self.items:
            if item.name == "DTMF" and item.uuid == uuid:
                self._now(lambda item=item: self.model.press(channel, str((item.headers or {})["DTMF-Digit"])))

    def _now(self, action: object) -> None:
        assert callable(action)
        self.server.time.catch_up()
        action()
        self.server.time.catch_up()

    async def _arrival(self, item: Item) -> None:
        headers = item.headers or {}
        if item.uuid in self.uuids:
            return
        channel = None

        def arrive() -> None:
            nonlocal channel
            channel = self.model.arrive(
                destination=headers["Caller-Destination-Number"],
                caller_number=headers["Caller-Caller-ID-Number"],
                caller_name=headers["Caller-Caller-ID-Name"],
            )

        self._now(arrive)
        assert channel is not None
        self.uuids[item.uuid] = channel.uuid

    def _by_far_end(self, uuid: str) -> bool:
        """The recording's last word on the channel says who hung up."""
        if uuid not in self.uuids:
            return False
        for item in self.items:
            if item.uuid == uuid and item.name == "CHANNEL_HANGUP_COMPLETE":
                return (item.headers or {}).get("variable_sip_hangup_disposition", "").startswith("recv_bye")
        return False

    def _translated(self, text: str) -> str:
        for recorded, simulated in self.uuids.items():
            text = text.replace(recorded, simulated)
        return text

    # --- waiting ------------------------------------------------------------------------------------------------

    def _count(self, items: list[Item], translate: bool) -> Counter[tuple[str, str, str]]:
        counted: Counter[tuple[str, str, str]] = Counter()
        for item in items:
            if (
                item.kind == "event"
                and item.name not in self.ignored
                and f"{item.conn} {item.name}" not in self.ignored
            ):
                uuid = self.uuids.get(item.uuid, item.uuid) if translate else item.uuid
                counted[item.conn, item.name, uuid] += 1
            elif item.kind in ("reply", "connect", "plain", "notice"):
                counted[item.conn, item.kind, ""] += 1
        return counted

    async def _until(self, expected: list[Item], before: Item) -> None:
        deadline = time.monotonic() + PATIENCE_S
        wanted = self._count(expected, translate=True)
        while missing := wanted - self._count(self.heard, translate=False):
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"missing before {before.at_s} {before.kind} {before.name or before.text}: {missing}"
                )
            await asyncio.sleep(0.002)
