"""Standing by: the leader's facts into our own journal and state, as they come, over its door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import aiohttp
import orjson
import structlog

from apps.config.outages import Outage
from apps.core import codec
from apps.core.codec import CodecError
from apps.core.facts import Fact
from apps.core.state import State
from apps.engine import checkpoint
from apps.engine.journal import Journal
from apps.engine.leadership import Heard, now_s
from apps.engine.recovery import recover
from apps.engine.stored import Stored

log = structlog.get_logger(__name__)

ALIVE_S = 0.8
"""A leader beats every 0.25 s (``replication.BEAT_S``)."""
SILENCE_S = 3.0
CONNECT_S = 1.0
SNAPSHOT_S = 10.0
RETRY_S = 0.1
LAST_WORDS_S = 0.05
KEEP_CURSOR_S = 5.0
MAX_FRAME = 64 << 20
GOODBYE = aiohttp.ClientWSTimeout(ws_close=0.1)  # a peer that hangs does not answer one


class OutOfStep(Exception):
    """The stream does not continue what we have."""


class Follower:
    """``state`` and ``journal`` are those of the leader, up to ``journal.last_seq``."""

    def __init__(
        self,
        journal: Journal,
        state: State,
        *,
        doors: Sequence[str],
        token: str,
        engine: str,
        replacing: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """``doors``: the other engines'. The journal is replaced or cut back inside ``replacing``."""
        self._replacing = replacing
        self.state = state
        self.term = 0
        self._journal = journal
        self._doors = list(doors)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._engine = engine
        self._session: aiohttp.ClientSession | None = None
        self._refused = Outage(log, "leader_refuses")
        self._anew = False
        self._holds = False
        self._heard_s = float("-inf")
        self._closed = False
        self._connected = False
        self._leaders_seq = 0
        self._cursor_kept_s = 0.0
        self.recorded = checkpoint.read_cursor(journal.directory)

    # --- what is known of the leader ---------------------------------------------------------------------------------

    def heard(self) -> Heard:
        alive = self._connected and now_s() - self._heard_s < ALIVE_S
        return Heard(alive=alive, holds=self._holds, closed=self._closed)

    @property
    def following(self) -> bool:
        return self._connected

    @property
    def behind(self) -> int:
        """Facts the leader has told of and we do not have."""
        return max(0, self._leaders_seq - self._journal.last_seq)

    # --- following ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled: one door after another, the one that leads for as long as it does."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session:
            self._session = session
            while True:
                answers = [await self._try(door) for door in self._doors]
                self._closed = not any(answers)
                await asyncio.sleep(RETRY_S)

    async def _try(self, door: str) -> bool:
        """Follow there for as long as it can be done. False: nobody leads there, for certain."""
        try:
            await self._follow(door)
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 503:
                self._refused.lasts(door=door, status=error.status)
            return error.status != 503
        except (aiohttp.ClientConnectorError, ConnectionRefusedError) as error:
            return not isinstance(getattr(error, "os_error", error), ConnectionRefusedError)
        except TimeoutError:
            self._say_lost(door, "silent")
            return True
        except (aiohttp.ClientError, OutOfStep, CodecError, orjson.JSONDecodeError, OSError) as error:
            self._say_lost(door, str(error) or type(error).__name__)
        except Exception:  # whatever came from there, this engine must remain able to take over
            log.exception("following_failed", door=door)
            self._anew = True
        finally:
            self._connected = False
        return False

    def _say_lost(self, door: str, detail: str) -> None:
        if self._connected:
            log.warning("leader_lost", door=door, detail=detail, seq=self._journal.last_seq)

    async def finish(self) -> None:
        """What a leader said last may still be on its way to us: until its line ends or is silent for a moment."""
        seq = -1
        while self._connected and seq != self._journal.last_seq:
            seq = self._journal.last_seq
            await asyncio.sleep(LAST_WORDS_S)

    async def _follow(self, door: str) -> None:
        assert self._session is not None
        if self._anew:
            await self._take_snapshot(door)
        epoch, seq = self._journal.tail()
        if seq != self._journal.last_seq:
            epoch, seq = self._journal.epoch, self._journal.last_seq
        url = f"{door}/facts?standby={self._engine}&after={seq}&epoch={epoch}"
        # The kernel of a process that stands still takes connections all the same.
        async with asyncio.timeout(CONNECT_S):  # not wait_for, which can swallow that we are cancelled
            socket = await self._session.ws_connect(url, max_msg_size=MAX_FRAME, timeout=GOODBYE)
        try:
            while True:
                self._take_frame(await socket.receive(timeout=SILENCE_S))
        finally:
            await socket.close()

    async def _take_snapshot(self, door: str) -> None:
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=SNAPSHOT_S)
        async with self._session.get(f"{door}/snapshot?standby={self._engine}", timeout=timeout) as reply:
            reply.raise_for_status()
            data = orjson.loads(await reply.read())
        self.state = State.from_data(data["state"])
        with self._replacing():
            recorded = checkpoint.read_cursor(self._journal.directory)
            self._journal.begin_at(data["seq"], self.state.now_ms, recorded=recorded)
            self._journal.adopt_epochs([(data["epoch"], data["seq"])])
            checkpoint.begin_anew(self._journal.directory, data["seq"], self.state)
        self._anew = False
        log.info("standby_began_anew", door=door, seq=data["seq"])

    # --- what comes --------------------------------------------------------------------------------------------------

    def _take_frame(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(f"the line ended ({frame.type.name.lower()} {frame.data})")
        message = orjson.loads(frame.data)
        self._heard_s = now_s()
        if isinstance(message, list):
            self._take_facts(message)
        elif "resync" in message:
            self._anew = True
            raise OutOfStep("the leader's journal does not go on from ours")
        else:
            self._take_beat(message)

    def _take_beat(self, beat: dict[str, Any]) -> None:
        if "hello" in beat:
            self._take_hello(beat)
        self._holds, self.term = bool(beat["holds"]), int(beat["term"])
        self._leaders_seq = int(beat["seq"])
        # The journal is pruned by it. Kept seldom: what is recorded twice counts once.
        recorded = min(int(beat["recorded"]), self._journal.last_seq)
        if recorded > self.recorded and now_s() - self._cursor_kept_s > KEEP_CURSOR_S:
            self.recorded, self._cursor_kept_s = recorded, now_s()
            checkpoint.write_cursor(self._journal.directory, recorded)

    def _take_hello(self, hello: dict[str, Any]) -> None:
        keep = int(hello["keep"])
        if keep < self._journal.last_seq:
            self._cut_back(keep)
        self._journal.adopt_epochs([(str(epoch), int(after)) for epoch, after in hello["epochs"]])
        self._connected, self._closed = True, False
        self._refused.over()
        log.info("standing_by", epoch=hello["epoch"], seq=self._journal.last_seq, leader_seq=hello["seq"])

    def _cut_back(self, seq: int) -> None:
        """Our last facts as a leader reached nobody, and the next leader went on without them."""
        with self._replacing():
            self._journal.cut_back(seq)
            checkpoint.cut_back(self._journal.directory, seq)
        if not self._journal.foldable(checkpoint.newest_seq(self._journal.directory)):
            self._anew = True
            raise OutOfStep("what led up to there is pruned")
        self.state = recover(self._journal)

    def _take_facts(self, items: list[dict[str, Any]]) -> None:
        stored = [self._read(item) for item in items]
        first = self._journal.last_seq + 1
        if [one.seq for one in stored] != list(range(first, first + len(stored))):
            self._anew = True
            raise OutOfStep(f"expected fact {first}, got {stored[0].seq} to {stored[-1].seq}")
        self._journal.copy(stored)
        self.state.fold(one.fact for one in stored)

    @staticmethod
    def _read(item: dict[str, Any]) -> Stored:
        seq, epoch = item.pop("seq"), item.pop("journal_epoch")
        fact: Fact = codec.decode(item)
        return Stored(seq, epoch, fact, orjson.dumps(item))
