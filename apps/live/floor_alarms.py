"""The alarms of every floor, looked at once a second in this web process, kept as rows in the background."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.db import Error, connection

from apps.config.outages import Outage
from apps.core.facts import Fact, OfferEnded, OfferOutcome
from apps.queues.scope import Scope
from apps.reports import alarm_rows, alarm_sources
from apps.reports.alarms.conditions import (
    LONGEST_WAIT,
    MISSED,
    SERVICE_LEVEL,
    UNSTAFFED,
    Condition,
    Floor,
    View,
    conditions,
)
from apps.reports.alarms.watch import Alarm, AlarmWatch, Change, Shelf

log = structlog.get_logger(__name__)

SAVE_S = 1.0
REFRESH_S = 5.0
AWAY_RETRY_S = 3.0
MISSED_MS = 10 * 60_000
ABOUT_AGENTS = frozenset({MISSED, "device_invalid", "agent_help", "pause_over"})
ABOUT_QUEUES = frozenset({LONGEST_WAIT, SERVICE_LEVEL, UNSTAFFED, "cannot_match"})


def concerns(kind: str, subject: str, scope: Scope | None) -> bool:
    """Whether an alarm is for whoever is confined to ``scope``. What is about neither agent nor queue: yes."""
    if scope is not None and kind in ABOUT_AGENTS:
        return subject in scope.agents
    return scope is None or kind not in ABOUT_QUEUES or subject in scope.queues


def may_shelve(kind: str, subject: str, scope: Scope | None) -> bool:
    """What is everybody's (a trunk, the engine) is put aside for everybody: only by who reaches everybody."""
    return scope is None or (kind in ABOUT_AGENTS | ABOUT_QUEUES and concerns(kind, subject, scope))


class FloorAlarms:
    """Call everything on the event loop. PostgreSQL away: alarms are raised all the same, and written down later."""

    def __init__(self) -> None:
        self._floors: dict[int, AlarmWatch] = {}
        self._missed: dict[str, deque[int]] = {}  # by agent
        self._unsaved: list[tuple[int, Change]] = []
        self._resumed = False
        self._others: dict[int, list[Condition]] | None = None  # of ``alarm_sources``, by tenant
        self._outage = Outage(log, "alarms_not_kept", "alarms_kept_again")
        self._task = asyncio.create_task(self._keep_rows())

    def stop(self) -> None:
        self._task.cancel()

    def take(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, OfferEnded) and fact.outcome is OfferOutcome.NO_ANSWER:
                self._missed.setdefault(fact.agent, deque(maxlen=20)).append(fact.at_ms)

    def look(self, tenant: str, view: View, now_ms: int, engine_reachable: bool, alarm_wait_ms: int) -> None:
        """Look at one tenant's floor as its wall shows it."""
        if not tenant.isdecimal() or not self._resumed:
            return
        floor = Floor(
            view=view, now_ms=now_ms, engine_reachable=engine_reachable, alarm_wait_ms=alarm_wait_ms,
            missed=self._missed_of(view, now_ms),
        )  # fmt: skip
        others = (self._others or {}).get(int(tenant), [])
        all_seen = engine_reachable and self._others is not None
        changes = self._watch(int(tenant)).step([*conditions(floor), *others], now_ms, all_seen=all_seen)
        self._unsaved += [(int(tenant), change) for change in changes]
        for change in changes:
            word = "alarm_raised" if change.cleared_ms is None else "alarm_cleared"
            log.info(word, tenant=tenant, kind=change.alarm.kind, subject=change.alarm.subject)

    def view(self, tenant: str, scope: Scope | None = None) -> dict[str, dict[str, Any]]:
        """The alarms that stand and concern whoever is confined to ``scope``."""
        watch = self._floors.get(int(tenant)) if tenant.isdecimal() else None
        standing = watch.shown() if watch is not None else {}
        return {key: item for key, item in standing.items() if concerns(item["kind"], item["subject"], scope)}

    def acknowledged(self, tenant: int, alarm: Alarm) -> None:
        """Somebody took it on, here or in another web process."""
        standing = self._watch(tenant).alarms.get(alarm.id)
        if standing is not None:
            standing.acked_by, standing.acked_ms, standing.note = alarm.acked_by, alarm.acked_ms, alarm.note

    def shelved(self, tenant: int, alarm_id: str, shelf: Shelf | None) -> None:
        """Somebody put it aside; None: took it back."""
        shelves = self._watch(tenant).shelves
        if shelf is not None:
            shelves[alarm_id] = shelf
        else:
            shelves.pop(alarm_id, None)

    def _watch(self, tenant: int) -> AlarmWatch:
        return self._floors.setdefault(tenant, AlarmWatch())

    def _missed_of(self, view: View, now_ms: int) -> dict[str, int]:
        counts = {}
        for agent in view.get("agents", {}):
            times = self._missed.get(agent)
            while times and times[0] <= now_ms - MISSED_MS:
                times.popleft()
            if times:
                counts[agent] = len(times)
        return counts

    # --- rows ---

    async def _keep_rows(self) -> None:
        refreshed_s = 0.0
        while True:
            try:
                if not self._resumed or refreshed_s >= REFRESH_S:
                    kept = await asyncio.to_thread(_in_thread, alarm_rows.read)
                    self._others = await asyncio.to_thread(_in_thread, alarm_sources.read)
                    self._refresh(kept)
                    refreshed_s = 0.0
                if self._unsaved:
                    saving = list(self._unsaved)
                    await asyncio.to_thread(_in_thread, alarm_rows.keep, saving)
                    del self._unsaved[: len(saving)]
                self._outage.over()
            except (Error, OSError) as error:
                self._outage.lasts(error=str(error).strip(), unsaved=len(self._unsaved))
                self._resumed = True  # better alarms without their past than none
                await asyncio.sleep(AWAY_RETRY_S)
            except Exception:  # one row that cannot be read must not end all alarms of this process
                log.exception("alarms_not_kept")
                await asyncio.sleep(AWAY_RETRY_S)
            await asyncio.sleep(SAVE_S)
            refreshed_s += SAVE_S

    def _refresh(self, kept: dict[int, alarm_rows.Kept]) -> None:
        for tenant in self._floors.keys() | kept.keys():
            found = kept.get(tenant, alarm_rows.Kept())
            if not self._resumed:
                self._watch(tenant).resume(found.standing, found.raised)
            for alarm in found.standing:
                if alarm.acked_ms is not None:
                    self.acknowledged(tenant, alarm)
            self._watch(tenant).shelves = {shelf.alarm_id: shelf for shelf in found.shelves}
        self._resumed = True


def _in_thread(work: Any, *arguments: Sequence[Any]) -> Any:
    try:
        return work(*arguments)
    finally:
        connection.close()
