"""Where this process's pages meet the engine's state. One per web process, on its event loop.

Pages are fed from memory alone: neither Redis nor the database is asked once a page is open.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

import structlog

from apps.config.outages import Outage
from apps.core.agents.machine import AgentState
from apps.core.events import AgentConnectionLost, AgentConnectionRestored, MediaReady, Request
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
from apps.live.open_pages import OpenPages, Page
from apps.live.outcomes import Outcomes
from apps.live.presence import Presence, Seat
from apps.live.session_watch import SessionWatch
from apps.live.tv_view import tv_view
from apps.live.views_of_state import View, wall_view
from apps.live.watch_list import WatchList
from apps.queues.scope import Scope
from apps.reports.day.rules import Rules

log = structlog.get_logger(__name__)

HEARTBEAT_S = 1.0
PAGE_GONE_S = 1.0
"""A page that is loaded anew, or whose line broke, is back by then; one that crashed is not."""
EVERY_AGENT = (ConfigApplied, DeviceStateChanged, SwitchConnected, SwitchDisconnected)
"""Facts that may show on any agent's page; others show only on the pages of the agents they name."""


class Hub:
    def __init__(self, url: str, token: str, watch_list: WatchList) -> None:
        self.client = EngineClient(url, token, self._on_engine)
        self.pages = OpenPages(self.client)
        self.outcomes = Outcomes(self.client)
        self.presence = Presence()
        self._untold = Outage(log, "presence_not_told", "presence_told")
        self.day = DayFeed(self.client.now_ms)
        self.alarms = FloorAlarms()
        self.loop = asyncio.get_running_loop()
        self._watch_list = watch_list
        self.presence.resume(watch_list.read(), self.loop.time())
        self._touched: set[AgentId] | None = set()  # None: all of them
        self._publish_soon = False
        self._leaving: set[asyncio.Task[None]] = set()
        self._tasks = [asyncio.create_task(self.client.run()), asyncio.create_task(self._beat())]
        self._tasks.append(asyncio.create_task(SessionWatch(self.pages.all).run()))

    async def stop(self) -> None:
        self.day.stop()
        self.alarms.stop()
        for task in [*self._tasks, *self._leaving]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- pages come and go ---

    def open_agent(self, seat: Seat, page: Page) -> None:
        self.presence.beat(seat, self.loop.time())
        self.pages.open_agent(seat, page, lambda state: agent_view(state, seat.tenant, seat.agent))

    def open_wall(self, tenant: TenantId, page: Page, scope: Scope | None = None) -> None:
        """``scope``: what this page is confined to."""
        self.pages.open_wall("wall", (tenant, scope), page, lambda state: self.floor_view(state, tenant, scope))

    def open_tv(self, tenant: TenantId, page: Page) -> None:
        self.pages.open_wall("tv", (tenant, "tv"), page, lambda state: tv_view(self.floor_view(state, tenant)))

    def floor_view(self, state: State, tenant: TenantId, scope: Scope | None = None) -> View:
        """The engine's state and today's figures; alarms are those that deserve a look (``floor_alarms``)."""
        alarms = self.alarms.view(tenant, scope)
        return {**wall_view(state, tenant, scope), **self.day.view(tenant, scope), "alarms": alarms}

    def page_left(self, seat: Seat, page_id: str) -> None:
        """A page of an agent closed. If it had the sound and does not come back, nobody hears the caller now."""
        task = asyncio.create_task(self._sound_lost(seat, page_id))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _sound_lost(self, seat: Seat, page_id: str) -> None:
        await asyncio.sleep(PAGE_GONE_S)
        agent = self.client.state.agents.get(seat.agent) if self.client.state is not None else None
        back = any(page.page_id == page_id for page in self.pages.of_agent(seat))
        if back or agent is None or not agent.media_ready or agent.media_page != page_id:
            return
        request = MediaReady(**_by_us(seat), ready=False, epoch=agent.media_epoch)
        try:
            await self.client.send([request])
        except (EngineUnreachable, EngineRefused) as error:
            log.warning("lost_sound_not_told", error=str(error))  # presence tells it soon

    def expel_user(self, user_id: str) -> None:
        """Close every page of a user who signed off."""
        for page in self.pages.all():
            if page.user_id == user_id:
                page.expel()

    # --- what the engine tells ---

    def _on_engine(self, facts: Sequence[Fact] | None) -> None:
        if facts is None:
            self.day.begin(self.client.epoch, self.client.seq)
            self._touched = None
            self.outcomes.take_from(self.client.state)
        else:
            self.day.take(self.client.seq, facts)
            self.alarms.take(facts)
            for fact in facts:
                self._take(fact)
        if not self._publish_soon:
            self._publish_soon = True
            # One turn of the loop later: all frames already here become one update.
            self.loop.call_soon(self._publish_all)

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, RequestDone):
            self.outcomes.take(fact.cmd_id, "", "")
        elif isinstance(fact, RequestRefused):
            self.outcomes.take(fact.cmd_id, fact.code, fact.reason)
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
                for seat in self.pages.seats()
                if (agent := agents.get(seat.agent)) is not None and agent.call == fact.call
            }
        return set()

    def _publish_all(self) -> None:
        self._publish_soon = False
        touched, self._touched = self._touched, set()
        self.pages.publish_agents(touched)
        self.pages.publish_walls()

    # --- once a second ---

    async def _beat(self) -> None:
        last_s = self.loop.time()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            late_s, last_s = self.loop.time() - last_s - HEARTBEAT_S, self.loop.time()
            if late_s > HEARTBEAT_S:
                self.presence.excuse(late_s, last_s)
            try:
                await self._each_second(last_s)
            except Exception:  # whatever is wrong with one floor, every page of this process lives by this
                log.exception("beat_failed")

    async def _each_second(self, now_s: float) -> None:
        self.pages.beat()
        self.outcomes.forget_old(now_s)
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
        self.pages.publish_walls()

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
            self._untold.over()
        except (EngineUnreachable, EngineRefused) as error:
            self._untold.lasts(error=str(error))  # told again while the states disagree

    def _agent_state(self, seat: Seat) -> AgentState | None:
        agent = self.client.state.agents.get(seat.agent) if self.client.state is not None else None
        return agent.state if agent is not None and agent.tenant == seat.tenant else None


def _presence_request(seat: Seat, present: bool) -> Request:
    kind = AgentConnectionRestored if present else AgentConnectionLost
    return kind(**_by_us(seat))


def _by_us(seat: Seat) -> dict[str, Any]:
    """The fields that a request about an agent has when no person asks it."""
    return {"tenant": seat.tenant, "agent": seat.agent, "actor": "system", "cmd_id": f"presence-{secrets.token_hex(8)}"}


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of this process, started with the first page. Call it on the event loop."""
    global _hub
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        from django.conf import settings

        watch_list = WatchList(settings.STATE_DIR / "live_watch_list.json")
        _hub = Hub(settings.ENGINE_URL, settings.ENGINE_TOKEN, watch_list)
    return _hub


def running() -> Hub | None:
    """The hub of this process, if it has one whose loop runs. From any thread."""
    return _hub if _hub is not None and _hub.loop.is_running() else None
