"""The alarms of one floor: raised, acknowledged, cleared. Pure; rows and screens are others' work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apps.reports.alarms.conditions import AT_ONCE, CRITICAL, DELAYS, MISSED, Condition
from apps.reports.alarms.hysteresis import Hysteresis

RECENT_MS = 60 * 60_000
"""Raised again within this time, an alarm says how often: one that comes and goes is another than one that came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Somebody put an alarm aside: until then it makes no noise, even if it is raised anew (ISA-18.2 "shelved")."""

    alarm_id: str
    until_ms: int
    by: str = ""
    reason: str = ""

    def shown(self) -> dict[str, Any]:
        return {"shelved_until_ms": self.until_ms, "shelved_by": self.by, "shelved_why": self.reason}


@dataclass(slots=True, kw_only=True)
class Alarm:
    """One that stands. Acknowledging it silences it; only its condition clears it."""

    kind: str
    subject: str
    raised_ms: int
    name: str = ""
    detail: str = ""
    value: float | None = None
    acked_by: str = ""
    acked_ms: int | None = None
    note: str = ""
    times: int = 1
    """How often it was raised within ``RECENT_MS``, this time included."""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.subject}"

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id, "kind": self.kind, "subject": self.subject, "name": self.name, "detail": self.detail,
            "value": self.value, "since_ms": self.raised_ms, "critical": self.kind in CRITICAL,
            "acked_by": self.acked_by, "acked_ms": self.acked_ms, "note": self.note,
            "times": self.times,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """For history: ``cleared_ms`` is None when the alarm was raised."""

    alarm: Alarm
    cleared_ms: int | None = None


@dataclass(slots=True)
class AlarmWatch:
    alarms: dict[str, Alarm] = field(default_factory=dict)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    """By the alarm's id, whether or not it stands."""
    _watched: dict[str, Hysteresis] = field(default_factory=dict)
    _raised: dict[str, deque[int]] = field(default_factory=dict)
    """When each alarm was raised lately."""

    def resume(self, standing: Iterable[Alarm], raised: Iterable[tuple[str, int]] = ()) -> None:
        """Alarms that an earlier process raised, with who acknowledged them, and when any was ``raised`` lately."""
        for alarm_id, at_ms in raised:
            self._raised.setdefault(alarm_id, deque()).append(at_ms)
        for alarm in standing:
            self.alarms[alarm.id] = alarm
            self._watched[alarm.id] = Hysteresis(raised_ms=alarm.raised_ms)
            alarm.times = max(1, len(self._raised.get(alarm.id, ())))

    def shown(self) -> dict[str, dict[str, Any]]:
        """By id, those on a shelf with why."""
        shelves = {key: shelf.shown() for key, shelf in self.shelves.items()}
        return {key: {**alarm.shown(), **shelves.get(key, {})} for key, alarm in self.alarms.items()}

    def step(self, seen: Iterable[Condition], now_ms: int, *, all_seen: bool = True) -> list[Change]:
        """Look at the floor once; call it about once a second. Returns what was raised and what was cleared.

        Without ``all_seen`` what is not among ``seen`` stays as it is: nobody knows.
        """
        self._forget(now_ms)
        changes = []
        looked_at = set()
        for condition in seen:
            looked_at.add(condition.id)
            changes += self._look(condition, now_ms)
        for gone in sorted(self._watched.keys() - looked_at) if all_seen else ():
            changes += self._gone(gone, now_ms)
        return changes

    def acknowledge(self, alarm_id: str, by: str, note: str, now_ms: int) -> Alarm | None:
        """Somebody looks after it; None when it no longer stands."""
        alarm = self.alarms.get(alarm_id)
        if alarm is not None:
            alarm.acked_by, alarm.acked_ms, alarm.note = by, now_ms, note
        return alarm

    def _look(self, condition: Condition, now_ms: int) -> list[Change]:
        watched = self._watched.setdefault(condition.id, Hysteresis())
        delays = DELAYS.get(condition.kind, AT_ONCE)
        alarm = self.alarms.get(condition.id)
        good = condition.good or (condition.kind == MISSED and alarm is not None and alarm.acked_ms is not None)
        bad = condition.bad and not good
        if watched.step(bad, good, delays, now_ms):
            if watched.raised_ms is None:
                return [Change(self.alarms.pop(condition.id), now_ms)]
            alarm = self.alarms[condition.id] = self._raise(condition, now_ms)
            changes = [Change(alarm)]
        else:
            changes = []
        if alarm is not None:
            alarm.name, alarm.detail, alarm.value = condition.name, condition.detail, condition.value
        elif watched.quiet:
            del self._watched[condition.id]
        return changes

    def _raise(self, condition: Condition, now_ms: int) -> Alarm:
        raised = self._raised.setdefault(condition.id, deque())
        raised.append(now_ms)
        return Alarm(kind=condition.kind, subject=condition.subject, raised_ms=now_ms, times=len(raised))

    def _forget(self, now_ms: int) -> None:
        """Shelves that are over, and what was raised long ago."""
        for key in [key for key, shelf in self.shelves.items() if shelf.until_ms <= now_ms]:
            del self.shelves[key]
        for key, raised in list(self._raised.items()):
            while raised and raised[0] <= now_ms - RECENT_MS:
                raised.popleft()
            if not raised:
                del self._raised[key]

    def _gone(self, alarm_id: str, now_ms: int) -> list[Change]:
        """No longer part of what is watched (a queue deleted, the engine's alarm cleared): as good as well."""
        watched, alarm = self._watched[alarm_id], self.alarms.get(alarm_id)
        if alarm is not None and alarm.kind == MISSED and alarm.acked_ms is None:
            return []
        delays = DELAYS.get(alarm.kind, AT_ONCE) if alarm is not None else AT_ONCE
        watched.step(bad=False, good=True, delays=delays, now_ms=now_ms)
        if watched.raised_ms is not None:
            return []
        del self._watched[alarm_id]
        return [Change(self.alarms.pop(alarm_id), now_ms)] if alarm is not None else []
