"""A kept leg has a name of its own in each call that has it: calls and history never meet the same leg twice.

The switch knows one leg by one id. Here the two are translated into each other, at the core's two doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apps.core import commands as c
from apps.core import events as e
from apps.core.ids import LegId

if TYPE_CHECKING:
    from apps.core.state import State

_TWO_LEGS = (e.LegsBridged, e.LegsUnbridged, e.BridgeFailed)


def as_called(state: State, event: e.Event) -> e.Event:
    """An event of the switch, about legs by the names that their calls have for them."""
    if not state.lent_legs or not isinstance(event, e.SwitchEvent):
        return event
    names = {leg: name for name, leg in state.lent_legs.items()}
    if isinstance(event, e.SwitchSnapshot):
        return replace(event, legs=tuple(_seen(leg, names) for leg in event.legs))
    leg = getattr(event, "leg", None)
    if isinstance(event, _TWO_LEGS):
        return replace(event, leg=names.get(event.leg, event.leg), other=names.get(event.other, event.other))
    return replace(event, leg=names[leg]) if leg in names else event  # type: ignore[call-arg]


def _seen(leg: e.SnapshotLeg, names: Mapping[LegId, LegId]) -> e.SnapshotLeg:
    to = leg.bridged_to
    return replace(leg, leg=names.get(leg.leg, leg.leg), bridged_to=names.get(to, to) if to is not None else None)


def as_on_switch(state: State, command: c.Command) -> c.Command:
    """A command to the switch, about legs by its own ids."""
    changes: dict[str, Any] = {
        field: state.lent_legs[named]
        for field in ("leg", "other")
        if (named := getattr(command, field, None)) in state.lent_legs
    }
    return replace(command, **changes) if changes else command
