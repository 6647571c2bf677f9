"""Which agent a decision on record leads to: the same rules over what was stored, without the centre around it.

``decide`` works out anew from the inputs alone (what was asked, and of each agent considered the levels, tier and
standing) who fits, who does not and why, and in which order; a stored decision that it disagrees with was made by other
rules, or not by rules at all.
"""

from __future__ import annotations

from typing import NamedTuple

from apps.core.config import Strategy
from apps.core.facts import Considered, OfferDecided
from apps.core.ids import AgentId, SkillId
from apps.core.queues import needs
from apps.core.queues.pool import why_not
from apps.core.queues.strategies import ORDERS, Key, Standing
from apps.core.queues.waiting import Requirement


class Outcome(NamedTuple):
    """``considered``: first who fits, the best first, each with the rank; then who does not, with the reason."""

    agent: AgentId | None
    considered: tuple[Considered, ...]


def decide(decided: OfferDecided) -> Outcome:
    """Looks at no stored answer: neither at ``agent`` nor at any ``rank``, ``code`` or ``detail``."""
    asked = Requirement(
        switch=decided.switch,
        queue=decided.queue,
        needs=decided.needs,
        tiers_up_to=decided.tiers_up_to,
        only=decided.only,
        medium=decided.medium,
        cost=decided.cost,
    )
    fit: list[Considered] = []
    unfit: list[Considered] = []
    for one in decided.considered:
        code, detail = _why_not(asked, one)
        rank = () if code else rank_of(one, asked.needs, decided.strategy)
        (unfit if code else fit).append(one._replace(rank=rank, code=code, detail=detail))
    fit.sort(key=lambda one: (one.rank, one.agent))
    return Outcome(fit[0].agent if fit else None, (*fit, *unfit))


def agrees(decided: OfferDecided) -> bool:
    return decide(decided) == Outcome(decided.agent, decided.considered)


def rank_of(one: Considered, asked: needs.Needs, strategy: Strategy) -> Key:
    """Tier, how well the agent meets what is asked, then the strategy's own order: smaller first."""
    standing = Standing(one.idle_since_ms, one.talked_ms, one.served, one.offered_ms)
    better = needs.score(asked, _levels(one, asked), strategy)
    return one.tier, -better, *ORDERS[strategy](one.agent, standing, one.position)


def _why_not(asked: Requirement, one: Considered) -> tuple[str, str]:
    if asked.only is not None:
        return ("", "") if one.agent == asked.only else ("not_wanted", "")
    return why_not(asked, one.switch, one.tier, _levels(one, asked.needs), ((asked.medium, one.capacity),))


def _levels(one: Considered, asked: needs.Needs) -> dict[SkillId, int]:
    return {need.skill: level for need, level in zip(asked, one.levels, strict=True)}
