"""Alarms: raised late enough, cleared late enough, never by a tremble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import Tenant, User
from apps.reports import alarm_rows
from apps.reports.alarms.conditions import Floor, conditions
from apps.reports.alarms.watch import RECENT_MS, Alarm, AlarmWatch, Change, Shelf

NOW = 1_790_000_000_000


def view(**queue: Any) -> dict[str, Any]:
    row = {"id": "1", "name": "Service", "waiting": 0, "oldest_ms": None, "staffed": 1, **queue}
    return {"queues": {"1": row}, "trunks": {}, "agents": {}, "alarms": {}, "figures": {}}


def waiting(now_ms: int, waited_s: float) -> dict[str, Any]:
    return view(waiting=1, oldest_ms=now_ms - round(waited_s * 1000))


class Clock:
    """Looks at a floor once a second and notes what stands."""

    def __init__(self) -> None:
        self.watch, self.now_ms = AlarmWatch(), NOW
        self.raised: list[str] = []

    def seconds(self, count: int, what: Callable[[int], Any], **more: Any) -> set[str]:
        for second in range(count):
            reachable = more.get("reachable", True)
            floor = Floor(view=what(second), now_ms=self.now_ms, engine_reachable=reachable,
                          missed=more.get("missed", {}))  # fmt: skip
            changes = self.watch.step(conditions(floor), self.now_ms, all_seen=reachable)
            self.raised += [change.alarm.kind for change in changes if change.cleared_ms is None]
            self.now_ms += 1000
        return {alarm.kind for alarm in self.watch.alarms.values()}


def test_a_wait_that_trembles_around_a_minute_raises_nothing() -> None:
    clock = Clock()
    clock.seconds(120, lambda n: waiting(clock.now_ms, 61 if n % 2 else 59))
    assert clock.raised == []


def test_a_wait_of_a_minute_for_five_seconds_raises_once() -> None:
    clock = Clock()
    assert clock.seconds(5, lambda n: waiting(clock.now_ms, 60 + n)) == set()
    assert clock.seconds(1, lambda n: waiting(clock.now_ms, 65)) == {"longest_wait"}
    clock.seconds(60, lambda n: waiting(clock.now_ms, 61 if n % 2 else 59))
    assert clock.raised == ["longest_wait"]


def test_it_clears_below_half_a_minute_for_ten_seconds() -> None:
    clock = Clock()
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    assert clock.seconds(60, lambda n: waiting(clock.now_ms, 31)) == {"longest_wait"}
    assert clock.seconds(9, lambda n: waiting(clock.now_ms, 30)) == {"longest_wait"}
    clock.seconds(1, lambda n: waiting(clock.now_ms, 31))
    assert clock.seconds(10, lambda n: waiting(clock.now_ms, 5)) == {"longest_wait"}
    assert clock.seconds(1, lambda n: waiting(clock.now_ms, 6)) == set()


def test_callers_and_nobody_there() -> None:
    clock = Clock()
    alone = {"waiting": 2, "staffed": 0, "oldest_ms": NOW}
    assert clock.seconds(5, lambda n: view(**alone)) == set()
    assert clock.seconds(1, lambda n: view(**alone)) == {"queue_unserved"}
    assert clock.seconds(10, lambda n: view(**{**alone, "staffed": 1, "oldest_ms": None})) == {"queue_unserved"}
    assert clock.seconds(1, lambda n: view()) == set()


def level(value: float | None, of: int) -> dict[str, Any]:
    return {**view(), "figures": {"1": {"id": "1", "sl30": {"value": value, "met": 0, "of": of}, "target": 0.8}}}


@pytest.mark.parametrize(
    ("value", "of", "alarms"),
    [(0.69, 10, {"sl30"}), (0.69, 9, set()), (0.71, 50, set()), (None, 0, set()), (0.0, 10, {"sl30"})],
)
def test_service_level_of_half_an_hour(value: float | None, of: int, alarms: set[str]) -> None:
    clock = Clock()
    assert clock.seconds(60, lambda n: level(value, of)) == set()
    assert clock.seconds(1, lambda n: level(value, of)) == alarms


def test_service_level_clears_five_points_below_the_target() -> None:
    clock = Clock()
    clock.seconds(61, lambda n: level(0.5, 20))
    assert clock.seconds(300, lambda n: level(0.74, 20)) == {"sl30"}
    assert clock.seconds(120, lambda n: level(0.75, 20)) == {"sl30"}
    assert clock.seconds(1, lambda n: level(0.75, 20)) == set()


def trunk(up: bool | None, used: int = 0, most: int | None = None) -> dict[str, Any]:
    return {**view(), "trunks": {"7": {"id": "7", "name": "E1", "up": up, "used": used, "max": most}}}


def test_a_trunk_down_and_its_use() -> None:
    clock = Clock()
    assert clock.seconds(2, lambda n: trunk(False)) == set()
    assert clock.seconds(1, lambda n: trunk(False)) == {"trunk_down"}
    assert clock.seconds(10, lambda n: trunk(True)) == {"trunk_down"}
    assert clock.seconds(1, lambda n: trunk(True)) == set()
    assert clock.seconds(60, lambda n: trunk(None)) == set(), "a trunk nobody knows about is not down"
    assert clock.seconds(31, lambda n: trunk(True, 26, 30)) == {"trunk_use"}
    assert clock.seconds(61, lambda n: trunk(False, 26, 30)) == {"trunk_down"}, "down suppresses its channels"


def test_an_engine_out_of_reach_and_nothing_else_is_judged_meanwhile() -> None:
    clock = Clock()
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    assert clock.seconds(30, lambda n: view(), reachable=False) == {"engine", "longest_wait"}
    assert clock.seconds(11, lambda n: waiting(clock.now_ms, 5)) == set()


def test_three_missed_calls_stand_until_somebody_takes_it_on() -> None:
    clock = Clock()
    assert clock.seconds(5, lambda n: view(), missed={"4": 2}) == set()
    assert clock.seconds(1, lambda n: view(), missed={"4": 3}) == {"missed"}
    assert clock.seconds(5, lambda n: view()) == {"missed"}, "also when they are long ago"
    clock.watch.acknowledge("missed:4", "wang", "spoke with her", clock.now_ms)
    assert clock.seconds(1, lambda n: view(), missed={"4": 3}) == set()


def test_an_acknowledged_alarm_stays_listed_with_who_and_why() -> None:
    clock = Clock()
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    clock.watch.acknowledge("longest_wait:1", "王芳", "called in two more", clock.now_ms)
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    shown = clock.watch.alarms["longest_wait:1"].shown()
    assert (shown["acked_by"], shown["note"], shown["name"]) == ("王芳", "called in two more", "Service")
    assert clock.raised == ["longest_wait"]


def test_an_alarm_put_aside_stays_so_when_it_comes_anew_and_is_back_when_the_time_is_over() -> None:
    clock = Clock()
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    until_ms = clock.now_ms + 60_000
    clock.watch.shelves["longest_wait:1"] = Shelf(alarm_id="longest_wait:1", until_ms=until_ms, by="王芳", reason="fog")
    clock.seconds(20, lambda n: view())
    assert clock.watch.alarms == {}
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    shown = clock.watch.shown()["longest_wait:1"]
    assert (shown["shelved_by"], shown["shelved_why"], shown["shelved_until_ms"]) == ("王芳", "fog", until_ms)
    clock.seconds(40, lambda n: waiting(clock.now_ms, 70))
    assert "shelved_by" not in clock.watch.shown()["longest_wait:1"] and clock.watch.shelves == {}


def test_an_alarm_that_comes_and_goes_says_how_often_in_the_last_hour() -> None:
    clock = Clock()
    for _time in range(3):
        clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
        clock.seconds(12, lambda n: view())
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    assert clock.watch.shown()["longest_wait:1"]["times"] == 4
    clock.seconds(12, lambda n: view())
    clock.now_ms += RECENT_MS
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    assert clock.watch.shown()["longest_wait:1"]["times"] == 1


def test_the_engines_own_alarms_come_and_go_with_it() -> None:
    clock = Clock()
    own = {"id": "unknown_did:1", "kind": "unknown_did", "subject": "1", "detail": "4001", "since_ms": NOW}
    assert clock.seconds(1, lambda n: {**view(), "alarms": {"x": own}}) == {"unknown_did"}
    assert clock.watch.alarms["unknown_did:1"].detail == "4001"
    assert clock.seconds(1, lambda n: view()) == set()


def test_a_queue_that_is_deleted_takes_its_alarm_along_after_the_usual_while() -> None:
    clock = Clock()
    clock.seconds(8, lambda n: waiting(clock.now_ms, 70))
    gone = {**view(), "queues": {}}
    assert clock.seconds(10, lambda n: gone) == {"longest_wait"}
    assert clock.seconds(2, lambda n: gone) == set()


def test_a_restarted_web_process_goes_on_with_what_stood() -> None:
    clock = Clock()
    clock.watch.resume([Alarm(kind="longest_wait", subject="1", raised_ms=NOW - 60_000, acked_by="王芳", note="n")])
    clock.seconds(5, lambda n: waiting(clock.now_ms, 70))
    assert clock.raised == [] and clock.watch.alarms["longest_wait:1"].acked_by == "王芳"
    assert clock.seconds(11, lambda n: view()) == set()


def test_everything_calm_keeps_nothing_in_memory() -> None:
    clock = Clock()
    clock.seconds(60, lambda n: waiting(clock.now_ms, 61 if n % 2 else 10))
    clock.seconds(2, lambda n: view())
    assert clock.watch._watched == {}


@pytest.mark.django_db
def test_a_subject_of_any_length_is_kept_taken_on_and_put_aside(story: Tenant) -> None:
    """A number called is as a trunk sent it."""
    clock = Clock()
    own = {"id": "x", "kind": "unknown_did", "subject": "9\x00" * 400, "detail": "", "since_ms": NOW}
    clock.seconds(1, lambda n: {**view(), "alarms": {"x": own}})
    (alarm,) = clock.watch.alarms.values()
    alarm_rows.keep([(story.pk, Change(alarm))])
    user = User.objects.get(username="admin")
    taken = alarm_rows.acknowledge(story.pk, alarm.id, user, "mine")
    assert taken is not None and taken.id == alarm.id
    shelf = alarm_rows.shelve(story.pk, alarm.id, user, 5, "known")
    assert shelf is not None and shelf.alarm_id == alarm.id
    assert [row.id for row in alarm_rows.read()[story.pk].standing] == [alarm.id], "and so it goes on after a restart"
