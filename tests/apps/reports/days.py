"""Simulated days with faults and crashes, told with the keys that a database gives; and a day's figures both ways."""

from __future__ import annotations

import functools
from typing import Any

from apps.core import facts as f
from apps.core.codec import decode, encode
from apps.reports.day.figures import figures, works
from apps.reports.day.rules import Rules, TenantRules
from apps.reports.day.today import Today
from tests.core.scene import TENANT
from tests.sim.world import Story, World

TENANT_KEY = 1
RULES = Rules(
    tenants={TENANT_KEY: TenantRules(time_zone="Asia/Shanghai", formula="F6F", short_ms=8_000)},
    thresholds_ms={1: 10_000, 2: 25_000},
)


@functools.cache
def simulated_day(seed: int, calls: int = 150) -> list[f.Fact]:
    world = World(Story(seed=seed, calls=calls))
    world.run()
    return [_with_keys(fact) for fact in world.facts if not isinstance(fact, f.ConfigApplied)]


def _with_keys(fact: f.Fact) -> f.Fact:
    data: dict[str, Any] = encode(fact)
    for name, value in data.items():
        if name == "tenant" and value == TENANT:
            data[name] = str(TENANT_KEY)
        elif name == "queue" and value:
            data[name] = value[1:]
        elif name in ("agent", "wanted_agent") and value:
            data[name] = str(int(value[1:]) + 1)
    result: f.Fact = decode(data)
    return result


def folded(facts: list[f.Fact], start: Today | None = None) -> Today:
    today = start or Today(rules=RULES)
    for fact in facts:
        today.fold(fact)
    return today


def shown(today: Today, now_ms: int) -> dict[str, Any]:
    return {**figures(today, TENANT_KEY, now_ms), "works": works(today, TENANT_KEY, now_ms)}
