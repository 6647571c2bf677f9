"""kill -9 of the engine, on a real switch, with calls in every state. Nobody is lost, nobody gets two agents."""

from __future__ import annotations

import itertools
import time

import pytest

from apps.core.agents.machine import AgentState
from apps.core.calls.model import Call, CallState
from apps.core.config import AgentConfig
from tests.switch_live.conftest import Rig
from tests.switch_live.event_socket import EventSocket
from tests.switch_live.journeys import (
    at_node,
    call_in_menu,
    call_into_sales,
    finish_wrap_up,
    in_state,
    talking,
    until,
)
from tests.switch_live.phones import Caller, Seat
from tests.switch_live.waiting import eventually

MENU, MUSIC, RINGING, TALK, AFTER = (f"1330000000{n}" for n in range(5))


def _hang_up_phone(rig: Rig, seat: Seat, call: Call) -> None:
    assert call.bridge is not None
    seat.hang_up(rig.switch.api.variable(call.bridge.leg, "sip_call_id"))


def _live(rig: Rig, number: str) -> Call:
    call = rig.center.live_call(number)
    assert call is not None
    return call


def _place(rig: Rig) -> int:
    """Since when the one who hears music stands in line."""
    wait = in_state(rig, MUSIC, CallState.WAITING).wait
    assert wait is not None
    return wait.queued_ms


def _each_agent_once(rig: Rig, number: str) -> None:
    """At most one telephone was ever connected for one talk: no decision of this caller overlaps another."""
    rows = rig.center.rows(
        "SELECT leg.answered_at, leg.ended_at FROM calls_leg leg JOIN calls_call call ON call.id = leg.call_id"
        " WHERE call.caller_number = %s AND leg.role = 'agent' AND leg.answered_at IS NOT NULL"
        " ORDER BY leg.answered_at",
        number,
    )
    for earlier, later in itertools.pairwise(rows):
        assert earlier["ended_at"] is not None and earlier["ended_at"] <= later["answered_at"]


def _complete(rig: Rig, number: str, outcome: str) -> None:
    history = rig.center.history(number)
    assert history["outcome"] == outcome
    _each_agent_once(rig, number)
    open_segments = rig.center.rows(
        "SELECT 1 FROM calls_segment WHERE call_id = %s AND ended_at IS NULL"
        " UNION ALL SELECT 1 FROM calls_leg WHERE call_id = %s AND ended_at IS NULL",
        history["id"],
        history["id"],
    )
    assert open_segments == []


def test_restarted_at_once_it_takes_every_call_up_again(rig: Rig) -> None:
    names = ("李娜", "王芳", "张伟", "刘洋")
    talks, ends, rings, later = (rig.center.agent(name) for name in names)
    seat = rig.seat(talks, ends, later)
    slow = rig.seat(rings, ring_ms=6_000)
    talker, call = _connect(rig, TALK, talks)
    leaver, ending = _connect(rig, AFTER, ends)
    in_menu = call_in_menu(rig, MENU)
    in_menu.press("1")
    at_node(rig, MENU, "main")
    rig.center.make_ready(rings)
    ringing = call_into_sales(rig, RINGING)
    rig.center.wait_for(rings, AgentState.OFFERED)
    waiting = call_into_sales(rig, MUSIC)
    in_state(rig, MUSIC, CallState.WAITING)

    rig.center.kill_engine()
    _hang_up_phone(rig, seat, ending)  # the talk ends while nobody controls the switch
    rig.center.start_engine()

    finish_wrap_up(rig, ends, ending.id)  # and takes the one who waited with music
    talking(rig, MUSIC, ends)
    until(rig, MENU, lambda call: call.state is CallState.IVR, "in the menu again")
    talking(rig, RINGING, rings, 30)
    in_state(rig, TALK, CallState.TALKING)
    _hang_up_phone(rig, seat, call)
    rig.center.wait_for(talks, AgentState.WRAP_UP)
    in_menu.press("1")
    rig.center.make_ready(later)
    talking(rig, MENU, later, 30)
    for caller in (talker, leaver, in_menu, ringing, waiting):
        caller.hang_up()
    for number in (MENU, MUSIC, RINGING, TALK, AFTER):
        _complete(rig, number, "served")
    assert slow.process.poll() is None


