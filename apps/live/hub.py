"""Where this process's pages meet the engine's state. One per web process, on its event loop.

Pages are fed from memory alone: neither Redis nor the database is asked once a page is open.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson
import structlog

from apps.accounts.models import User
from apps.core.agents.machine import AgentState
from apps.core.events import AgentConnectionLost, AgentConnectionRestored, AgentRequest, MediaReady, Request
from apps.core.facts import (
    AgentFact,
    CallFact,
    ConfigApplied,
    DeviceStateChanged,
    DialEnded,
    Fact,
    RequestDone,
    RequestRefused,
    SwitchConnected,
    SwitchDisconnected,
)
from apps.core.ids import AgentId, TenantId
from apps.core.state import State
from apps.live.agent_view import agent_view
from apps.live.day_feed import DayFeed
from apps.live.engine_client import EngineClient, EngineRefused, EngineUnreachable
from apps.live.floor_alarms import FloorAlarms
from apps.live.presence import Presence, Seat
from apps.live.session_watch import SessionWatch
from apps.live.topic import Topic
from apps.live.tv_view import tv_view
from apps.live.views_of_state import View, wall_view
from apps.live.watch_list import WatchList
from apps.queues.scope import Scope
from apps.reports.alarms.watch import Alarm, Shelf
from apps.reports.day.rules import Rules

log = structlog.get_logger(__name__)

HEARTBEAT_S = 1.0
PAGE_GONE_S = 1.0
"""A page that is loaded anew, or whose line broke, is back by then; one that crashed is not."""
WALL_PACE_S = 0.25
OUTCOME_WAIT_S = 30.0
EVERY_AGENT = (ConfigApplied, DeviceStateChanged, SwitchConnected, SwitchDisconnected)
"""Facts that may show on any agent's page; others show only on the pages of the agents they name."""


Floor = tuple[TenantId, Scope | str | None]
"""Which part of a tenant's floor a wall shows: some teams', all of it (None), or a screen's ("tv")."""


class Page(Protocol):
    """A socket, as the hub sees it."""

    user_id: str
    session_key: str
    page_id: str  # by which an agent's page claims the sound; "" of other pages

    def stands(self, users: Mapping[str, User]) -> bool:
        """Whether it may stay open (``session_watch``)."""

    def deliver(self, text: str) -> None:
        """Send soon; never blocks, never raises."""

    def expel(self) -> None:
        """Close: the session behind this page has ended."""


class Channel:
    """A topic, how its view is made, and the pages that follow it."""

    def __init__(self, topic: Topic, view: Callable[[State], View]) -> None:
        self.topic = topic
        self.view = view
        self.pages: set[Page] = set()
        self.published_s = float("-inf")
        self.timer: asyncio.TimerHandle | None = None


