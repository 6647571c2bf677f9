"""First line, second line, experts: when a tier joins in."""

from __future__ import annotations

import pytest

from apps.core import events as e
from apps.core import facts as f
from apps.core.config import Membership, QueueConfig, Ring, TierRule
from apps.core.queues.tiers import NEVER_MS, openings, up_to
from tests.core.routing import able, caller, office, rung, served

FIRST, SECOND, THIRD = (Membership(tier=tier) for tier in (1, 2, 3))


def queue(rule: TierRule, *rings: Ring) -> QueueConfig:
    return QueueConfig(id="q", tenant="1", name="", tier_rule=rule, rings=rings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "at_work", "expected"),
    [
        (TierRule(), {1: 1, 2: 1, 3: 1}, ()),
        (TierRule(wait_ms=10), {1: 1, 2: 1, 3: 1}, ((0, 1), (10, 2), (20, 3))),
        (TierRule(wait_ms=10, multiply=False), {1: 1, 2: 1, 3: 1}, ((0, 1), (10, 2), (10, 3))),
        (TierRule(wait_ms=10), {2: 1, 3: 1}, ((0, 1), (0, 2), (20, 3))),
        (TierRule(wait_ms=10), {3: 1}, ()),
        (TierRule(wait_ms=10), {1: 1, 3: 1}, ((0, 1), (10, 2), (10, 3))),
        (TierRule(wait_ms=10, skip_empty=False), {3: 1}, ((0, 1), (10, 2), (20, 3))),
    ],
)
def test_when_tiers_open(rule: TierRule, at_work: dict[int, int], expected: object) -> None:
    assert openings(queue(rule), [1, 2, 3], at_work) == expected


def test_rings_may_open_tiers_and_then_only_they_do() -> None:
    by_ring = queue(TierRule(), Ring(after_ms=7, tiers_up_to=2))
    assert openings(by_ring, [1, 2, 3], {1: 1, 2: 1, 3: 1}) == ((0, 1), (7, 2), (NEVER_MS, 3))
    both = queue(TierRule(wait_ms=10), Ring(after_ms=7, tiers_up_to=3))
    assert openings(both, [1, 2, 3], {1: 1, 2: 1, 3: 1}) == ((0, 1), (7, 2), (7, 3))


def test_up_to_which_tier() -> None:
    found = ((0, 1), (10, 2), (20, 4))
    assert [up_to(found, waited_ms) for waited_ms in (0, 9, 10, 19, 20)] == [1, 1, 2, 2, None]
    assert up_to((), 0) is None


def test_the_second_line_joins_in_when_the_first_has_had_its_time() -> None:
    scene = office(able("ann", FIRST), able("bob", SECOND), able("cai", THIRD), tier_rule=TierRule(wait_ms=10_000))
    scene.ready("ann", "bob", "cai")
    first, second, third = (caller(scene, f"c{n}") for n in range(3))
    assert (rung(first), rung(second)) == (["ann"], [])
    scene.wait(9.9)
    assert rung(second) == [] and scene.agent_state("bob") == "READY"
    scene.wait(0.1)
    assert rung(second) == ["bob"] and rung(third) == []
    served(scene, first, "ann")
    assert rung(third) == ["ann"], "the first line goes on serving"


def test_a_tier_comes_before_skill_and_idleness() -> None:
    scene = office(able("ann", SECOND), able("bob", FIRST))
    scene.ready("ann", "bob")
    assert rung(caller(scene, "c1")) == ["bob"]


def test_nobody_waits_for_a_tier_without_anybody_at_work() -> None:
    scene = office(able("ann", FIRST), able("bob", SECOND), tier_rule=TierRule(wait_ms=60_000))
    scene.ready("ann", "bob")
    first, second, third = (caller(scene, f"c{n}") for n in range(3))
    scene.ask(e.AgentPaused, "ann", reason="")  # after this call
    assert rung(second) == []
    served(scene, first, "ann")
    assert rung(second) == ["bob"], "the last of the first line has gone"
    scene.ask(e.AgentWentReady, "ann")
    served(scene, third, "ann")
    served(scene, second, "bob")
    scene.ask(e.AgentPaused, "ann", reason="lunch")
    scene.ask(e.AgentWentReady, "ann")
    taken = caller(scene, "c8")
    assert rung(taken) == ["ann"] and rung(caller(scene, "c9")) == [], "the first line is there again"


def test_the_trace_says_up_to_which_tier() -> None:
    scene = office(able("ann", FIRST), able("bob", SECOND), tier_rule=TierRule(wait_ms=10_000))
    scene.ready("ann", "bob")
    caller(scene, "c1")
    decided = scene.last(f.OfferDecided)
    assert decided.tiers_up_to == 1
    assert [(one.agent, one.code, one.detail) for one in decided.considered] == [
        ("ann", "", ""),
        ("bob", "tier_waits", "2"),
    ]
