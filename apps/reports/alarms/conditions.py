"""What is wrong on a floor at this moment, read from what the wall shows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.reports.alarms.hysteresis import Delays

View = Mapping[str, Mapping[str, Mapping[str, Any]]]

LONGEST_WAIT, SERVICE_LEVEL, UNSTAFFED = "longest_wait", "sl30", "queue_unserved"
TRUNK_DOWN, TRUNK_USE, ENGINE, RECORDING, MISSED = "trunk_down", "trunk_use", "engine", "recording_failed", "missed"
WEBHOOK_FAILING, WEBHOOK_OFF = "webhook_failing", "webhook_off"

_S = 1000
DELAYS: dict[str, Delays] = {
    LONGEST_WAIT: Delays(5 * _S, 10 * _S),
    SERVICE_LEVEL: Delays(60 * _S, 120 * _S),
    UNSTAFFED: Delays(5 * _S, 10 * _S),
    TRUNK_DOWN: Delays(2 * _S, 10 * _S),
    TRUNK_USE: Delays(30 * _S, 60 * _S),
    ENGINE: Delays(3 * _S, 10 * _S),
    RECORDING: Delays(3 * _S, 10 * _S),
    MISSED: Delays(0, 0),
}
AT_ONCE = Delays(0, 0)
"""What the engine itself raises has been thought about there."""

CRITICAL = frozenset({UNSTAFFED, TRUNK_DOWN, ENGINE, RECORDING, "switch_down", "disk_full", "journal_failed"})
SL_COUNTED = 10
"""Fewer waits than this in half an hour say nothing about a service level."""
MISSED_LIMIT = 3
MOST_SUBJECT = 100
"""Characters; as many as a row holds."""
USE_RAISE, USE_CLEAR = 0.85, 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """``bad`` raises, ``good`` clears; with neither, things stay as they are."""

    kind: str
    subject: str
    bad: bool
    good: bool
    name: str = ""  # of the queue, trunk or agent
    detail: str = ""
    value: float | None = None
    since_ms: int | None = None  # when the engine saw it first

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """``view`` is the wall's: queues, agents, trunks, alarms of the engine, figures."""

    view: View
    now_ms: int
    engine_reachable: bool
    alarm_wait_ms: int = 60_000
    missed: Mapping[str, int] = field(default_factory=dict)  # by agent, in the last ten minutes


def conditions(floor: Floor) -> Iterator[Condition]:
    """Everything that is watched of this floor, whether or not it is wrong."""
    yield Condition(kind=ENGINE, subject="", bad=not floor.engine_reachable, good=floor.engine_reachable)
    if not floor.engine_reachable:
        return  # what we have is old: nothing else can be said
    for queue in floor.view.get("queues", {}).values():
        yield from _queue(floor, queue)
    for trunk in floor.view.get("trunks", {}).values():
        yield from _trunk(trunk)
    for agent, count in floor.missed.items():
        yield _missed(floor, agent, count)
    yield from _raised_by_the_engine(floor)


def _queue(floor: Floor, queue: Mapping[str, Any]) -> Iterator[Condition]:
    subject, name = str(queue["id"]), str(queue["name"])
    oldest_ms = queue["oldest_ms"]
    waited_ms = floor.now_ms - oldest_ms if oldest_ms is not None else 0
    yield Condition(
        kind=LONGEST_WAIT, subject=subject, name=name, value=waited_ms // 1000,
        bad=waited_ms >= floor.alarm_wait_ms, good=waited_ms <= floor.alarm_wait_ms // 2,
    )  # fmt: skip
    alone = queue["waiting"] > 0 and queue["staffed"] == 0
    yield Condition(kind=UNSTAFFED, subject=subject, name=name, value=queue["waiting"], bad=alone, good=not alone)
    figures = floor.view.get("figures", {}).get(subject)
    if figures is not None:
        yield _service_level(subject, name, figures)


def _service_level(subject: str, name: str, figures: Mapping[str, Any]) -> Condition:
    value, counted, target = figures["sl30"]["value"], figures["sl30"]["of"], figures["target"]
    judged = value is not None and counted >= SL_COUNTED
    return Condition(
        kind=SERVICE_LEVEL, subject=subject, name=name, value=value,
        bad=judged and value < target - 0.10, good=not judged or value >= target - 0.05,
    )  # fmt: skip


def _trunk(trunk: Mapping[str, Any]) -> Iterator[Condition]:
    subject, name, up = str(trunk["id"]), str(trunk["name"]), trunk["up"]
    detail = str(trunk.get("detail", ""))
    yield Condition(kind=TRUNK_DOWN, subject=subject, name=name, detail=detail, bad=up is False, good=up is True)
    used, most = trunk.get("used"), trunk.get("max")
    if used is not None and most:
        share = used / most
        # A trunk that is down carries nothing: its own alarm says so.
        yield Condition(
            kind=TRUNK_USE, subject=subject, name=name, value=share,
            bad=up is not False and share >= USE_RAISE, good=up is False or share <= USE_CLEAR,
        )  # fmt: skip


def _missed(floor: Floor, agent: str, count: int) -> Condition:
    """Cleared by whoever takes it on, see ``AlarmWatch.acknowledge``."""
    name = str(floor.view.get("agents", {}).get(agent, {}).get("name", agent))
    return Condition(kind=MISSED, subject=agent, name=name, value=count, bad=count >= MISSED_LIMIT, good=False)


def _raised_by_the_engine(floor: Floor) -> Iterator[Condition]:
    ours = {TRUNK_DOWN, UNSTAFFED}  # watched above, with the patience that they need
    for alarm in floor.view.get("alarms", {}).values():
        if alarm["kind"] not in ours:
            yield Condition(
                kind=alarm["kind"], subject=_subject(alarm["subject"]), detail=str(alarm["detail"]),
                bad=True, good=False, since_ms=alarm["since_ms"],
            )  # fmt: skip


def _subject(text: Any) -> str:
    """Fit to be kept, and so the same here, in the rows and on the screens: a number called is as a trunk sent it."""
    return str(text).replace("\x00", "\N{REPLACEMENT CHARACTER}")[:MOST_SUBJECT]
