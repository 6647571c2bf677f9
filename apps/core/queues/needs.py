"""What is asked of an agent: skills with levels, required ones and those that would be nice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.core.config import Ring, SkillNeed, Strategy
from apps.core.ids import SkillId

Needs = tuple[SkillNeed, ...]


def together(*asked: Needs) -> Needs:
    """One need for each skill, in the skills' order: required when any of them is, at the highest level of those."""
    found: dict[SkillId, SkillNeed] = {}
    for need in (need for needs in asked for need in needs):
        known = found.get(need.skill)
        if known is None or (need.required, need.level) > (known.required, known.level):
            found[need.skill] = need
    return tuple(found[skill] for skill in sorted(found))


def relaxed(needs: Needs, rings: Iterable[Ring]) -> Needs:
    """What is left of them after these rings."""
    for ring in rings:
        needs = tuple(
            SkillNeed(
                skill=need.skill, level=min(need.level, ring.lower.get(need.skill, need.level)), required=need.required
            )
            for need in needs
            if need.skill not in ring.drop
        )
    return needs


def lacking(needs: Needs, levels: Mapping[SkillId, int]) -> SkillNeed | None:
    """The first required skill that somebody with these levels does not have, or not well enough."""
    for need in needs:
        if need.required and levels.get(need.skill, 0) < need.level:
            return need
    return None


def score(needs: Needs, levels: Mapping[SkillId, int], strategy: Strategy) -> int:
    """More is better. Preferred skills count up to the level asked for; ``best_skill`` counts all there is of all."""
    if strategy is Strategy.BEST_SKILL:
        return sum(levels.get(need.skill, 0) for need in needs)
    return sum(min(need.level, levels.get(need.skill, 0)) for need in needs if not need.required)
