"""An agent's telephone on a real switch: there or not there, and on a line that stays open between calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core import events as e
from apps.core.agents import kept_open
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.calls.model import Call, CallState
from apps.core.config import AgentConfig
from tests.switch_live import sound
from tests.switch_live.conftest import Rig
from tests.switch_live.journeys import call_into_sales, finish_wrap_up, in_state, talking
from tests.switch_live.waiting import eventually

SECONDS_4 = 4 * sound.RATE * 2 * 2


@pytest.fixture
def lina(rig: Rig) -> Iterator[AgentConfig]:
    """Her line stays open."""
    rig.center.call("keep_open", "1002", True)
    eventually(lambda: _is_kept(rig), 20, "the engine knows")
    yield rig.center.agent("李娜")
    rig.center.call("keep_open", "1002", False)
    rig.center.call("outside_seat", "1002", "")


def _is_kept(rig: Rig) -> bool:
    device = rig.center.agent("李娜").device
    return device is not None and device.kept_open


def _agent(rig: Rig, agent: AgentConfig) -> Agent:
    return rig.center.state().agents[agent.id]


def _ready(rig: Rig, agent: AgentConfig) -> str:
    """Her line stands; its id on the switch."""
    rig.center.make_ready(agent)
    return _line(rig, agent)


def _line(rig: Rig, agent: AgentConfig) -> str:
    def stands() -> str:
        kept = _agent(rig, agent).kept
        return kept.leg if kept is not None and kept.deadline_ms is None else ""

    leg = eventually(stands, 20, "the line stands")
    assert rig.switch.api.api(f"uuid_exists {leg}") == "true"
    return leg


def _talk_a_while(rig: Rig, call: Call) -> Path:
    """Four seconds of this talk are recorded."""
    rows = eventually(lambda: rig.center.rows("SELECT path FROM recordings_recording WHERE call_id = %s", call.id))
    path = Path(rig.switch.recordings / rows[0]["path"])
    eventually(lambda: path.exists() and path.stat().st_size > SECONDS_4, 30, "four seconds recorded")
    return path


def _heard_both(rig: Rig, call: Call, path: Path) -> None:
    """A voice on either side of the recording, which is done."""
    query = "SELECT status FROM recordings_recording WHERE call_id = %s"
    eventually(lambda: rig.center.rows(query, call.id) == [{"status": "done"}], 20, "the recording is done")
    from_caller, from_agent = (channel[2 * sound.RATE : 3 * sound.RATE] for channel in sound.channels(path))
    assert sound.strength(from_caller, sound.CALLER_HZ) > 0.5
    assert sound.strength(from_agent, sound.AGENT_HZ) > 0.5


def test_an_unregistered_phone_is_never_offered_a_call(rig: Rig) -> None:
    sales = rig.center.agent("李娜")
    assert sales.device is not None
    address = sales.device.address
    seat = rig.seat(sales)
    rig.center.make_ready(sales)

    def registered() -> bool:
        return any(link.devices.get(address) is True for link in rig.center.state().switches.values())

    eventually(registered, 20, "the switch said that it is there")
    rig.register(sales, seat.port, expires_s=0)
    eventually(lambda: not registered(), 20, "and that it is gone")
    assert rig.center.agent_state(sales.id) is AgentState.READY
    caller = call_into_sales(rig, "13700000031")
    call = in_state(rig, "13700000031", CallState.WAITING)
    assert not call.offers, "nobody who cannot be rung is offered a caller"
    rig.register(sales, seat.port)
    call = talking(rig, "13700000031", sales)
    query = "SELECT outcome FROM calls_decision WHERE call_id = %s"
    asked = eventually(lambda: [row for row in rig.center.rows(query, call.id) if row["outcome"]], 20, "it is recorded")
    assert [row["outcome"] for row in asked] == ["answered"], "no attempt before"
    caller.hang_up()
    finish_wrap_up(rig, sales, call.id)


def test_one_open_line_carries_talk_after_talk(rig: Rig, lina: AgentConfig) -> None:
    seat = rig.seat(lina)
    line = _ready(rig, lina)

    caller = call_into_sales(rig, "13700000032")
    call = talking(rig, "13700000032", lina)
    path = _talk_a_while(rig, call)
    caller.hang_up()
    finish_wrap_up(rig, lina, call.id)
    _heard_both(rig, call, path)
    rig.center.wait_for(lina, AgentState.READY)
    assert _line(rig, lina) == line, "the line outlived the customer"

    caller = call_into_sales(rig, "13700000033")
    call = talking(rig, "13700000033", lina)
    rig.center.ask(e.MuteRequested(**rig.center.new_request(lina), call=call.id))
    eventually(lambda: _live(rig, call).bridge.muted, 20, "muted")  # type: ignore[union-attr]
    rig.center.ask(e.HoldRequested(**rig.center.new_request(lina), call=call.id))
    rig.center.wait_for(lina, AgentState.HOLDING)
    rig.center.ask(e.HangUpRequested(**rig.center.new_request(lina), call=call.id))
    eventually(lambda: caller.gone, 20, "the customer was hung up")
    finish_wrap_up(rig, lina, call.id)
    rig.center.wait_for(lina, AgentState.READY)
    assert _line(rig, lina) == line, "and the agent's hanging up"

    caller = call_into_sales(rig, "13700000034")
    call = talking(rig, "13700000034", lina)
    path = _talk_a_while(rig, call)
    caller.hang_up()
    finish_wrap_up(rig, lina, call.id)
    _heard_both(rig, call, path)
    rig.center.wait_for(lina, AgentState.READY)
    assert _line(rig, lina) == line

    seat.hang_up(rig.switch.api.api(f"uuid_getvar {line} sip_call_id").strip())
    rig.center.wait_for(lina, AgentState.PAUSED)
    assert _agent(rig, lina).reason == kept_open.LOST
    rig.center.ask(e.AgentWentReady(**rig.center.new_request(lina)))
    again = _line(rig, lina)
    assert again != line
    rig.center.ask(e.AgentSignedOut(**rig.center.new_request(lina)))
    eventually(lambda: rig.switch.api.api(f"uuid_exists {again}") == "false", 20, "let go")


def _live(rig: Rig, call: Call) -> Call:
    return rig.center.state().calls[call.id]


def test_an_open_line_outlives_the_engine(rig: Rig, lina: AgentConfig) -> None:
    rig.seat(lina)
    line = _ready(rig, lina)
    rig.center.kill_engine()
    rig.center.start_engine()
    assert _line(rig, lina) == line
    caller = call_into_sales(rig, "13700000035")
    call = talking(rig, "13700000035", lina)
    caller.hang_up()
    finish_wrap_up(rig, lina, call.id)
    assert _line(rig, lina) == line


def test_any_telephone_outside_can_be_such_a_line(rig: Rig, lina: AgentConfig) -> None:
    rig.center.call("outside_seat", "1002", "13900000041")
    eventually(lambda: rig.center.agent("李娜").device.kind == "pstn", 20, "the engine knows")  # type: ignore[union-attr]
    outside = rig.center.agent("李娜")
    line = _ready(rig, outside)
    for number in ("13700000036", "13700000037"):
        caller = call_into_sales(rig, number)
        call = talking(rig, number, outside)
        caller.hang_up()
        finish_wrap_up(rig, outside, call.id)
        rig.center.wait_for(outside, AgentState.READY)
        assert _line(rig, outside) == line
