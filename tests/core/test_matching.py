"""The matcher against the plainest possible one: look at everybody, take the best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.config import AgentConfig, DeviceConfig, DeviceKind, Membership, QueueConfig, SkillNeed, Strategy
from apps.core.queues import needs, ordering
from apps.core.queues.matching import FIRST_OF_ALL, Matcher
from apps.core.queues.strategies import ORDERS, Standing
from apps.core.queues.waiting import Requirement

SKILLS, SWITCHES = ["a", "b"], ["fs1", "fs2"]
QUEUES: dict[Any, QueueConfig] = {
    f"q{n}": QueueConfig(id=f"q{n}", tenant="1", name="", strategy=strategy, ageing_s=(0, 30)[n % 2])
    for n, strategy in enumerate(Strategy)
}
NAMES = list(QUEUES)


def agent(n: int) -> AgentConfig:
    return AgentConfig(
        id=f"g{n}", tenant="1", name="",
        device=DeviceConfig(kind=DeviceKind.SIP, switch=SWITCHES[n % 5 == 0], address="") if n % 11 else None,
        queues={
            q: Membership(tier=1 + (n * i) % 3, position=n % 4, priority=(n + i) % 10)
            for i, q in enumerate(NAMES) if (n * 7 + i) % 3 == 0
        },
        skills={s: 1 + (n + i) % 5 for i, s in enumerate(SKILLS) if n >> (i + 2) & 1},
        capacity={"voice": 1, "chat": n % 3},
    )  # fmt: skip


AGENTS: dict[Any, AgentConfig] = {f"g{n}": agent(n) for n in range(24)}
ASKED = st.builds(
    Requirement,
    switch=st.sampled_from(SWITCHES),
    queue=st.sampled_from(NAMES),
    needs=st.lists(
        st.builds(SkillNeed, skill=st.sampled_from(SKILLS), level=st.integers(1, 5), required=st.booleans()), max_size=3
    ).map(lambda asked: needs.together(tuple(asked))),
    tiers_up_to=st.sampled_from([None, 1, 2]),
    only=st.sampled_from([None, None, None, "g7", "g8"]),
    kept=st.booleans(),
    medium=st.sampled_from(["voice", "voice", "chat"]),
    cost=st.integers(1, 2),
).map(lambda asked: asked._replace(kept=asked.kept and asked.only is not None))
STANDING = st.builds(Standing, st.integers(0, 9), st.integers(0, 3), st.integers(0, 3), st.integers(0, 9))
WHO = st.integers(0, 23)
STEP = st.one_of(
    st.tuples(st.just("wait"), WHO, ASKED, st.integers(0, 9)),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("free"), WHO, STANDING),
    st.tuples(st.just("busy"), WHO, st.booleans()),
    st.tuples(st.just("change"), WHO, st.sampled_from([None, *range(24, 60)])),
)


def fits(one: AgentConfig, asked: Requirement) -> bool:
    if one.device is None or one.device.switch != asked.switch:
        return False
    if one.capacity.get(asked.medium, 0) < asked.cost:
        return False
    if asked.only is not None:
        return one.id == asked.only
    seat = one.queues.get(asked.queue)
    if seat is None or (asked.tiers_up_to is not None and seat.tier > asked.tiers_up_to):
        return False
    return all(one.skills.get(need.skill, 0) >= need.level for need in asked.needs if need.required)


def rank(one: AgentConfig, standing: Standing, asked: Requirement) -> tuple[Any, ...]:
    if asked.only is not None:
        return (0,)
    seat, strategy = one.queues[asked.queue], QUEUES[asked.queue].strategy
    if strategy is Strategy.BEST_SKILL:
        good = sum(one.skills.get(need.skill, 0) for need in asked.needs)
    else:
        good = sum(min(need.level, one.skills.get(need.skill, 0)) for need in asked.needs if not need.required)
    return (seat.tier, -good, *ORDERS[strategy](one.id, standing, seat.position))


def precedence(one: AgentConfig, asked: Requirement) -> int:
    own = one.queues.get(asked.queue)
    return -(FIRST_OF_ALL if asked.only is not None and not (asked.kept and own) else own.priority if own else 0)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_same_choice_as_a_full_scan(plan: list[tuple[Any, ...]]) -> None:
    agents = dict(AGENTS)
    matcher = Matcher(agents, QUEUES)
    waiting: dict[Any, tuple[int, Requirement]] = {}
    free: dict[Any, Standing] = {}
    for number, (kind, who, *more) in enumerate(plan):
        if kind == "wait":
            place = ordering.place(QUEUES[more[0].queue], more[1], 1000 * number)
            waiting[f"c{who}"] = (place, more[0])
            matcher.caller_waits(f"c{who}", more[0], place)  # type: ignore[arg-type]
        elif kind == "leave":
            waiting.pop(f"c{who}", None)
            matcher.caller_leaves(f"c{who}")  # type: ignore[arg-type]
        elif kind == "change":
            agents = {name: one for name, one in agents.items() if name != f"g{who}"}
            if more[0] is not None:
                agents[f"g{who}"] = replace(agent(more[0]), id=f"g{who}")  # type: ignore[arg-type]
            free.pop(f"g{who}", None)
            matcher.agents_changed(agents, [f"g{who}"])  # type: ignore[list-item]
        elif kind == "free" and f"g{who}" in agents:
            free[f"g{who}"] = more[0]
            matcher.agent_is(f"g{who}", signed_in=True, at_work=True, free=more[0])  # type: ignore[arg-type]
        elif kind == "busy":
            free.pop(f"g{who}", None)
            matcher.agent_is(f"g{who}", signed_in=more[0], at_work=more[0], free=None)  # type: ignore[arg-type]
        for name in free:
            one = agents[name]
            asking = [
                (precedence(one, asked), place, call) for call, (place, asked) in waiting.items() if fits(one, asked)
            ]
            assert matcher.caller_for(name) == (min(asking)[2] if asking else None)
        for call, (_, asked) in waiting.items():
            able = [
                (rank(agents[name], standing, asked), name)
                for name, standing in free.items()
                if fits(agents[name], asked)
            ]
            assert matcher.agent_for(call) == (min(able)[1] if able else None)
            if asked.only is None:
                assert [(key, name) for key, name, _ in matcher.view(asked).in_order()] == sorted(able)
                assert matcher.counts(call)[0] == len(able)


def test_who_left_leaves_nothing_behind() -> None:
    matcher = Matcher(AGENTS, QUEUES)
    for n in range(1000):
        asked = Requirement("fs1", NAMES[n % 9], (SkillNeed(skill=f"s{n}"),), only=f"g{n % 24}" if n % 2 else None)  # type: ignore[arg-type]
        matcher.caller_waits(f"c{n}", asked, n)  # type: ignore[arg-type]
    for n in range(1000):
        matcher.caller_leaves(f"c{n}")  # type: ignore[arg-type]
    assert not any(matcher.pool(name).lines for name in QUEUES) and not matcher._for_one and not matcher._waiting
