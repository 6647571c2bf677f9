"""Tallies made into figures by the tenant's formulas, per queue and in total, as the wall shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.reports.day import work
from apps.reports.day.rules import TenantRules, day_start_ms, next_day_ms
from apps.reports.day.stretches import QUEUE, Ended
from apps.reports.day.tally import Tally, count_wait
from apps.reports.day.today import RECENT_MS, Today
from apps.reports.formulas.abandon_rate import abandon_rate
from apps.reports.formulas.answer_speed import average_speed_of_answer_ms
from apps.reports.formulas.handling_time import average_handling_time_ms
from apps.reports.formulas.longest_wait import longest_wait_ms
from apps.reports.formulas.service_level import WaitCounts

Entity = dict[str, Any]
TOTAL = "total"
NO_QUEUE = "none"


def figures(today: Today, tenant: int, now_ms: int, only: frozenset[int] | None = None) -> dict[str, dict[str, Entity]]:
    """``figures``: by queue id and ``total``; ``quarters``: the total by quarter of an hour, keyed by its start.

    ``only``: the queues that are shown and added up; without, all of them and what belongs to none.
    """
    rules = today.rules.of(tenant)
    start_ms = day_start_ms(now_ms, rules.time_zone)
    end_ms = next_day_ms(start_ms, rules.time_zone)
    by_queue: dict[int | None, Tally] = {}
    by_quarter: dict[int, Tally] = {}
    for key, tally in today.tallies.items():
        if key.tenant == tenant and start_ms <= key.start_ms < end_ms and _shows(only, key.queue):
            by_queue.setdefault(key.queue, Tally()).add(tally)
            by_quarter.setdefault(key.start_ms, Tally()).add(tally)
    total = Tally()
    for tally in by_queue.values():
        total.add(tally)
    recent = [item for item in today.recent.get(tenant, ())
              if now_ms - RECENT_MS < item.at_ms <= now_ms and _shows(only, item.stretch.queue)]  # fmt: skip
    waiting = [(item.queue, item.since_ms) for item in today.calls.open.values()
               if item.kind == QUEUE and item.tenant == tenant and _shows(only, item.queue)]  # fmt: skip
    shown: dict[str, Entity] = {TOTAL: _figures(TOTAL, total, _counts(today, recent), rules, waiting, now_ms)}
    for queue, tally in by_queue.items():
        counts = _counts(today, (item for item in recent if item.stretch.queue == queue))
        mine = [item for item in waiting if item[0] == queue]
        name = NO_QUEUE if queue is None else str(queue)
        shown[name] = _figures(name, tally, counts, rules, mine, now_ms)
        shown[name]["threshold_ms"] = today.rules.threshold_ms(queue)
    quarters = {str(at_ms): _quarter(at_ms, tally, rules) for at_ms, tally in sorted(by_quarter.items())}
    return {"figures": shown, "quarters": quarters}


def works(today: Today, tenant: int, now_ms: int, only: frozenset[int] | None = None) -> dict[str, Entity]:
    """What the tenant's agents did today, by agent; ``only``: those who are shown."""
    return work.shown(today.works, tenant, day_start_ms(now_ms, today.rules.of(tenant).time_zone), only)


def _shows(only: frozenset[int] | None, queue: int | None) -> bool:
    return only is None or queue in only


def _counts(today: Today, ended: Iterable[Ended]) -> WaitCounts:
    tally = Tally()
    for item in ended:
        stretch = item.stretch
        short_ms = today.rules.of(stretch.tenant).short_ms
        count_wait(tally, item.outcome, item.lasted_ms, today.rules.threshold_ms(stretch.queue), short_ms)
    return tally.waits


def _figures(
    name: str, tally: Tally, recent: WaitCounts, rules: TenantRules,
    waiting: list[tuple[int | None, int]], now_ms: int,
) -> Entity:  # fmt: skip
    return {
        "id": name,
        "formula": rules.formula,
        "target": rules.target,
        "occupancy": rules.occupancy,
        "offered": tally.offered,
        "answered": tally.answered,
        "abandoned": tally.abandoned,
        "flowed_out": tally.flowed_out,
        "abandon_rate": _rounded(abandon_rate(tally.abandoned, tally.offered), 4),
        "sl": _share(tally.waits, rules),
        "sl30": _share(recent, rules),
        "asa_ms": _rounded(average_speed_of_answer_ms(tally.waited_answered_ms, tally.answered)),
        "aht_ms": _rounded(
            average_handling_time_ms(tally.talk_ms, tally.hold_ms, tally.wrap_up_ms, tally.handled)
        ),
        "handled": tally.handled,
        # To the second: a caller who waits would move it four times a second.
        "longest_wait_ms": longest_wait_ms(
            tally.longest_wait_ms, (since_ms for _, since_ms in waiting), now_ms
        ) // 1000 * 1000,
    }  # fmt: skip


def _quarter(at_ms: int, tally: Tally, rules: TenantRules) -> Entity:
    return {
        "id": str(at_ms),
        "at_ms": at_ms,
        "offered": tally.offered,
        "answered": tally.answered,
        "abandoned": tally.abandoned,
        "sl": _share(tally.waits, rules),
    }


def _share(counts: WaitCounts, rules: TenantRules) -> Entity:
    share = rules.service_level(counts)
    return {"value": _rounded(share.value, 4), "met": share.met, "of": share.of}


def _rounded(value: float | None, digits: int = 0) -> float | None:
    return None if value is None else round(value, digits) if digits else round(value)
