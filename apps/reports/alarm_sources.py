"""What other parts of the system watch for the floor's list of alarms, besides the engine's state.

A source tells what is wrong now, by tenant; it is asked every few seconds in a thread of each web process, and an alarm
stands for as long as it is told. ``apps.py`` of whoever watches registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from apps.reports.alarms.conditions import Condition

Wrong = Mapping[int, Sequence[Condition]]  # by tenant
Source = Callable[[], Wrong]

_sources: list[Source] = []


def watch(source: Source) -> None:
    if source not in _sources:
        _sources.append(source)


def read() -> dict[int, list[Condition]]:
    """All that is wrong now, by tenant."""
    found: dict[int, list[Condition]] = {}
    for source in _sources:
        for tenant, conditions in source().items():
            found.setdefault(tenant, []).extend(conditions)
    return found
