"""A call back in queue on a real switch: booked by keys, the caller let go, called in turn, and one call in history."""

from __future__ import annotations

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call
from apps.core.config import AgentConfig
from apps.core.events import HangUpRequested
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, finish_wrap_up, talking, until
from tests.switch_live.waiting import eventually

SOME_SOUND = 16_000
"""Bytes of a wav: a second of one channel, half of one of two."""


def _book(rig: Rig, number: str) -> Call:
    """From the queue, on the number that the caller came from; returns when the line is free."""
    caller = call_into_sales(rig, number)
    caller.press("1")
    until(rig, number, lambda call: call.dialog is not None and call.dialog.number == number, "asked")
    caller.press("1")
    booked = until(rig, number, lambda call: call.callback is not None and call.callback.state == "booked", "booked")
    eventually(lambda: caller.gone and not rig.switch.api.channels(), 10, "the caller let go")
    return booked


def _served_whole(rig: Rig, call: Call, number: str, agent: AgentConfig) -> None:
    """They talk, the agent hangs up, and history has one call with all of it."""
    talking(rig, number, agent, 30)
    eventually(lambda: _heard(rig, call), 10, "both are recorded")
    rig.center.ask(HangUpRequested(**rig.center.new_request(agent), call=call.id))
    finish_wrap_up(rig, agent, call.id)
    row = rig.center.history(number)
    assert (row["id"], row["outcome"]) == (call.id, "served")
    kinds = rig.center.rows("SELECT kind FROM calls_segment WHERE call_id = %s ORDER BY sequence", call.id)
    assert [item["kind"] for item in kinds] == ["ivr", "queue", "callback", "talk"]
    back = rig.center.rows("SELECT outcome, number, tried FROM calls_callback WHERE call_id = %s", call.id)
    assert [tuple(item.values()) for item in back] == [("served", number, 0)]
    query = "SELECT status, reason FROM recordings_recording WHERE call_id = %s"
    done = [{"status": "done", "reason": ""}]
    eventually(lambda: rig.center.rows(query, call.id) == done, 20, f"done, not {rig.center.rows(query, call.id)}")


def _heard(rig: Rig, call: Call) -> bool:
    """Some sound is in the recording already: one of nothing would count as broken."""
    rows = rig.center.rows("SELECT path FROM recordings_recording WHERE call_id = %s", call.id)
    files = [rig.switch.directory / "recordings" / row["path"] for row in rows]
    return len(files) == 1 and files[0].is_file() and files[0].stat().st_size > SOME_SOUND


@pytest.mark.parametrize("agent_first", [True, False])
def test_booked_by_keys_and_served_in_turn(rig: Rig, agent_first: bool) -> None:
    number = f"1370000003{agent_first:d}"
    rig.center.call("queue_is", "sales", {"callback_agent_first": agent_first})
    eventually(lambda: _agent_first(rig) is agent_first, 20, "the engine knows")
    call = _book(rig, number)
    sales = rig.center.agent("李娜")
    rig.seat(sales)
    rig.center.make_ready(sales)
    _served_whole(rig, call, number, sales)
    assert rig.center.agent_state(sales.id) is not AgentState.NOT_RESPONDING


def test_it_outlives_the_engine(rig: Rig) -> None:
    """kill -9 while nobody is on the line: the place is in the journal."""
    number = "13700000033"
    call = _book(rig, number)
    rig.center.kill_engine()
    rig.center.start_engine()
    kept = rig.center.live_call(number)
    assert kept is not None and kept.wait is not None and call.wait is not None
    assert kept.wait.queued_ms == call.wait.queued_ms
    sales = rig.center.agent("李娜")
    rig.seat(sales)
    rig.center.make_ready(sales)
    _served_whole(rig, call, number, sales)


def _agent_first(rig: Rig) -> bool | None:
    offers = [queue.life.callback for queue in rig.center.state().config.queues.values() if queue.name == "销售"]
    return offers[0].agent_first if offers and offers[0] is not None else None
