"""Click-to-dial from REST to history: a program asks, the agent's telephone rings, then the number, and they talk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.switches.simulator.phones import Answering, PhoneBehaviour
from tests.engine.floor import Floor
from tests.engine.web import Web

AGENT = "1001"
NUMBER, BUSY = "13912345678", "13912340000"


@pytest.fixture
async def web(floor: Floor) -> AsyncIterator[Web]:
    running = Web(floor)
    try:
        await running.start()
        yield running
    finally:
        running.stop()


async def dialled(web: Web, floor: Floor, **fields: object) -> str:
    """Asks for a call and waits for the engine's word; the command's status."""
    agent = int(floor.agents[AGENT])
    status, asked = await web.ask("POST", "/calls", {"agent": agent, "number": NUMBER, **fields})
    assert status == 202 and asked["action"] == "call.dial", asked
    status, said = await web.ask("GET", f"/commands/{asked['id']}?wait=10")
    assert status == 200, said
    return str(said["status"] if said["status"] != "refused" else said["code"])


async def test_a_program_calls_a_customer_for_an_agent_and_history_knows_whom(floor: Floor, web: Web) -> None:
    customer, other = (row[0] for row in floor.rows("SELECT id FROM customers_customer ORDER BY id LIMIT 2"))
    assert await dialled(web, floor, customer=str(customer)) == "wrong_state", "nobody is signed in"
    await floor.make_ready(AGENT)
    assert await dialled(web, floor, customer=str(customer), attached={"ticket": "T-1"}) == "done"
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.TALKING, 20)
    (call,) = floor.state.calls.values()
    assert call.state is CallState.TALKING and call.attached == {"ticket": "T-1"}
    number = floor.model.channels[call.leg]
    assert number.destination == NUMBER and number.peer is not None and number.peer.phone == floor.phone(AGENT)

    status, asked = await web.ask("POST", f"/calls/{call.id}/hangup", {"version": call.version})
    assert status == 202, asked
    await floor.finish_wrap_up(AGENT, call.id)
    await floor.until(lambda: not floor.state.calls)
    await floor.recorded()
    assert floor.rows("SELECT customer_id, linked_by_id FROM customers_calllink WHERE call_id = %s", call.id) == [
        (customer, None)
    ]
    _status, history = await web.ask("GET", f"/calls/{call.id}")
    assert (history["direction"], history["outcome"], history["caller_number"]) == ("outbound", "served", NUMBER)
    assert [leg["role"] for leg in history["legs"]] == ["agent", "customer"] and history["talk_ms"] > 0
    assert [leg["answered_at"] is not None for leg in history["legs"]] == [True, True]
    assert len(history["recordings"]) == 1 and history["dispositions"][0]["disposition"] == "resolved"
    _status, contacts = await web.ask("GET", f"/customers/{customer}/timeline")
    assert call.id in str(contacts)
    _status, others = await web.ask("GET", f"/customers/{other}/timeline")
    assert call.id not in str(others)


async def test_a_busy_number_ends_the_call_and_the_agent_is_where_they_were(floor: Floor, web: Web) -> None:
    floor.phones.add(BUSY, PhoneBehaviour(answering=Answering.BUSY), registered=False)
    await floor.make_ready(AGENT)
    assert await dialled(web, floor, number=BUSY, customer="crm-77") == "done"
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.READY and not floor.state.calls, 20)
    await floor.recorded()
    assert floor.rows("SELECT outcome, cause FROM calls_call") == [("not_reached", "busy")]
    assert floor.rows("SELECT role, cause FROM calls_leg WHERE role = 'customer'") == [("customer", "busy")]
    assert not floor.rows("SELECT 1 FROM customers_calllink"), "an id of the asker's own is nobody's here"


async def test_a_caller_without_an_agent_is_hung_up_by_rest(floor: Floor, web: Web) -> None:
    caller = floor.place_call()
    call = await floor.call_in(caller, CallState.WAITING)
    await floor.recorded()
    status, asked = await web.ask("POST", f"/calls/{call.id}/hangup")
    assert status == 202, asked
    await floor.until(lambda: not caller.alive and not floor.state.calls)
    await floor.recorded()
    assert floor.rows("SELECT outcome FROM calls_call") == [("removed",)]
    status, said = await web.ask("POST", f"/calls/{call.id}/hangup")
    assert (status, said["code"]) == (409, "call_over")