def _connect(rig: Rig, number: str, agent: AgentConfig) -> tuple[Caller, Call]:
    rig.center.make_ready(agent)
    caller = call_into_sales(rig, number)
    return caller, talking(rig, number, agent)


@pytest.mark.parametrize("after_ms", [0, 10, 30, 60])
def test_killed_in_the_bridge_gap(rig: Rig, after_ms: int) -> None:
    """Between the agent's answer and the bridge: before, during and just after the command to connect the two."""
    number = f"13200000{after_ms:03d}"
    agent = rig.center.agent("李娜")
    rig.seat(agent, ring_ms=1_500)
    rig.center.make_ready(agent)
    watch = EventSocket(rig.switch.event_socket_port, rig.switch.password)
    watch.subscribe("CHANNEL_ANSWER")
    caller = call_into_sales(rig, number)
    while watch.next_event(20).get("Call-Direction") != "outbound":
        pass
    time.sleep(after_ms / 1000)  # the moment under test, not a wait for something
    rig.center.kill_engine()
    watch.close()
    rig.center.start_engine()
    call = talking(rig, number, agent, 45)
    caller.hang_up()
    finish_wrap_up(rig, agent, call.id)
    _complete(rig, number, "served")


def test_kept_dead_everybody_reaches_the_fallback_within_45_seconds(rig: Rig) -> None:
    """From music, from the menu and after a talk; the switch alone brings them to the duty number."""
    agent = rig.center.agent("李娜")
    seat = rig.seat(agent)
    talker, call = _connect(rig, TALK, agent)
    in_menu = call_in_menu(rig, MENU)
    waiting = call_into_sales(rig, MUSIC)
    legs = {number: _live(rig, number).leg for number in (TALK, MENU, MUSIC)}
    rig.center.kill_engine()
    died = time.monotonic()
    within = {number: _fallback_after(rig, leg, died) for number, leg in legs.items() if number != TALK}
    assert max(within.values()) < 45, within
    assert rig.switch.api.variable(legs[TALK], "trunkline_fallback") == "", "the talk went on"
    _hang_up_phone(rig, seat, call)
    assert _fallback_after(rig, legs[TALK], time.monotonic()) < 45
    eventually(lambda: _bridged(rig, legs[TALK]), 20, "talking with the duty number")
    for caller in (talker, in_menu, waiting):
        caller.hang_up()
    eventually(lambda: not rig.switch.api.channels(), 20)
    rig.center.start_engine()
    finish_wrap_up(rig, agent, call.id)
    for number in (TALK, MENU, MUSIC):
        assert rig.center.history(number)["ended_at"] is not None


def _fallback_after(rig: Rig, leg: str, since: float) -> float:
    """Seconds until the leg stood in the fallback."""
    eventually(lambda: rig.switch.api.variable(leg, "trunkline_fallback") == "true", 60, f"{leg} in the fallback")
    return time.monotonic() - since


def _bridged(rig: Rig, leg: str) -> bool:
    return any(row["uuid"] == leg and row.get("application") == "bridge" for row in rig.switch.api.channels())


def test_killed_again_and_again(rig: Rig) -> None:
    """Five times while one caller waits and one talks: the place in line and the talk are kept."""
    agent = rig.center.agent("李娜")
    seat = rig.seat(agent)
    talker, call = _connect(rig, TALK, agent)
    waiting = call_into_sales(rig, MUSIC)
    place = _place(rig)
    for _ in range(5):
        rig.center.kill_engine()
        rig.center.start_engine()
        in_state(rig, TALK, CallState.TALKING)
        assert _place(rig) == place
    _hang_up_phone(rig, seat, call)
    finish_wrap_up(rig, agent, call.id)
    talking(rig, MUSIC, agent)
    for caller in (talker, waiting):
        caller.hang_up()
    for number in (TALK, MUSIC):
        _complete(rig, number, "served")
