"""The real core, driver, journal, recorder and door against the simulator's Event Socket: one call and its history."""

from __future__ import annotations

from dataclasses import fields

from apps.core import events as e
from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.engine.metrics import DRIVER_COUNTS
from apps.switches.freeswitch.ports import Counters
from tests.engine.floor import Floor

AGENT, OTHER = "1001", "1003"


async def test_a_call_from_arrival_to_wrap_up(floor: Floor) -> None:
    caller = floor.place_call()
    await floor.call_in(caller, CallState.WAITING)
    await floor.make_ready(AGENT)
    await floor.until(lambda: floor.pick_up(AGENT))
    call = await floor.call_in(caller, CallState.TALKING)
    assert caller.peer is not None
    assert floor.agent_state(AGENT) is AgentState.TALKING
    floor.hang_up(caller)
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.WRAP_UP)
    await floor.finish_wrap_up(AGENT, call.id)
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.READY)
    await floor.recorded()
    (row,) = floor.rows(
        "SELECT outcome, did, caller_number, ended_at >= connected_at, wait_ms > 0, talk_ms > 0 FROM calls_call"
    )
    assert row == ("served", "4008005566", "13800000001", True, True, True)
    legs = floor.rows("SELECT role, agent_id::text, ended_at IS NOT NULL FROM calls_leg ORDER BY started_at")
    assert legs == [("customer", None, True), ("agent", floor.agents[AGENT], True)]
    kinds = [kind for (kind,) in floor.rows("SELECT kind FROM calls_segment ORDER BY sequence")]
    assert (kinds[0], kinds[-1]) == ("ivr", "talk")
    assert floor.rows("SELECT agent_id::text, rule, outcome FROM calls_decision") == [
        (floor.agents[AGENT], "longest_idle", "answered")
    ]
    assert floor.rows("SELECT disposition FROM calls_calldisposition") == [("resolved",)]
    ((status, duration_ms),) = floor.rows("SELECT status, duration_ms FROM recordings_recording")
    assert status == "done" or duration_ms is not None
    counted = {name: floor.engine.metric(f"trunkline_driver_{name}_total") for name in DRIVER_COUNTS}
    assert counted["arrivals"] >= 1 and counted["events"] > 5 and counted["commands"] > 5, counted
    assert counted["gaps"] == counted["unreadable"] == counted["reconnects"] == 0, counted


def test_whatever_a_driver_counts_is_told() -> None:
    assert {field.name for field in fields(Counters)} == set(DRIVER_COUNTS)


async def test_the_caller_keeps_the_place_when_an_agent_does_not_answer_and_the_next_gets_the_call(
    floor: Floor,
) -> None:
    caller = floor.place_call()
    await floor.call_in(caller, CallState.WAITING)
    await floor.make_ready(AGENT)
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.OFFERED)
    await floor.until(lambda: floor.phones.phones[floor.phone(AGENT)].ringing())
    await floor.ask(e.DeclineRequested, AGENT, call=(await floor.call_in(caller, CallState.WAITING)).id)
    await floor.until(lambda: floor.agent_state(AGENT) is not AgentState.OFFERED)
    await floor.make_ready(OTHER)
    await floor.until(lambda: floor.pick_up(OTHER))
    await floor.call_in(caller, CallState.TALKING)
    floor.put_down(OTHER)
    await floor.until(lambda: not caller.alive)
    await floor.recorded()
    outcomes = floor.rows("SELECT agent_id::text, outcome FROM calls_decision ORDER BY at")
    assert outcomes == [(floor.agents[AGENT], "declined"), (floor.agents[OTHER], "answered")]
    assert floor.rows("SELECT outcome FROM calls_call") == [("served",)]


async def test_a_changed_configuration_is_in_force_without_a_restart(floor: Floor) -> None:
    before = floor.state.config.version
    floor.change("UPDATE queues_queue SET name = 'Renamed' WHERE code = 'service'")
    await floor.until(lambda: floor.state.config.version > before)
    assert "Renamed" in {queue.name for queue in floor.state.config.queues.values()}


async def test_an_orderly_end_and_a_new_start_leave_calls_and_agents_as_they_were(floor: Floor) -> None:
    await floor.make_ready(AGENT)
    talking = await floor.talk(AGENT)
    waiting = floor.place_call()
    call = await floor.call_in(waiting, CallState.WAITING)
    epoch, seq = floor.page.epoch, floor.page.seq
    assert floor.engine.stop() == 0
    floor.engine.start()
    await floor.until(lambda: floor.page.seq > seq, 30)
    await floor.ready()
    assert floor.page.epoch == epoch
    assert (await floor.call_in(waiting, CallState.WAITING)).id == call.id
    assert floor.agent_state(AGENT) is AgentState.TALKING
    assert talking.peer is not None
