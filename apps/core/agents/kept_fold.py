"""What the facts about kept legs change in the state: opened, lent to a call under another name, back, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.agents.model import KeptLeg
from apps.core.fold_rules import on
from apps.core.ids import LegId

if TYPE_CHECKING:
    from apps.core.state import State


@on(f.KeptLegDialed)
def _kept_leg_dialed(state: State, fact: f.KeptLegDialed) -> None:
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.kept = KeptLeg(
            leg=fact.leg, switch=fact.switch, address=fact.address, trunk=fact.trunk, since_ms=fact.at_ms,
            deadline_ms=fact.deadline_ms,
        )  # fmt: skip
        state.kept_legs[fact.leg] = fact.agent


@on(f.KeptLegOpened)
def _kept_leg_opened(state: State, fact: f.KeptLegOpened) -> None:
    kept = _kept(state, fact.leg)
    if kept is not None:
        kept.since_ms, kept.deadline_ms = fact.at_ms, None


@on(f.KeptLegClosed)
def _kept_leg_closed(state: State, fact: f.KeptLegClosed) -> None:
    """A call that has it goes on with a leg of its own, until that ends."""
    kept = _kept(state, fact.leg)
    if kept is not None:
        state.agents[fact.agent].kept = None
    state.kept_legs.pop(fact.leg, None)


def lent(state: State, leg: LegId, name: LegId) -> None:
    state.lent_legs[name] = leg
    kept = _kept(state, leg)
    if kept is not None:
        kept.lent_as = name


def back(state: State, name: LegId) -> None:
    """The call has no more use of it. Of any other leg this says nothing."""
    leg = state.lent_legs.pop(name, None)
    kept = _kept(state, leg) if leg is not None else None
    if kept is not None:
        kept.lent_as = None


def _kept(state: State, leg: LegId) -> KeptLeg | None:
    agent = state.agents.get(state.kept_legs.get(leg, ""))  # type: ignore[call-overload]
    return agent.kept if agent is not None and agent.kept is not None and agent.kept.leg == leg else None