class Hub:
    def __init__(self, url: str, token: str, watch_list: WatchList) -> None:
        self.client = EngineClient(url, token, self._on_engine)
        self.presence = Presence()
        self.day = DayFeed(self.client.now_ms)
        self.alarms = FloorAlarms()
        self._loop = asyncio.get_running_loop()
        self._watch_list = watch_list
        self.presence.resume(watch_list.read(), self._loop.time())
        self._epoch = secrets.token_hex(6)
        self._agents: dict[Seat, Channel] = {}
        self._walls: dict[Floor, Channel] = {}
        self._asked: dict[str, tuple[str, Page, float]] = {}
        self._touched: set[AgentId] | None = set()  # None: all of them
        self._publish_soon = False
        self._leaving: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self.client.run()), asyncio.create_task(self._beat())]
        self._tasks.append(asyncio.create_task(SessionWatch(self._pages).run()))

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    async def stop(self) -> None:
        self.day.stop()
        self.alarms.stop()
        for task in [*self._tasks, *self._leaving]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- pages come and go ---

    def open_agent(self, seat: Seat, page: Page) -> None:
        self.presence.beat(seat, self._loop.time())
        if seat not in self._agents:
            topic = Topic("agent", self._epoch)
            self._agents[seat] = Channel(topic, lambda state: agent_view(state, seat.tenant, seat.agent))
        self._open(self._agents[seat], page)

    def open_wall(self, tenant: TenantId, page: Page, scope: Scope | None = None) -> None:
        """``scope``: what this page is confined to; pages that see the same share one view."""
        floor: Floor = (tenant, scope)
        if floor not in self._walls:
            topic = Topic("wall", self._epoch)
            self._walls[floor] = Channel(topic, lambda state: self.floor_view(state, tenant, scope))
        self._open(self._walls[floor], page)

    def open_tv(self, tenant: TenantId, page: Page) -> None:
        floor: Floor = (tenant, "tv")
        if floor not in self._walls:
            view: Callable[[State], View] = lambda state: tv_view(self.floor_view(state, tenant))  # noqa: E731
            self._walls[floor] = Channel(Topic("tv", self._epoch), view)
        self._open(self._walls[floor], page)

    def floor_view(self, state: State, tenant: TenantId, scope: Scope | None = None) -> View:
        """The engine's state and today's figures; alarms are those that deserve a look (``floor_alarms``)."""
        alarms = self.alarms.view(tenant, scope)
        return {**wall_view(state, tenant, scope), **self.day.view(tenant, scope), "alarms": alarms}

    def _open(self, channel: Channel, page: Page) -> None:
        channel.pages.add(page)
        self._publish(channel)
        self.greet(page, channel)

    def greet(self, page: Page, channel: Channel | None = None) -> None:
        """Send the page a snapshot; also the answer to a resync."""
        channel = channel or next((item for item in self._channels() if page in item.pages), None)
        if channel is not None:
            page.deliver(_text({**channel.topic.snapshot(), **self._engine_status()}))

    def close(self, page: Page) -> None:
        for channel in self._channels():
            channel.pages.discard(page)
            if not channel.pages and channel.timer is not None:
                channel.timer.cancel()
        self._agents = {key: channel for key, channel in self._agents.items() if channel.pages}
        self._walls = {key: channel for key, channel in self._walls.items() if channel.pages}

    def page_left(self, seat: Seat, page_id: str) -> None:
        """A page of an agent closed. If it had the sound and does not come back, nobody hears the caller now."""
        task = asyncio.create_task(self._sound_lost(seat, page_id))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _sound_lost(self, seat: Seat, page_id: str) -> None:
        await asyncio.sleep(PAGE_GONE_S)
        agent = self.client.state.agents.get(seat.agent) if self.client.state is not None else None
        channel = self._agents.get(seat)
        back = channel is not None and any(page.page_id == page_id for page in channel.pages)
        if back or agent is None or not agent.media_ready or agent.media_page != page_id:
            return
        request = MediaReady(**_by_us(seat), ready=False, epoch=agent.media_epoch)
        try:
            await self.client.send([request])
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("lost_sound_not_told", error=str(error))  # presence tells it soon

    def expel_user(self, user_id: str) -> None:
        """From any thread: close every page of a user who signed off."""

        def expel() -> None:
            for channel in self._channels():
                for page in [page for page in channel.pages if page.user_id == user_id]:
                    page.expel()

        self._loop.call_soon_threadsafe(expel)

    def _pages(self) -> list[Page]:
        return [page for channel in self._channels() for page in channel.pages]

    def _channels(self) -> list[Channel]:
        return [*self._agents.values(), *self._walls.values()]

    # --- requests and their outcomes ---

    async def ask(self, page: Page, cmd_id: str, request: AgentRequest) -> None:
        """Pass a request on; its outcome reaches ``page`` as a message with the page's own ``cmd_id``."""
        self._asked[request.cmd_id] = (cmd_id, page, self._loop.time())
        try:
            await self.client.send([request])
        except EngineUnreachable as error:
            self._answer(request.cmd_id, "engine_unreachable", str(error))
        except EngineRefused as error:
            self._answer(request.cmd_id, "rejected", str(error))

    def _answer(self, engine_cmd_id: str, code: str, reason: str) -> None:
        asked = self._asked.pop(engine_cmd_id, None)
        if asked is not None:
            cmd_id, page, _ = asked
            outcome = {"type": "outcome", "cmd_id": cmd_id, "ok": not code, "code": code, "reason": reason}
            page.deliver(_text(outcome))

    # --- what the engine tells ---

    def _on_engine(self, facts: Sequence[Fact] | None) -> None:
        if facts is None:
            self.day.begin(self.client.epoch, self.client.seq)
            self._touched = None
            self._answer_from_state()
        else:
            self.day.take(self.client.seq, facts)
            self.alarms.take(facts)
            for fact in facts:
                self._take(fact)
        if not self._publish_soon:
            self._publish_soon = True
            # One turn of the loop later: all frames already here become one update.
            self._loop.call_soon(self._publish_all)

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, RequestDone):
            self._answer(fact.cmd_id, "", "")
        elif isinstance(fact, RequestRefused):
            self._answer(fact.cmd_id, fact.code, fact.reason)
        elif isinstance(fact, EVERY_AGENT):
            self._touched = None
        elif self._touched is not None:
            self._touched |= self._agents_of(fact)

    def _agents_of(self, fact: Fact) -> set[AgentId]:
        """Whose page may show this fact. An agent's own call is found by the agent, so nobody is missed."""
        if isinstance(fact, AgentFact):
            return {fact.agent}
        if isinstance(fact, CallFact) and self.client.state is not None:
            agents = self.client.state.agents
            named = {fact.agent} if isinstance(fact, DialEnded) else set()
            return named | {
                seat.agent
                for seat in self._agents
                if (agent := agents.get(seat.agent)) is not None and agent.call == fact.call
            }
        return set()

    def _answer_from_state(self) -> None:
        """After a new snapshot: outcomes whose facts we did not see are in the state."""
        state = self.client.state
        for engine_cmd_id in [key for key in self._asked if state is not None and key in state.requests]:
            code = state.requests[engine_cmd_id] if state is not None else ""
            self._answer(engine_cmd_id, code, "")

    # --- publishing ---

    def _publish_all(self) -> None:
        self._publish_soon = False
        touched, self._touched = self._touched, set()
        for seat, channel in self._agents.items():
            if touched is None or seat.agent in touched:
                self._publish(channel)
        for channel in self._walls.values():
            self._publish_paced(channel)

    def _publish_paced(self, channel: Channel) -> None:
        """The first change at once, those that follow together."""
        wait_s = channel.published_s + WALL_PACE_S - self._loop.time()
        if wait_s <= 0:
            self._publish(channel)
        elif channel.timer is None:
            channel.timer = self._loop.call_later(wait_s, self._publish, channel)

    def _publish(self, channel: Channel) -> None:
        if channel.timer is not None:
            channel.timer.cancel()
            channel.timer = None
        state = self.client.state
        delta = channel.topic.advance(channel.view(state)) if state is not None else None
        if delta is not None:
            channel.published_s = self._loop.time()
            text = _text({**delta, "engine_ts": self.client.now_ms()})
            for page in list(channel.pages):
                page.deliver(text)

    def _engine_status(self) -> dict[str, Any]:
        """``loaded`` is false until the engine was reached for the first time: then there is nothing to show."""
        return {
            "engine_ts": self.client.now_ms(),
            "engine": {
                "reachable": self.client.reachable,
                "loaded": self.client.state is not None,
                "age_s": round(self.client.age_s, 1),
            },
        }

    # --- once a second ---

    async def _beat(self) -> None:
        last_s = self._loop.time()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            late_s, last_s = self._loop.time() - last_s - HEARTBEAT_S, self._loop.time()
            if late_s > HEARTBEAT_S:
                self.presence.excuse(late_s, last_s)
            try:
                await self._each_second(last_s)
            except Exception:  # whatever is wrong with one floor, every page of this process lives by this
                log.exception("beat_failed")

    async def _each_second(self, now_s: float) -> None:
        status = self._engine_status()
        for channel in self._channels():
            beat = _text({"type": "heartbeat", "epoch": self._epoch, "seq": channel.topic.seq, **status})
            for page in list(channel.pages):
                page.deliver(beat)
        for key in [key for key, (_, _, at_s) in self._asked.items() if now_s - at_s > OUTCOME_WAIT_S]:
            del self._asked[key]
        await self._tell_presence(now_s)
        self._look_at_floors()

    def _look_at_floors(self) -> None:
        """Alarms are watched whether or not a wall is open; figures of the last half hour move by the clock alone."""
        state = self.client.state
        if state is None:
            return
        rules = self.day.today.rules if self.day.today is not None else Rules()
        for tenant in state.config.tenants:
            view = {**wall_view(state, tenant), **self.day.view(tenant)}
            wait_ms = rules.of(int(tenant)).alarm_wait_ms if tenant.isdecimal() else 0
            self.alarms.look(tenant, view, self.client.now_ms(), self.client.reachable, wait_ms)
        for channel in self._walls.values():
            self._publish_paced(channel)

    async def _tell_presence(self, now_s: float) -> None:
        if not self.client.reachable:
            return
        told = self.presence.due(now_s, self._agent_state)
        self._watch_list.keep(self.presence.seats())
        requests: list[Request] = [_presence_request(seat, present) for seat, present in told]
        if not requests:
            return
        try:
            await self.client.send(requests)
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("presence_not_told", error=str(error))  # told again while the states disagree

    def _agent_state(self, seat: Seat) -> AgentState | None:
        agent = self.client.state.agents.get(seat.agent) if self.client.state is not None else None
        return agent.state if agent is not None and agent.tenant == seat.tenant else None


