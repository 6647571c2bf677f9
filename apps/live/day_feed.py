"""Today's figures in this web process: counted once from PostgreSQL, then moved by the engine's facts.

The two meet without a gap and without counting twice: facts that come while PostgreSQL is read are kept with their
numbers; the read is taken only when history holds everything up to the number at which the stream began, and of the
kept facts those count that are newer than the newest in history. Both sides are one snapshot of the database.

Where live and recount could disagree, and how they come together again:
- the recorder lags or PostgreSQL is away: the last figures stay, marked old, until the read is in step;
- this process or the engine restarts, the stream breaks: the count begins anew as above;
- the formula, a threshold or a time zone changes: the same (looked at every few seconds);
- facts that PostgreSQL refused (the recorder keeps them in ``refused.jsonl``): the next new beginning leaves them out
  as history does. One is made at least once an hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.db import Error, connection

from apps.config.outages import Outage
from apps.core.facts import Fact
from apps.queues.scope import Scope
from apps.reports import recount
from apps.reports.day.figures import figures, works
from apps.reports.day.rules import Rules
from apps.reports.day.today import Today

log = structlog.get_logger(__name__)

RETRY_S = 0.5
AWAY_RETRY_S = 3.0
RULES_S = 5.0
ANEW_S = 3600.0
MOST_KEPT = 200_000

Base = tuple[Today, int]
"""The day as history has it, and the number of the newest fact in it."""
Read = Callable[[str, int, int], "Base | None"]


def read_base(epoch: str, seq: int, now_ms: int) -> Base | None:
    """The day from PostgreSQL; None while history has not yet come to ``seq``. Blocks; for a thread."""
    try:
        if recount.position(epoch) < seq:
            return None
        with recount.one_moment():
            return recount.count_today(now_ms, recount.read_rules()), recount.position(epoch)
    finally:
        connection.close()


def read_rules() -> Rules:
    try:
        return recount.read_rules()
    finally:
        connection.close()


class DayFeed:
    """Call everything on the event loop."""

    def __init__(self, now_ms: Callable[[], int], read: Read = read_base) -> None:
        self.today: Today | None = None
        self.in_step = False
        """False while the shown figures are those of before a break."""
        self._now_ms = now_ms
        self._read = read
        self._epoch, self._seq = "", 0
        self._counted = 0
        self._kept: list[tuple[int, Fact]] | None = None
        self._begun_s = time.monotonic()
        self._outage = Outage(log, "day_feed_database_away", "day_feed_database_back")
        self._catching_up: asyncio.Task[None] | None = None
        self._rules_watch = asyncio.create_task(self._watch_rules())
        self._shown: dict[tuple[int, Scope | None], tuple[int, dict[str, Any]]] = {}

    def stop(self) -> None:
        for task in (self._catching_up, self._rules_watch):
            if task is not None:
                task.cancel()

    # --- from the engine's stream ---

    def begin(self, epoch: str, seq: int) -> None:
        """The stream goes on after this fact: count the day anew up to it."""
        self.in_step = False
        self._epoch, self._seq = epoch, seq
        self._kept = []
        self._begun_s = time.monotonic()
        if self._catching_up is not None:
            self._catching_up.cancel()
        self._catching_up = asyncio.create_task(self._catch_up(epoch, seq))

    def take(self, last_seq: int, facts: Sequence[Fact]) -> None:
        """The facts that end with number ``last_seq``."""
        self._seq = last_seq
        numbered = list(enumerate(facts, last_seq - len(facts) + 1))
        if self._kept is None:
            self._fold(numbered)
            return
        self._kept += numbered
        if len(self._kept) > MOST_KEPT:
            log.warning("day_feed_behind", kept=len(self._kept))
            self.begin(self._epoch, last_seq)

    def _fold(self, numbered: Sequence[tuple[int, Fact]]) -> None:
        """The recorder may have been ahead of the stream: what history had already counts once."""
        if self.today is not None:
            for seq, fact in numbered:
                if seq > self._counted:
                    self.today.fold(fact)

    async def _catch_up(self, epoch: str, seq: int) -> None:
        while True:
            try:
                base = await asyncio.to_thread(self._read, epoch, seq, self._now_ms())
            except (Error, OSError) as error:
                self._outage.lasts(error=str(error).strip())
                await asyncio.sleep(AWAY_RETRY_S)
                continue
            except Exception:  # without figures the wall still shows who waits
                log.exception("day_feed_not_counted")
                await asyncio.sleep(AWAY_RETRY_S)
                continue
            self._outage.over()
            if base is not None:
                self._swap(*base)
                return
            await asyncio.sleep(RETRY_S)

    def _swap(self, today: Today, position: int) -> None:
        kept, self._kept = self._kept or [], None
        self.today, self.in_step, self._counted = today, True, position
        self._shown.clear()
        self._fold(kept)
        log.info("day_feed_in_step", position=position, folded=len(kept))

    async def _watch_rules(self) -> None:
        """Rows that change how things are counted, and a new beginning once in a while."""
        while True:
            await asyncio.sleep(RULES_S)
            try:
                rules = await asyncio.to_thread(read_rules)
            except (Error, OSError):
                continue  # said where the day is read
            except Exception:
                log.exception("day_feed_rules_not_read")
                continue
            old = time.monotonic() - self._begun_s > ANEW_S
            if self.in_step and self.today is not None and (rules != self.today.rules or old):
                self.begin(self._epoch, self._seq)

    # --- for the screens ---

    def view(self, tenant: str, scope: Scope | None = None) -> dict[str, Any]:
        """The kinds ``figures``, ``quarters`` and ``works`` of the wall; all empty until the day was read once.

        ``scope``: the queues that are shown and added up, and the agents who are shown; without, all of them.
        """
        if self.today is None or not tenant.isdecimal():
            return {"figures": {}, "quarters": {}, "works": {}}
        key, now_ms = int(tenant), self._now_ms()
        second = now_ms // 1000
        if key in self.today.changed:
            self.today.changed.discard(key)
            self._shown = {shown: kept for shown, kept in self._shown.items() if shown[0] != key}
        at, view = self._shown.get((key, scope), (0, {}))
        if at != second:
            self.today.forget(now_ms)
            view = figures(self.today, key, now_ms, scope.queue_keys if scope is not None else None)
            self._shown[key, scope] = (second, view)
        total = {**view["figures"]["total"], "in_step": self.in_step}  # a copy: what was shown stays as it was
        agents = scope.agent_keys if scope is not None else None
        figured = {**view["figures"], "total": total}
        return {**view, "figures": figured, "works": works(self.today, key, now_ms, agents)}
