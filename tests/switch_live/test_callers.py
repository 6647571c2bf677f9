"""Callers as they come: impatient, unanswered, wrongly dialled, hostile."""

from __future__ import annotations

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import at_node, call_in_menu, call_into_sales, finish_wrap_up, in_state, talking, until
from tests.switch_live.phones import NEVER_MS
from tests.switch_live.waiting import eventually

HOSTILE_NAMES = [
    "x%0aEvent-Name: HEARTBEAT",
    "x%0d%0aUnique-ID: 1%0a%0a",
    "${system(touch /tmp/pwned)} {origination_uuid=1} ^^:a::b",
    "王\u2028芳\u2029\u202e\u0085",
    "\udcff\udcfe\udc80 not utf-8",
    "n" * 8000,
]


def test_a_caller_abandons_in_the_queue_and_one_in_the_menu(rig: Rig) -> None:
    waiting = call_into_sales(rig, "13600000001")
    in_menu = call_in_menu(rig, "13600000002")
    waiting.hang_up()
    in_menu.hang_up()
    assert rig.center.history("13600000001")["outcome"] == "abandoned"
    assert rig.center.history("13600000002")["outcome"] == "left_in_ivr"


def test_a_caller_hangs_up_while_the_telephone_rings(rig: Rig) -> None:
    agent = rig.center.agent("李娜")
    rig.seat(agent, ring_ms=NEVER_MS)
    rig.center.make_ready(agent)
    caller = call_into_sales(rig, "13600000003")
    rig.center.wait_for(agent, AgentState.OFFERED)
    caller.hang_up()
    rig.center.wait_for(agent, AgentState.READY)
    eventually(lambda: not rig.switch.api.channels(), 10, "the telephone no longer rings")
    assert rig.center.history("13600000003")["outcome"] == "abandoned"


def test_nobody_answers_and_the_caller_keeps_the_place(rig: Rig) -> None:
    absent, present = rig.center.agent("李娜"), rig.center.agent("王芳")
    rig.seat(absent, ring_ms=NEVER_MS)
    rig.seat(present)
    rig.center.make_ready(absent)
    first = call_into_sales(rig, "13600000004")
    rig.center.wait_for(absent, AgentState.OFFERED)
    second = call_into_sales(rig, "13600000005")
    offered = rig.center.live_call("13600000004")
    assert offered is not None and offered.wait is not None
    rig.center.wait_for(absent, AgentState.NOT_RESPONDING)
    call = in_state(rig, "13600000004", CallState.WAITING)
    assert call.wait is not None and call.wait.queued_ms == offered.wait.queued_ms
    rig.center.make_ready(present)
    call = talking(rig, "13600000004", present)
    in_state(rig, "13600000005", CallState.WAITING)
    query = "SELECT outcome FROM calls_decision WHERE call_id = %s ORDER BY at"
    wanted = [{"outcome": "no_answer"}, {"outcome": "answered"}]
    eventually(lambda: rig.center.rows(query, call.id) == wanted, 20, "both offers on record")
    first.hang_up()
    finish_wrap_up(rig, present, call.id)
    talking(rig, "13600000005", present)
    second.hang_up()
    assert rig.center.history("13600000005")["outcome"] == "served"


def test_a_telephone_cannot_send_its_call_elsewhere(rig: Rig) -> None:
    """A 302 would let whoever holds one agent's secret make the switch dial anywhere, past every trunk and rule."""
    forwarding, present = rig.center.agent("李娜"), rig.center.agent("王芳")
    elsewhere = rig.seat()
    rig.refusing_seat(forwarding, f"302 Moved Temporarily\nContact: <sip:0900@127.0.0.1:{elsewhere.port}>")
    rig.seat(present)
    rig.center.make_ready(forwarding, present)
    caller = call_into_sales(rig, "13500000302")
    call = talking(rig, "13500000302", present)
    assert not elsewhere.log.exists() or "INVITE" not in elsewhere.log.read_text(errors="replace")
    caller.hang_up()
    finish_wrap_up(rig, present, call.id)


@pytest.mark.parametrize(
    "code", ["486 Busy Here", "480 Temporarily Unavailable", "503 Service Unavailable", "603 Decline"]
)
def test_a_telephone_refuses_and_another_gets_the_call(rig: Rig, code: str) -> None:
    refusing, present = rig.center.agent("李娜"), rig.center.agent("王芳")
    rig.refusing_seat(refusing, code)
    rig.seat(present)
    rig.center.make_ready(refusing, present)
    number = f"1350000{code[:3]}"
    caller = call_into_sales(rig, number)
    call = talking(rig, number, present)
    caller.hang_up()
    finish_wrap_up(rig, present, call.id)
    assert rig.center.history(number)["outcome"] == "served"
    assert rig.center.agent_state(refusing.id) not in (AgentState.OFFERED, AgentState.TALKING)


def test_an_unknown_number_is_told_so_politely(rig: Rig) -> None:
    caller = rig.caller(did="4001234567", number="13600000006")
    until(rig, "13600000006", lambda call: call.answered, "answered")
    eventually(lambda: caller.gone, 40, "hung up on after the announcement")
    history = rig.center.history("13600000006")
    assert history["outcome"] == "unknown_did" and history["did"] == "4001234567"
    assert (history["ended_at"] - history["answered_at"]).total_seconds() > 5, (
        "the announcement was heard, in both languages"
    )


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_hostile_name_is_only_a_name(rig: Rig, name: str) -> None:
    number = f"1340000000{HOSTILE_NAMES.index(name)}"
    caller = call_in_menu(rig, number, name)
    call = rig.center.live_call(number)
    assert call is not None and call.did == "4008005566"
    assert len(call.caller_name) <= 128 and call.caller_name.isprintable()
    caller.hang_up()
    assert rig.center.history(number)["outcome"] == "left_in_ivr"
    assert rig.center.healthy()


@pytest.mark.parametrize("number", ["138%0aUnique-ID: 1", "%7Bx=y%7D", "anonymous", "1" * 300])
def test_a_hostile_number_is_served_all_the_same(rig: Rig, number: str) -> None:
    agent = rig.center.agent("李娜")
    rig.seat(agent)
    rig.center.make_ready(agent)
    caller = rig.caller(number=number.replace(" ", "%20"))
    eventually(lambda: rig.center.state().calls, 10, "the call arrived")
    call = next(iter(rig.center.state().calls.values()))
    assert call.caller_number.isprintable() and len(call.caller_number) <= 128
    for key, node in (("1", "lang"), ("1", "main")):
        at_node(rig, call.caller_number, node)
        caller.press(key)
    talking(rig, call.caller_number, agent)
    caller.hang_up()
    finish_wrap_up(rig, agent, call.id)
