"""First line, second line, experts: which tiers of a queue serve a caller who has waited so long.

Tier n joins in once the caller has waited as ``TierRule`` or a ring says; the first serves at once. A tier in which
nobody is at work is not waited for, where the rule says so: the next joins in with it. That is mod_callcenter's
``tier-rules-apply`` with ``tier-rule-wait-second``, ``-wait-multiply-level`` and ``-no-agent-no-wait``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from apps.core.config import QueueConfig

Openings = tuple[tuple[int, int], ...]
"""(after so many ms of waiting, tiers up to this one serve), ascending. Empty: all serve at once."""

NEVER_MS = 1 << 53


def openings(queue: QueueConfig, tiers: Iterable[int], at_work: Mapping[int, int]) -> Openings:
    """``tiers`` are those that have members, ``at_work`` says how many of each are."""
    opened_ms, found = 0, [(0, 1)]
    for before, tier in pairwise(sorted({1, *tiers})):
        if at_work.get(before, 0) or not queue.tier_rule.skip_empty:
            opened_ms = max(opened_ms, _after_ms(queue, tier))
        found.append((opened_ms, tier))
    return tuple(found) if opened_ms else ()


def are_timed(queue: QueueConfig) -> bool:
    """Whether tiers ever wait in this queue."""
    return queue.tier_rule.wait_ms > 0 or any(ring.tiers_up_to is not None for ring in queue.rings)


def up_to(found: Openings, waited_ms: int) -> int | None:
    """The last tier that serves by now; None: all do."""
    if not found or waited_ms >= found[-1][0]:
        return None
    return max(tier for after_ms, tier in found if after_ms <= waited_ms)


def _after_ms(queue: QueueConfig, tier: int) -> int:
    rule = queue.tier_rule
    by_rings = [ring.after_ms for ring in queue.rings if ring.tiers_up_to is not None and ring.tiers_up_to >= tier]
    by_rule = [rule.wait_ms * (tier - 1 if rule.multiply else 1)] if rule.wait_ms else []
    if by_rings or by_rule:
        return min(by_rings + by_rule)
    return NEVER_MS if are_timed(queue) else 0
