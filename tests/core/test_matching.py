"""The matcher against the plainest possible one: look at everybody, take the best."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.config import AgentConfig, DeviceConfig, DeviceKind, Membership
from apps.core.queues.matching import Matcher
from apps.core.queues.waiting import Requirement

QUEUES, SKILLS, SWITCHES = ["q1", "q2", "q3"], ["a", "b"], ["fs1", "fs2"]
AGENTS = {
    f"g{n}": AgentConfig(
        id=f"g{n}", tenant="1", name="",
        device=DeviceConfig(kind=DeviceKind.SIP, switch=SWITCHES[n % 5 == 0], address=""),
        queues={q: Membership() for i, q in enumerate(QUEUES) if n >> i & 1},
        skills={s: 1 for i, s in enumerate(SKILLS) if n >> (i + 2) & 1},
    )
    for n in range(24)
}  # fmt: skip
STEP = st.tuples(st.sampled_from(["wait", "leave", "ready", "unready"]), st.integers(0, 23), st.integers(0, 63))


def fits(agent: AgentConfig, req: Requirement) -> bool:
    if agent.device is None or agent.device.switch != req.switch:
        return False
    if req.wanted_agent is not None:
        return agent.id == req.wanted_agent
    return req.queue in agent.queues and set(req.skills) <= set(agent.skills)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=80))
def test_same_choice_as_a_full_scan(plan: list[tuple[str, int, int]]) -> None:
    matcher = Matcher(AGENTS)  # type: ignore[arg-type]
    waiting: dict[str, tuple[tuple[int, int], Requirement]] = {}
    ready: dict[str, int] = {}
    for number, (kind, who, more) in enumerate(plan):
        if kind == "wait":
            wanted = f"g{more % 24}" if more % 7 == 0 else None
            req = Requirement(SWITCHES[more % 4 == 0], QUEUES[more % 3], tuple(SKILLS[: more % 3]), wanted)
            waiting[f"c{who}"] = ((-(more % 10), number), req)
            matcher.caller_waits(f"c{who}", req, more % 10, number)
        elif kind == "leave":
            waiting.pop(f"c{who}", None)
            matcher.caller_leaves(f"c{who}")
        elif kind == "ready":
            ready[f"g{who}"] = more
            matcher.agent_ready(f"g{who}", more)
        else:
            ready.pop(f"g{who}", None)
            matcher.agent_unready(f"g{who}")
        for call, (_, req) in waiting.items():
            able = [(idle, agent) for agent, idle in ready.items() if fits(AGENTS[agent], req)]
            assert matcher.agent_for(call) == (min(able)[1] if able else None)
            assert matcher.counts(call)[0] == len(able)
        for agent in ready:
            asking = [(rank, call) for call, (rank, req) in waiting.items() if fits(AGENTS[agent], req)]
            assert matcher.caller_for(agent) == (min(asking)[1] if asking else None)
