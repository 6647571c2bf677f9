"""Events that the switch never told: what they would have said is found out, and nobody stays stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.switches.simulator.channel import Job
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.faults import Faults
from tests.engine.floor import Floor

AGENT = "1001"
FOUND_OUT_S = 15.0  # 5 s are promised; this machine may be busy


class Forgetful(Faults):
    """Loses the events of these names, each once for a leg."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names
        self.lost: list[str] = []

    def deliver(self, clock: Scheduler, event: Any, send: Callable[[Any], None]) -> None:
        told = f"{event['Event-Name']} {event.get('Unique-ID', '')}"
        if event["Event-Name"] in self.names and told not in self.lost:
            self.lost.append(told)
            return
        send(event)


async def test_a_caller_whose_hang_up_was_lost_leaves_the_line(floor: Floor) -> None:
    caller = floor.place_call()
    await floor.call_in(caller, CallState.WAITING)
    floor.model.faults = Forgetful("CHANNEL_HANGUP")
    floor.hang_up(caller)
    await floor.until(lambda: floor.call(caller) is None, FOUND_OUT_S)
    assert floor.model.faults.lost


async def test_an_agent_whose_answer_was_lost_talks(floor: Floor) -> None:
    await floor.make_ready(AGENT)
    caller = floor.place_call()
    await floor.until(lambda: floor.phones.phones[floor.phone(AGENT)].ringing(), 15)
    floor.model.faults = Forgetful("CHANNEL_PARK")
    assert floor.pick_up(AGENT)
    await floor.call_in(caller, CallState.TALKING, timeout_s=FOUND_OUT_S)
    assert floor.model.faults.lost


async def test_an_agent_whose_talk_ended_unheard_wraps_up(floor: Floor) -> None:
    await floor.make_ready(AGENT)
    caller = await floor.talk(AGENT)
    floor.model.faults = Forgetful("CHANNEL_HANGUP", "CHANNEL_UNBRIDGE")
    floor.hang_up(caller)
    await floor.until(lambda: floor.agent_state(AGENT) is AgentState.WRAP_UP, FOUND_OUT_S)
    await floor.until(lambda: floor.call(caller) is None, FOUND_OUT_S)


async def test_a_leg_of_ours_that_no_call_knows_is_let_go(floor: Floor) -> None:
    await floor.call_in(floor.place_call(), CallState.WAITING)
    tags = "origination_uuid=stray,trunkline_leg=agent:r0-c1:1"
    floor.event_socket.time.catch_up()
    floor.model.originate(f"{{{tags}}}user/{floor.phone(AGENT)} &park()", Job("stray-job", "originate", ""))
    floor.event_socket.time.catch_up()
    await floor.until(lambda: floor.pick_up(AGENT), 10)
    await floor.until(lambda: "stray" in floor.model.channels, 10)
    await floor.until(lambda: "stray" not in floor.model.channels, FOUND_OUT_S)
