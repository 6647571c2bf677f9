"""The open pages of this process, and what is pushed to them: a snapshot each, then whatever changed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import orjson

from apps.accounts.models import User
from apps.core.ids import AgentId, TenantId
from apps.core.state import State
from apps.live.engine_client import EngineClient
from apps.live.presence import Seat
from apps.live.topic import Topic
from apps.live.views_of_state import View
from apps.queues.scope import Scope

WALL_PACE_S = 0.25

Floor = tuple[TenantId, Scope | str | None]
"""Which part of a tenant's floor a wall shows: some teams', all of it (None), or a screen's ("tv")."""
ViewOf = Callable[[State], View]


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

    def __init__(self, topic: Topic, view: ViewOf) -> None:
        self.topic = topic
        self.view = view
        self.pages: set[Page] = set()
        self.published_s = float("-inf")
        self.timer: asyncio.TimerHandle | None = None


class OpenPages:
    """Call everything on the event loop; ``count`` alone from any thread."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._epoch = secrets.token_hex(6)
        self._agents: dict[Seat, Channel] = {}
        self._walls: dict[Floor, Channel] = {}

    # --- who is here ---

    def all(self) -> list[Page]:
        return [page for channel in self._channels() for page in channel.pages]

    def count(self) -> int:
        return sum(len(channel.pages) for channel in self._channels())

    def seats(self) -> list[Seat]:
        """Of the agents who have a page."""
        return list(self._agents)

    def of_agent(self, seat: Seat) -> set[Page]:
        channel = self._agents.get(seat)
        return channel.pages if channel is not None else set()

    def _channels(self) -> list[Channel]:
        return [*self._agents.values(), *self._walls.values()]

    # --- they come and go ---

    def open_agent(self, seat: Seat, page: Page, view: ViewOf) -> None:
        if seat not in self._agents:
            self._agents[seat] = Channel(Topic("agent", self._epoch), view)
        self._open(self._agents[seat], page)

    def open_wall(self, topic: str, floor: Floor, page: Page, view: ViewOf) -> None:
        """Pages that see the same share one view."""
        if floor not in self._walls:
            self._walls[floor] = Channel(Topic(topic, self._epoch), view)
        self._open(self._walls[floor], page)

    def _open(self, channel: Channel, page: Page) -> None:
        channel.pages.add(page)
        self._publish(channel)
        self._greet(page, channel)

    def greet(self, page: Page) -> None:
        """Send the page a snapshot once more: its answer to a resync."""
        channel = next((item for item in self._channels() if page in item.pages), None)
        if channel is not None:
            self._greet(page, channel)

    def _greet(self, page: Page, channel: Channel) -> None:
        page.deliver(text({**channel.topic.snapshot(), **self._engine_status()}))

    def close(self, page: Page) -> None:
        for channel in self._channels():
            channel.pages.discard(page)
            if not channel.pages and channel.timer is not None:
                channel.timer.cancel()
        self._agents = {key: channel for key, channel in self._agents.items() if channel.pages}
        self._walls = {key: channel for key, channel in self._walls.items() if channel.pages}

    # --- publishing ---

    def publish_agents(self, touched: set[AgentId] | None) -> None:
        """The pages of these agents; None: of all."""
        for seat, channel in self._agents.items():
            if touched is None or seat.agent in touched:
                self._publish(channel)

    def publish_walls(self) -> None:
        """The first change at once, those that follow together."""
        for channel in self._walls.values():
            wait_s = channel.published_s + WALL_PACE_S - self._loop.time()
            if wait_s <= 0:
                self._publish(channel)
            elif channel.timer is None:
                channel.timer = self._loop.call_later(wait_s, self._publish, channel)

    def _publish(self, channel: Channel) -> None:
        if channel.timer is not None:
            channel.timer.cancel()
            channel.timer = None
        state = self._client.state
        delta = channel.topic.advance(channel.view(state)) if state is not None else None
        if delta is not None:
            channel.published_s = self._loop.time()
            told = text({**delta, "engine_ts": self._client.now_ms()})
            for page in list(channel.pages):
                page.deliver(told)

    def beat(self) -> None:
        """A heartbeat to every page, with the number that it should have come to."""
        status = self._engine_status()
        for channel in self._channels():
            told = text({"type": "heartbeat", "epoch": self._epoch, "seq": channel.topic.seq, **status})
            for page in list(channel.pages):
                page.deliver(told)

    def _engine_status(self) -> dict[str, Any]:
        """``loaded`` is false until the engine was reached for the first time: then there is nothing to show."""
        return {
            "engine_ts": self._client.now_ms(),
            "engine": {
                "reachable": self._client.reachable,
                "loaded": self._client.state is not None,
                "age_s": round(self._client.age_s, 1),
            },
        }


def text(message: dict[str, Any]) -> str:
    """A message as it goes over a socket."""
    return orjson.dumps(message).decode()