def _presence_request(seat: Seat, present: bool) -> Request:
    kind = AgentConnectionRestored if present else AgentConnectionLost
    return kind(**_by_us(seat))


def _by_us(seat: Seat) -> dict[str, Any]:
    """The fields that a request about an agent has when no person asks it."""
    return {"tenant": seat.tenant, "agent": seat.agent, "actor": "system", "cmd_id": f"presence-{secrets.token_hex(8)}"}


def _text(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of this process, started with the first page. Call it on the event loop."""
    global _hub
    if _hub is None or _hub._loop is not asyncio.get_running_loop():
        from django.conf import settings

        watch_list = WatchList(settings.STATE_DIR / "live_watch_list.json")
        _hub = Hub(settings.ENGINE_URL, settings.ENGINE_TOKEN, watch_list)
    return _hub


def open_pages() -> int:
    """How many pages of this process follow something. From any thread."""
    return sum(len(channel.pages) for channel in _hub._channels()) if _hub is not None else 0


def running() -> Hub | None:
    """The hub of this process, if it has one whose loop runs. From any thread."""
    return _hub if _hub is not None and _hub.loop.is_running() else None


def expel_user(user_id: str) -> None:
    """Close the open pages of a user who signed off. From any thread."""
    if (hub := running()) is not None:
        hub.expel_user(user_id)


def alarm_acknowledged(tenant: int, alarm: Alarm) -> None:
    """Show at once who takes an alarm on; other web processes see it in the rows. From any thread."""
    if (hub := running()) is not None:
        hub.loop.call_soon_threadsafe(hub.alarms.acknowledged, tenant, alarm)


def alarm_shelved(tenant: int, alarm_id: str, shelf: Shelf | None) -> None:
    """As ``alarm_acknowledged``: put aside, or taken back."""
    if (hub := running()) is not None:
        hub.loop.call_soon_threadsafe(hub.alarms.shelved, tenant, alarm_id, shelf)
