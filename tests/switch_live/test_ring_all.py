"""Several telephones ring for one caller on a real switch: one of them gets the call, the others are let off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, LegState
from apps.core.config import AgentConfig
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, finish_wrap_up, talking, until
from tests.switch_live.waiting import eventually

SALES = ("王芳", "李娜", "张伟")
STEP_S = 1
FREE_WITHIN_MS = 1_000


@pytest.fixture
def three(rig: Rig, request: pytest.FixtureRequest) -> Iterator[list[AgentConfig]]:
    """They serve sales by the strategy that the test names."""
    strategy = getattr(request, "param", "ring_all")
    _set_up(rig, strategy)
    yield [rig.center.agent(name) for name in SALES]
    _set_up(rig, "round_robin")


def _set_up(rig: Rig, strategy: str) -> None:
    rig.center.call("queue_is", "sales", {"strategy": strategy, "ring_step_s": STEP_S})
    eventually(lambda: _strategy(rig) == strategy, 20, "the engine knows")


def _strategy(rig: Rig) -> str:
    return next(queue.strategy for queue in rig.center.state().config.queues.values() if queue.name == "销售")


def _all_ring(call: Call) -> bool:
    ringing = [call.legs[leg].state is LegState.RINGING for leg in call.offers if leg in call.legs]
    return len(ringing) == len(SALES) and all(ringing)


def _only_these_two(rig: Rig, call: Call) -> None:
    """The caller and who talks: no telephone rings any more, none is off the hook."""
    assert call.bridge is not None
    wanted = {call.leg, call.bridge.leg}
    eventually(lambda: {row["uuid"] for row in rig.switch.api.channels()} == wanted, 10, "two legs on the switch")
    bridged = rig.switch.api.variable(call.leg, "bridge_uuid")
    assert bridged == call.bridge.leg


def _let_off(rig: Rig, call: Call, others: list[AgentConfig]) -> None:
    """They are free again, and history says why."""
    for agent in others:
        rig.center.wait_for(agent, AgentState.READY)
    query = "SELECT outcome, agent_id::text AS agent FROM calls_decision WHERE call_id = %s AND outcome <> ''"
    eventually(lambda: len(rig.center.rows(query, call.id)) == 1 + len(others), 20, "told")
    outcomes = {row["agent"]: row["outcome"] for row in rig.center.rows(query, call.id)}
    assert all(outcomes.pop(agent.id) == "answered_elsewhere" for agent in others)
    assert call.bridge is not None and outcomes == {call.bridge.agent: "answered"}


def _free_in_time(rig: Rig, call: Call) -> None:
    """The telephones that were not to talk had ended a second after the first answer, as the switch told it."""
    query = "SELECT role, answered_at, ended_at FROM calls_leg WHERE call_id = %s AND role = 'agent'"
    legs = rig.center.rows(query, call.id)
    taken = min(leg["answered_at"] for leg in legs if leg["answered_at"])
    first_to_go = sorted(leg["ended_at"] for leg in legs)[:-1]
    assert len(legs) == len(SALES)
    assert all((ended - taken).total_seconds() * 1000 < FREE_WITHIN_MS for ended in first_to_go), legs


def _over(rig: Rig, call: Call, agent: AgentConfig) -> None:
    finish_wrap_up(rig, agent, call.id)
    history = rig.center.history(call.caller_number)
    assert (history["id"], history["outcome"]) == (call.id, "served")


def test_three_ring_one_answers_and_the_others_stop(rig: Rig, three: list[AgentConfig]) -> None:
    number = "13700000051"
    quick, *slow = three
    rig.seat(quick, ring_ms=2500)
    rig.seat(*slow, ring_ms=7000)
    rig.center.make_ready(*three)
    caller = call_into_sales(rig, number)
    until(rig, number, _all_ring, "all three ring")
    call = talking(rig, number, quick)
    assert [rig.center.agent_state(agent.id) for agent in slow] == [AgentState.READY] * 2
    _only_these_two(rig, call)
    _let_off(rig, call, slow)
    caller.hang_up()
    _over(rig, call, quick)
    _free_in_time(rig, call)


@pytest.mark.parametrize("three", ["ring_progressively"], indirect=True)
def test_they_begin_to_ring_one_after_another(rig: Rig, three: list[AgentConfig]) -> None:
    number = "13700000052"
    rig.seat(*three, ring_ms=4000)
    rig.center.make_ready(*three)
    caller = call_into_sales(rig, number)
    call = until(rig, number, _all_ring, "all three ring")
    times = sorted(offer.offered_ms for offer in call.offers.values())
    assert all(later - earlier >= 1000 * STEP_S for earlier, later in pairwise(times))
    first = min(call.offers.values(), key=lambda offer: offer.offered_ms).agent
    winner = next(agent for agent in three if agent.id == first)
    call = talking(rig, number, winner)  # each rings as long, so who was asked first answers first
    _only_these_two(rig, call)
    _let_off(rig, call, [agent for agent in three if agent is not winner])
    caller.hang_up()
    _over(rig, call, winner)
    _free_in_time(rig, call)


def test_of_three_who_answer_in_one_moment_one_has_the_caller(rig: Rig, three: list[AgentConfig]) -> None:
    number = "13700000053"
    rig.seat(*three, ring_ms=1500)
    rig.center.make_ready(*three)
    caller = call_into_sales(rig, number)
    call = until(rig, number, lambda now: now.bridge is not None and now.bridge.bridged_ms, "talked with")
    assert call.bridge is not None
    winner = next(agent for agent in three if agent.id == call.bridge.agent)
    _only_these_two(rig, call)
    _let_off(rig, call, [agent for agent in three if agent is not winner])
    assert talking(rig, number, winner).bridge == call.bridge, "and keeps it"
    caller.hang_up()
    _over(rig, call, winner)
    _free_in_time(rig, call)
    bridges = rig.center.rows("SELECT 1 FROM calls_factrecord WHERE call = %s AND type = 'CallBridged'", call.id)
    assert len(bridges) == 1


def test_an_open_line_among_them_has_the_call_at_once(rig: Rig, three: list[AgentConfig]) -> None:
    number = "13700000054"
    _, lina, _ = three
    others = [agent for agent in three if agent is not lina]
    rig.center.call("keep_open", "1002", True)
    eventually(partial(_is_kept, rig), 20, "the engine knows")
    try:
        rig.seat(*others, ring_ms=7000)
        rig.seat(lina)
        rig.center.make_ready(*three)
        eventually(partial(_stands, rig, lina), 20, "the line stands")
        caller = call_into_sales(rig, number)
        call = talking(rig, number, lina, 5)
        assert all(rig.center.agent_state(agent.id) is AgentState.READY for agent in others)
        line = rig.center.state().agents[lina.id].kept
        assert line is not None
        wanted = {call.leg, line.leg}
        eventually(lambda: {row["uuid"] for row in rig.switch.api.channels()} == wanted, 10, "nothing rings")
        caller.hang_up()
        _over(rig, call, lina)
    finally:
        rig.center.call("keep_open", "1002", False)


def _is_kept(rig: Rig) -> bool:
    device = rig.center.agent("李娜").device
    return device is not None and device.kept_open


def _stands(rig: Rig, agent: AgentConfig) -> bool:
    kept = rig.center.state().agents[agent.id].kept
    return kept is not None and kept.deadline_ms is None
