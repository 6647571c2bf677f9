"""Blind transfers on a real switch: to a queue, an agent, a number; the customer is never lost on the way."""

from __future__ import annotations

from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, CallState
from apps.core.config import AgentConfig
from apps.core.events import TransferKind, TransferRequested
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, finish_wrap_up, talking, until
from tests.switch_live.phones import Caller
from tests.switch_live.waiting import eventually


def _talking_with_sales(rig: Rig, number: str, *others: AgentConfig) -> tuple[Caller, Call, AgentConfig]:
    sales = rig.center.agent("李娜")
    rig.seat(sales, *others)
    rig.center.make_ready(sales)
    caller = call_into_sales(rig, number)
    return caller, talking(rig, number, sales), sales


def _transfer(rig: Rig, agent: AgentConfig, call: Call, kind: TransferKind, target: str) -> None:
    request = rig.center.new_request(agent)
    rig.center.ask(TransferRequested(**request, call=call.id, kind=kind, target=target))


def _kinds(rig: Rig, call: Call) -> list[str]:
    rows = rig.center.rows("SELECT kind FROM calls_segment WHERE call_id = %s ORDER BY sequence", call.id)
    return [row["kind"] for row in rows]


def test_to_a_queue(rig: Rig) -> None:
    expert = rig.center.agent("陈静")
    caller, call, sales = _talking_with_sales(rig, "13700000001", expert)
    rig.center.make_ready(expert)
    queue = next(queue.id for queue in rig.center.state().config.queues.values() if queue.name == "客服")
    _transfer(rig, sales, call, TransferKind.QUEUE, queue)
    talking(rig, "13700000001", expert)
    finish_wrap_up(rig, sales, call.id)
    caller.hang_up()
    finish_wrap_up(rig, expert, call.id)
    assert rig.center.history("13700000001")["outcome"] == "served"
    assert _kinds(rig, call).count("talk") == 2


def test_to_an_agent(rig: Rig) -> None:
    wanted, bystander = rig.center.agent("赵敏"), rig.center.agent("王芳")
    caller, call, sales = _talking_with_sales(rig, "13700000002", wanted, bystander)
    rig.center.make_ready(bystander, wanted)
    _transfer(rig, sales, call, TransferKind.AGENT, wanted.id)
    talking(rig, "13700000002", wanted)
    assert rig.center.agent_state(bystander.id) is AgentState.READY
    caller.hang_up()
    finish_wrap_up(rig, wanted, call.id)
    assert rig.center.history("13700000002")["outcome"] == "served"


def test_to_a_number(rig: Rig) -> None:
    caller, call, sales = _talking_with_sales(rig, "13700000003")
    _transfer(rig, sales, call, TransferKind.NUMBER, "02188880000")
    external = until(
        rig, "13700000003", lambda call: call.state is CallState.TALKING and _outside(call), "talking outside"
    )
    assert [leg.address for leg in external.legs.values() if leg.role.value == "external"] == ["02188880000"]
    finish_wrap_up(rig, sales, call.id)
    caller.hang_up()
    eventually(lambda: not rig.switch.api.channels(), 10, "both legs gone")
    assert rig.center.history("13700000003")["outcome"] == "served"


def _outside(call: Call) -> bool:
    return call.bridge is not None and call.bridge.agent is None
