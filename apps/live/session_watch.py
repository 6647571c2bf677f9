"""Open pages whose session, or whose right to what they show, has ended meanwhile: found by asking every few seconds.

Whoever ends a session in this process may close its pages at once (``from_threads.expel_user``); this finds all others:
ended by another process, run out, a new password, a disabled agent, another team.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError

from apps.accounts.models import User
from apps.accounts.sessions import live_users, touch
from apps.config.outages import Outage

log = structlog.get_logger(__name__)

CHECK_S = 5.0


class WatchedPage(Protocol):
    session_key: str
    """Empty for a page that needs no session: a screen on a wall."""

    def stands(self, users: Mapping[str, User]) -> bool:
        """Whether it may stay open; ``users`` by the sessions that count. Reads the database."""

    def expel(self) -> None:
        """Close: the session behind this page has ended, or another right came with it."""


class SessionWatch:
    def __init__(self, pages: Callable[[], Iterable[WatchedPage]]) -> None:
        self._pages = pages
        self._outage = Outage(log, "sessions_not_checked", "sessions_checked")

    async def run(self) -> None:
        """For ever. With the database away pages stay: nobody is cut off from a call for that."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self.check()
                self._outage.over()
            except DatabaseError as error:
                self._outage.lasts(error=str(error).strip())
            except Exception:
                log.exception("sessions_not_checked")

    async def check(self) -> None:
        pages = list(self._pages())
        if pages:
            for page in await database_sync_to_async(_withdrawn)(pages):
                page.expel()


def _withdrawn(pages: Sequence[WatchedPage]) -> list[WatchedPage]:
    """The pages to close. An open page counts as use of its session."""
    users = live_users({page.session_key for page in pages if page.session_key})
    touch(users)
    return [page for page in pages if not page.stands(users)]
