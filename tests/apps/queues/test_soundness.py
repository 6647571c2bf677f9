"""What can never work, and what only looks as if: on configurations of a few queues."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core import config as cfg
from apps.core.ids import AgentId, FlowId, QueueId, SkillId, SwitchId, TenantId
from apps.queues.soundness import Flaw, problems

TENANT, SWITCH = TenantId("1"), SwitchId("1")
NUMBER = "02155550100"
PHONE = cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SWITCH, address="1001")


def queue(
    name: str, overflow: tuple[str, str] = ("hangup", ""), *, says: str = "sorry.wav", **fields: Any
) -> cfg.QueueConfig:
    rule = cfg.Overflow(kind=cfg.OverflowKind(overflow[0]), target=overflow[1], sounds=(says,) if says else ())
    return cfg.QueueConfig(id=QueueId(name), tenant=TENANT, name=name, overflow=rule, **fields)


def agent(
    name: str, *queues: str, tier: int = 1, device: cfg.DeviceConfig | None = PHONE, calls: int = 1, **skills: int
) -> cfg.AgentConfig:
    return cfg.AgentConfig(
        id=AgentId(name), tenant=TENANT, name=name, device=device, capacity={"voice": calls, "chat": 3},
        skills={SkillId(code): level for code, level in skills.items()},
        queues={QueueId(one): cfg.Membership(tier=tier) for one in queues},
    )  # fmt: skip


def flow(name: str, **nodes: dict[str, Any]) -> cfg.FlowConfig:
    document = {"id": name, "langs": ["zh", "en"], "start": next(iter(nodes)), "nodes": nodes}
    return cfg.FlowConfig(id=FlowId(name), tenant=TENANT, version="1", document=document)


def wait_in(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "enqueue", "queue": name, **more}


def center(*parts: Any, fallback: str = "", numbers: dict[str, str] | None = None) -> cfg.CenterConfig:
    """With an agent for every queue, where none is given, and our numbers with the flows they lead to."""
    queues = {part.id: part for part in parts if isinstance(part, cfg.QueueConfig)}
    agents = {part.id: part for part in parts if isinstance(part, cfg.AgentConfig)}
    agents = agents or {AgentId("a"): agent("a", *queues)}
    dids = {
        f"{SWITCH}/{number}": cfg.DidConfig(number=number, tenant=TENANT, switch=SWITCH, flow=FlowId(leads_to))
        for number, leads_to in (numbers or {}).items()
    }
    return cfg.CenterConfig(
        version=1,
        tenants={TENANT: cfg.TenantConfig(id=TENANT, name="t", fallback_number=fallback)},
        agents=agents,
        queues=queues,
        flows={part.id: part for part in parts if isinstance(part, cfg.FlowConfig)},
        dids=dids,
    )


def flaws(*parts: Any, **more: Any) -> list[tuple[Flaw, tuple[str, ...]]]:
    return [(problem.flaw, problem.names) for problem in problems(center(*parts, **more))]


def need(skill: str, level: int = 1, required: bool = True) -> cfg.SkillNeed:
    return cfg.SkillNeed(skill=SkillId(skill), level=level, required=required)


def ring(after_s: int, *drop: str, tiers_up_to: int | None = None, **lower: int) -> cfg.Ring:
    return cfg.Ring(
        after_ms=after_s * 1000, drop=frozenset(map(SkillId, drop)), tiers_up_to=tiers_up_to,
        lower={SkillId(skill): level for skill, level in lower.items()},
    )  # fmt: skip


# --- who can serve -------------------------------------------------------------------------------------------------


def test_a_queue_needs_somebody() -> None:
    assert flaws(queue("a"), queue("b"), agent("x", "a")) == [(Flaw.UNSERVED, ())]


def test_who_can_never_be_offered_a_call_serves_nobody() -> None:
    for nobody in (agent("x", "a", device=None), agent("x", "a", calls=0)):
        assert flaws(queue("a"), nobody, agent("y")) == [(Flaw.UNSERVED, ())]
        assert not flaws(queue("a"), nobody, agent("y", "a"))
    assert not flaws(queue("a"), agent("x", "a", device=None)), "all switches are off: nobody can call either"


def test_a_call_is_offered_on_its_own_switch_alone() -> None:
    far = cfg.DeviceConfig(kind=cfg.DeviceKind.SIP, switch=SwitchId("2"), address="1001")
    menu = flow("f", m={"type": "menu", "keys": {"1": "a"}, "on": {"fail": "b"}}, a=wait_in("a"), b=wait_in("b"))
    parts = (queue("a", overflow=("queue", "c")), queue("b"), queue("c"), menu, agent("x", "b"))
    found = problems(center(*parts, agent("y", "a", "c", device=far), numbers={NUMBER: "f"}))
    assert [(item.flaw, sorted(item.queues)) for item in found] == [(Flaw.ELSEWHERE, ["a"]), (Flaw.ELSEWHERE, ["c"])]
    assert not flaws(*parts, agent("y", "a", "c", device=far)), "no number leads there"
    assert not flaws(*parts, agent("y", "a", "c", device=far), agent("z", "a", "c"), numbers={NUMBER: "f"})


def test_a_call_back_needs_somebody_who_can_make_it() -> None:
    asks = flow("f", a={"type": "callback", "queue": "a", "skills": ["net=4"], "on": {"declined": "b"}}, b=wait_in("a"))
    assert flaws(queue("a"), asks, agent("x", "a", net=3)) == [(Flaw.FLOW_UNSKILLED, ("f", "net 4"))]
    assert not flaws(queue("a"), asks, agent("x", "a", net=4))


def test_somebody_must_have_all_that_is_required_at_its_level() -> None:
    asked = queue("a", needs=(need("net", 4), need("en", 2)))
    assert not flaws(asked, agent("x", "a", net=4, en=2))
    assert flaws(asked, agent("x", "a", net=3, en=5)) == [(Flaw.UNSKILLED, ("en 2", "net 4"))]
    assert flaws(asked, agent("x", "a", net=5), agent("y", "a", en=5)) == [(Flaw.UNSKILLED, ("en 2", "net 4"))]
    assert flaws(asked, agent("x", "a"), agent("y", "b", net=5, en=5))[0][0] == Flaw.UNSKILLED, "of another queue"
    assert not flaws(queue("a", needs=(need("net", 4, required=False),)), agent("x", "a")), "preferred keeps nobody out"


def test_what_is_relaxed_in_the_end_is_not_asked_for() -> None:
    needs = (need("net", 4), need("en", 2))
    assert not flaws(queue("a", needs=needs, rings=(ring(10, net=3), ring(20, "en"))), agent("x", "a", net=3))
    assert flaws(queue("a", needs=needs, rings=(ring(10, net=3),)), agent("x", "a", net=3)) == [
        (Flaw.UNSKILLED, ("en 2", "net 3"))
    ]


def test_a_flow_may_ask_for_more_in_each_of_its_languages() -> None:
    asks = flow("f", a=wait_in("a", skills=["lang_{{call.lang}}"]))
    assert not flaws(queue("a"), asks, agent("x", "a", lang_zh=1), agent("y", "a", lang_en=1))
    assert flaws(queue("a"), asks, agent("x", "a", lang_zh=1)) == [(Flaw.FLOW_UNSKILLED, ("f", "lang_en 1"))]
    relaxed = queue("a", rings=(ring(30, "lang_en"),))
    assert not flaws(relaxed, asks, agent("x", "a", lang_zh=1))


# --- relaxations and tiers -----------------------------------------------------------------------------------------


def test_relaxations_are_six_at_most_in_the_order_of_time_and_ask_less_each_time() -> None:
    net = (need("net", 5),)

    def found(*rings: cfg.Ring) -> list[Flaw]:
        return [flaw for flaw, _names in flaws(queue("a", needs=net, rings=rings), agent("x", "a", tier=2, net=5))]

    assert not found(ring(10, net=4), ring(20, net=2), ring(30, "net"), ring(40, tiers_up_to=2))
    assert found(*(ring(seconds, "en") for seconds in range(1, 8))) == [Flaw.TOO_MANY_RINGS]
    assert found(ring(20, net=4), ring(10, net=3)) == [Flaw.RING_TWICE]
    assert found(ring(20, net=4), ring(20, net=3)) == [Flaw.RING_TWICE]
    assert found(ring(10, net=3), ring(20, net=4)) == [Flaw.RING_TIGHTENS]
    assert found(ring(10, "net"), ring(20, net=1)) == [Flaw.RING_TIGHTENS], "it was dropped already"
    assert found(ring(10, net=5)) == [Flaw.RING_TIGHTENS], "that is no less than the queue asks"
    assert found(ring(10, tiers_up_to=3), ring(20, tiers_up_to=2)) == [Flaw.RING_TIGHTENS]


@pytest.mark.parametrize("ruled", [{"tier_rule": cfg.TierRule(wait_ms=1)}, {"rings": (ring(5, tiers_up_to=2),)}])
def test_a_rule_for_tiers_needs_tiers(ruled: dict[str, Any]) -> None:
    assert flaws(queue("a", **ruled), agent("x", "a")) == [(Flaw.NO_TIERS, ())]
    assert not flaws(queue("a", **ruled), agent("x", "a"), agent("y", "a", tier=2))


# --- circles -------------------------------------------------------------------------------------------------------


def circles(*parts: Any, **more: Any) -> list[tuple[str, ...]]:
    found = flaws(*parts, **more)
    assert {flaw for flaw, _names in found} <= {Flaw.CIRCLE}
    return [names for _flaw, names in found]


def test_queues_that_send_callers_to_each_other() -> None:
    assert circles(queue("a", ("queue", "a"))) == [("a", "a")]
    assert circles(queue("a", ("queue", "b")), queue("b", ("queue", "c")), queue("c", ("queue", "a"))) == [
        ("a", "b", "c", "a")
    ]
    assert not circles(queue("a", ("queue", "b")), queue("b", ("queue", "c")), queue("c"))
    assert circles(queue("z", ("queue", "a")), queue("a", ("queue", "a"))) == [("a", "a")], "z only leads there"


def test_a_closed_queue_that_sends_callers_to_itself() -> None:
    closed = cfg.Overflow(kind=cfg.OverflowKind.QUEUE, target="a")
    assert circles(queue("a", life=cfg.QueueLife(closed=closed))) == [("a", "a")]
    assert circles(queue("a", ("queue", "b")), queue("b", life=cfg.QueueLife(closed=closed))) == [("a", "b", "a")]


def test_through_a_flow() -> None:
    back = flow("f", hello={"type": "play", "on": {"done": "again"}}, again=wait_in("a"))
    assert circles(queue("a", ("flow", "f")), back) == [("a", "f", "a")]
    asked = flow(
        "f",
        ask={"type": "menu", "keys": {"1": "again"}, "on": {"fail": "bye"}},
        again=wait_in("a"),
        bye={"type": "hangup"},
    )
    assert not circles(queue("a", ("flow", "f")), asked), "the caller chose to wait again"
    shut = flow("f", open={"type": "hours", "on": {"open": "again", "closed": "bye"}}, again=wait_in("a"), bye={
        "type": "hangup"
    })  # fmt: skip
    assert circles(queue("a", ("flow", "f")), shut) == [("a", "f", "a")], "while it is open"


def test_a_flow_that_goes_on_after_waiting_takes_no_overflow() -> None:
    goes_on = flow("f", wait=wait_in("a", on={"timeout": "bye"}), bye={"type": "hangup"})
    assert not circles(queue("a", ("flow", "f")), goes_on)
    waits_again = flow("f", wait=wait_in("a", on={"timeout": "more"}), more=wait_in("b", on={"timeout": "wait"}))
    assert len(circles(queue("a"), queue("b"), waits_again)) == 1
    only_full = flow("f", wait=wait_in("a", on={"full": "bye"}), bye={"type": "hangup"})
    assert circles(queue("a", ("flow", "f")), only_full) == [("a", "f", "a")], "who waits too long has no way on there"
    life = cfg.QueueLife(max_callers=1)
    goes_on_when_late = flow("f", wait=wait_in("a", on={"timeout": "bye"}), bye={"type": "hangup"})
    assert circles(queue("a", ("flow", "f"), life=life), goes_on_when_late) == [("a", "f", "a")], "while it is full"


def test_through_a_number_that_is_our_own() -> None:
    line = flow("line", wait=wait_in("a"))
    for written in (NUMBER, "+862155550100", "00862155550100"):
        found = circles(queue("a", ("number", written)), line, numbers={NUMBER: "line"})
        assert found == [("a", "line", "a")], written
    assert not circles(queue("a", ("number", "13800138000")), line, numbers={NUMBER: "line"})
    dials = flow("line", out={"type": "transfer", "to": NUMBER})
    assert circles(queue("a"), dials, numbers={NUMBER: "line"}) == [("line", "line")]


def test_the_fallback_number_is_the_last_way_out() -> None:
    line = flow("line", wait=wait_in("a"))
    found = circles(queue("a", says=""), line, fallback=NUMBER, numbers={NUMBER: "line"})
    assert found == [("a", "line", "a")]
    assert not circles(queue("a"), line, fallback=NUMBER, numbers={NUMBER: "line"}), "it says sorry and ends the call"


def test_a_circle_is_told_once_and_two_are_two() -> None:
    ways = [
        queue("a", ("queue", "b")),
        queue("b", ("queue", "a")),
        queue("c", ("queue", "d")),
        queue("d", ("queue", "c")),
    ]
    assert circles(*ways) == [("a", "b", "a"), ("c", "d", "c")]


def test_a_large_center_is_looked_at_in_no_time() -> None:
    """A chain as long as the stack is deep, without recursion."""
    chain = [queue(f"q{number}", ("queue", f"q{number + 1}")) for number in range(3_000)]
    assert not circles(*chain, queue("q3000"))
