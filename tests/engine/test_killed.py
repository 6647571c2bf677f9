"""``kill -9`` of the engine with calls in every phase: adopted by the next run, or by the dialplan when none comes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.switches.simulator.channel import Channel
from tests.engine.floor import Floor

TALKER, AFTER_TALK, WRAPPING, RINGING, BRIDGING = "1001", "1003", "1006", "1008", "1011"
SUPPORT = "13"  # Chinese, technical support
SUPPORT_ENGLISH = "23"
FALLBACK_S = 45


class Phases:
    """One caller in each phase; agents are made ready one after another, so that each gets the call meant for them."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor

    async def build(self) -> None:
        floor = self.floor
        await floor.make_ready(TALKER)
        self.talking = await floor.talk(TALKER)
        await floor.make_ready(AFTER_TALK)
        self.after_talk = await floor.talk(AFTER_TALK)
        await floor.make_ready(WRAPPING)
        self.wrapped = await floor.talk(WRAPPING)
        floor.hang_up(self.wrapped)
        await floor.until(lambda: floor.agent_state(WRAPPING) is AgentState.WRAP_UP)
        await floor.make_ready(RINGING)
        self.ringing = floor.place_call(SUPPORT)
        await floor.until(lambda: floor.phones.phones[floor.phone(RINGING)].ringing())
        await floor.make_ready(BRIDGING)
        self.bridging = floor.place_call(SUPPORT_ENGLISH)
        await floor.until(lambda: floor.phones.phones[floor.phone(BRIDGING)].ringing())
        self.waiting = floor.place_call()
        await floor.call_in(self.waiting, CallState.WAITING)
        self.in_menu = floor.place_call("")
        await floor.call_in(self.in_menu, CallState.IVR)

    def customers(self) -> list[Channel]:
        return [self.talking, self.after_talk, self.ringing, self.bridging, self.waiting, self.in_menu]

    async def kill_in_the_bridge_gap(self) -> None:
        """The engine dies when the switch has the order to bridge and has said nothing yet."""
        floor = self.floor
        killed = asyncio.Event()
        real = floor.model.bridge

        def bridge(a: str, b: str) -> str:
            assert floor.engine.process is not None
            os.kill(floor.engine.process.pid, signal.SIGKILL)
            floor.engine.process.wait()
            floor.engine.process = None
            killed.set()
            return real(a, b)

        floor.model.bridge = bridge  # type: ignore[method-assign]
        assert floor.pick_up(BRIDGING)
        await asyncio.wait_for(killed.wait(), 10)
        floor.model.bridge = real  # type: ignore[method-assign]
        floor.put_down(AFTER_TALK)  # the talk ends while nobody is there to hear of it


def double_booked(floor: Floor) -> list[str]:
    """Phones in more than one answered call."""
    live = Counter(c.phone for c in floor.model.channels.values() if c.alive and c.answered and c.phone)
    return [address for address, calls in live.items() if calls > 1]


async def test_every_call_is_adopted_after_a_kill_and_ends_well(floor: Floor) -> None:
    phases = Phases(floor)
    await phases.build()
    ids = {str(call.leg): str(call.id) for call in floor.state.calls.values()}
    await phases.kill_in_the_bridge_gap()
    await asyncio.sleep(1.0)
    floor.engine.start()
    back = time.monotonic()
    await floor.until(lambda: not floor.page.reachable, 10)
    await floor.ready()
    print(f"leading again after {time.monotonic() - back:.1f} s")

    # Nobody was lost, and nobody's talk was touched.
    survivors = [c for c in phases.customers() if c is not phases.after_talk]
    assert all(channel.alive for channel in survivors)
    assert phases.talking.peer is not None
    assert phases.bridging.peer is not None
    known = [CallState.IVR, CallState.WAITING, CallState.TALKING, CallState.CONNECTING]
    for channel in survivors:
        call = await floor.call_in(channel, *known, timeout_s=20)
        assert call.id == ids[channel.uuid], "the same call, not a new one"
    await floor.call_in(phases.bridging, CallState.TALKING)
    await floor.until(lambda: not phases.after_talk.alive, 30)
    assert floor.agent_state(TALKER) is AgentState.TALKING
    assert not double_booked(floor)

    # And everybody is served: agents pick up whatever rings, talk and hang up.
    await serve_all(floor, survivors)
    await floor.recorded()
    rows = floor.rows("SELECT id, outcome, ended_at IS NOT NULL FROM calls_call ORDER BY id")
    assert sorted(row[0] for row in rows) == sorted({*ids.values(), rows_id(rows, ids)})
    assert {row[1] for row in rows} == {"served"}
    assert all(row[2] for row in rows)
    assert floor.rows("SELECT count(*) FROM calls_leg WHERE ended_at IS NULL") == [(0,)]
    assert floor.rows("SELECT count(*) FROM calls_segment WHERE ended_at IS NULL") == [(0,)]
    twice = floor.rows(
        "SELECT call_id FROM calls_decision WHERE outcome = 'answered' GROUP BY call_id HAVING count(*) > 1"
    )
    assert not twice


def rows_id(rows: list[tuple[str, str, bool]], ids: dict[str, str]) -> str:
    """The call that had ended before the kill: it is in history and not among the living."""
    (ended,) = {row[0] for row in rows} - set(ids.values())
    return ended


async def serve_all(floor: Floor, customers: list[Channel]) -> None:
    """Agents pick up whatever rings; callers hang up once they have talked."""
    limit = time.monotonic() + 90
    helpers = [TALKER, AFTER_TALK, WRAPPING, RINGING, BRIDGING]
    while any(channel.alive for channel in customers):
        assert time.monotonic() < limit, [(c.uuid, floor.call(c)) for c in customers if c.alive]
        assert not double_booked(floor)
        for number in helpers:
            floor.pick_up(number)
            if floor.agent_state(number) in (AgentState.WRAP_UP, AgentState.PAUSED, AgentState.NOT_RESPONDING):
                await floor.make_available(number)
        for channel in customers:
            call = floor.call(channel)
            if channel.alive and channel.peer is not None and call is not None and call.state is CallState.TALKING:
                floor.hang_up(channel)
        await asyncio.sleep(0.2)


async def test_an_engine_that_stays_dead_leaves_callers_to_the_fallback(floor: Floor) -> None:
    await floor.make_ready(TALKER)
    talking = await floor.talk(TALKER)
    waiting = floor.place_call(SUPPORT)
    await floor.call_in(waiting, CallState.WAITING)
    in_menu = floor.place_call("")
    await floor.call_in(in_menu, CallState.IVR)
    floor.engine.kill()
    killed = time.monotonic()

    def reached(channel: Channel) -> bool:
        return channel.variables.get("trunkline_fallback") == "true"

    await floor.until(lambda: reached(waiting) and reached(in_menu), FALLBACK_S)
    print(f"fallback reached after {time.monotonic() - killed:.1f} s")
    assert talking.peer is not None, "a talk does not need the engine"
    floor.put_down(TALKER)
    await floor.until(lambda: reached(talking), FALLBACK_S)
