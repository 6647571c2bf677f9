"""What is stored of a decision is enough to make it again, and says why everybody else was not asked."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from apps.core import events as e
from apps.core import facts as f
from apps.core.codec import decode, encode
from apps.core.config import Membership, Strategy
from apps.core.queues import decision
from apps.core.queues.tracing import MOST_BUSY, MOST_ELIGIBLE, MOST_UNFIT
from tests.core.routing import able, caller, need, office, served

NAMES = [f"a{n}" for n in range(12)]


@pytest.mark.parametrize("strategy", Strategy)
def test_the_same_decision_from_what_was_stored(strategy: Strategy) -> None:
    rng = Random(strategy)
    agents = [
        able(
            name, Membership(tier=rng.randint(1, 3), position=rng.randint(1, 4)),
            **{skill: rng.randint(1, 5) for skill in ("zh", "net") if rng.random() < 0.8},
        )
        for name in NAMES
    ]  # fmt: skip
    scene = office(*agents, strategy=strategy, needs=(need("zh", 2), need("net", 3, required=False)))
    scene.ready(*NAMES)
    for n in range(30):
        call = caller(scene, f"c{n}")
        scene.wait(rng.random() * 5)
        if call.offer is not None:
            served(scene, call, call.offer.agent, seconds=rng.random() * 30)
    decisions = scene.all(f.OfferDecided)
    assert len(decisions) >= 25
    for stored in decisions:
        again = decode(encode(stored))
        assert again == stored and decision.agrees(again)
        blank = tuple(one._replace(rank=(), code="", detail="") for one in stored.considered)
        assert decision.decide(replace(stored, agent="", considered=blank)) == decision.decide(stored)  # type: ignore[arg-type]


def test_a_decision_by_other_rules_is_told_from_one_by_these() -> None:
    scene = office(able("ann"), able("bob"), able("cai", net=1), needs=(need("net", 1, required=False),))
    scene.ready("ann", "bob")
    caller(scene, "c1")
    stored = scene.last(f.OfferDecided)
    first, second = stored.considered
    assert decision.agrees(stored) and first.agent == "ann"
    assert not decision.agrees(replace(stored, agent="bob"))  # type: ignore[arg-type]
    assert not decision.agrees(replace(stored, considered=(second, first)))
    assert not decision.agrees(replace(stored, considered=(first, second._replace(idle_since_ms=0))))
    assert not decision.agrees(replace(stored, considered=(first, second._replace(code="tier_waits"))))


def test_why_the_others_were_not_asked() -> None:
    scene = office(
        able("ann", zh=5), able("bob", zh=5), able("cai", zh=1), able("dan", zh=5), able("eva", zh=5),
        needs=(need("zh", 3),),
    )  # fmt: skip
    scene.ready("cai", "dan", "eva", "ann", "bob")
    scene.ask(e.AgentPaused, "dan", reason="lunch")
    scene.feed(e.DeviceChanged(switch="fs1", address="10eva", registered=False))  # type: ignore[arg-type]
    scene.wait(5)
    call = caller(scene, "c1")
    decided = scene.last(f.OfferDecided)
    assert decided.call == call.id and decided.agent == "ann" and (decided.eligible, decided.waiting) == (2, 1)
    assert [(one.agent, one.code, one.detail) for one in decided.considered] == [
        ("ann", "", ""), ("bob", "", ""), ("cai", "lacks_skill", "zh=3"),
    ]  # fmt: skip
    assert {(one.agent, one.code, one.detail) for one in decided.passed_over} == {
        ("dan", "paused", "lunch"), ("eva", "device", ""),
    }  # fmt: skip
    caller(scene, "c2")
    assert ("ann", "offered", "") in scene.last(f.OfferDecided).passed_over


def test_a_wanted_agent_is_the_only_one_considered() -> None:
    scene = office(able("ann"), able("bob"), able("cai"))
    scene.ready("ann")
    call = caller(scene, "c1")
    scene.answer_offer(call)
    scene.ready("bob", "cai")
    scene.ask(
        e.TransferRequested, "ann", call=call.id, version=call.version, kind=e.TransferKind.AGENT, target="cai", note=""
    )
    scene.hang_up(call.bridge.leg if call.bridge else "")
    scene.arrive(call.leg)
    decided = scene.last(f.OfferDecided)
    assert (decided.agent, decided.only) == ("cai", "cai") and [one.agent for one in decided.considered] == ["cai"]
    assert decision.agrees(decided)


def test_a_trace_stays_small_in_a_large_queue() -> None:
    many = [able(f"a{n:03}", zh=n % 2) for n in range(150)]
    scene = office(*many, needs=(need("zh"),))
    scene.ready(*(one.id for one in many[:100]))
    for one in many[100:]:
        scene.ask(e.AgentSignedIn, one.id)
    caller(scene, "c1")
    decided = scene.last(f.OfferDecided)
    assert decided.eligible == 50 and len(decided.passed_over) == MOST_BUSY
    assert len(decided.considered) == MOST_ELIGIBLE + MOST_UNFIT
