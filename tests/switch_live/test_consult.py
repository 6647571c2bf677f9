"""Attended transfer and three-way on a real switch: who hears whom, and that the customer comes back whatever dies.

Each party talks in a tone of its own; what a leg hears is the second channel of a recording of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core import commands as c
from apps.core.events import (
    CallArrived,
    HangupCause,
    LegAnswered,
    LegHungUp,
    LegJoined,
    LegParked,
    LegsBridged,
    RecordingStopped,
    SwitchSnapshot,
)
from apps.core.ids import LegId, RecordingId, TenantId
from apps.switches.freeswitch.driver import FreeSwitchDriver
from tests.switch_live import sound
from tests.switch_live.driver_rig import Heard, Rig, until, why_not
from tests.switch_live.phones import Caller, Seat
from tests.switch_live.test_driver import CALL, S, new_leg, originate

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]

MUSIC_HZ, THIRD_HZ = 300, 1500
TONES = {"customer": sound.CALLER_HZ, "agent": sound.AGENT_HZ, "third": THIRD_HZ, "music": MUSIC_HZ}
_rooms = iter(range(1, 1000))


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    made = Rig(tmp_path_factory.mktemp("consult"))
    seats: list[Seat] = []
    try:
        made.start()
        seats += [
            Seat(made.home / "agent", 50, made.phone),
            Seat(made.home / "third", 50, made.mute_phone, THIRD_HZ),
        ]
        yield made
    finally:
        for seat in seats:
            seat.stop()
        made.stop()


class Trio:
    """A customer who talks with an agent, and a third telephone to ask."""

    def __init__(self, rig: Rig, driver: FreeSwitchDriver, heard: Heard) -> None:
        self.rig, self.driver, self.heard = rig, driver, heard
        self.caller = Caller(rig.home, rig.sip, "4001")
        self.customer = heard.wait(CallArrived).leg
        self.do(c.TagLeg(switch=S, leg=self.customer, call=CALL, tenant=TenantId("1")))
        self.do(c.AnswerLeg(switch=S, leg=self.customer))
        heard.wait(LegAnswered, leg=self.customer)
        self.agent, self.third = new_leg(), new_leg()
        self.ring(self.agent, "1001")
        self.do(c.BridgeLegs(switch=S, leg=self.agent, other=self.customer))
        self.bridged(self.agent, self.customer)

    def do(self, command: c.Command) -> None:
        self.driver.execute(command)

    def ring(self, leg: LegId, address: str) -> None:
        self.do(originate(leg, address))
        self.heard.wait(LegParked, leg=leg)

    def bridged(self, leg: LegId, other: LegId, after: int = 0) -> None:
        until(
            lambda: {leg, other} in [{e.leg, e.other} for e in self.heard.events[after:] if isinstance(e, LegsBridged)],
            f"the bridge; heard {self.heard.events[after:]}",
        )

    def set_aside(self) -> None:
        """The first step of a consult."""
        mark = len(self.heard.events)
        self.do(c.PartLegs(switch=S, leg=self.agent, other=self.customer, idle_timeout_ms=60_000))
        self.heard.wait(LegParked, leg=self.agent, after=mark)
        assert self.heard.wait(CallArrived, leg=self.customer, after=mark).call == CALL
        self.music(self.customer)

    def music(self, leg: LegId) -> None:
        self.do(c.StartMusic(switch=S, leg=leg))

    def together(self, leg: LegId, other: LegId, keep: bool = True) -> int:
        mark = len(self.heard.events)
        self.do(c.BridgeLegs(switch=S, leg=leg, other=other, keep=keep, idle_timeout_ms=60_000))
        self.bridged(leg, other, mark)
        return mark

    def consult(self) -> None:
        self.set_aside()
        self.ring(self.third, "1002")
        self.together(self.agent, self.third)

    def three(self) -> str:
        room = f"room-{next(_rooms)}"
        for leg in (self.customer, self.agent, self.third):  # as the core does it
            self.do(c.JoinRoom(switch=S, leg=leg, room=room))
        for leg in (self.agent, self.third, self.customer):
            assert self.heard.wait(LegJoined, leg=leg).room == room
        return room

    def hears(self, leg: LegId) -> set[str]:
        """Whose tones this leg hears just now."""
        name = RecordingId(f"r{time.time_ns()}")
        path = f"{name}.wav"
        self.do(c.StartRecording(switch=S, leg=leg, recording=name, path=path))
        time.sleep(1.2)
        self.do(c.StopRecording(switch=S, leg=leg, recording=name, path=path))
        self.heard.wait(RecordingStopped, recording=name)
        return _tones(self.rig.home / "recordings" / path)

    def hang_up(self, leg: LegId) -> int:
        mark = len(self.heard.events)
        self.do(c.HangUpLeg(switch=S, leg=leg))
        self.heard.wait(LegHungUp, leg=leg, after=mark)
        return mark

    def end(self) -> None:
        """To the last leg: one on its way out of a room would arrive in the next test."""
        legs = [leg for leg in (self.customer, self.agent, self.third) if not self.heard.all(LegHungUp, leg=leg)]
        for leg in legs:
            self.do(c.HangUpLeg(switch=S, leg=leg))
        for leg in legs:
            self.heard.wait(LegHungUp, leg=leg)
        self.caller.stop()


def _tones(path: Path) -> set[str]:
    to_the_leg = sound.channels(path)[1][2000:]
    return {name for name, hertz in TONES.items() if sound.strength(to_the_leg, hertz) > 0.1}


@pytest.fixture
def trio(rig: Rig) -> Iterator[Trio]:
    with rig.driver() as (driver, heard):
        made = Trio(rig, driver, heard)
        try:
            yield made
        finally:
            made.end()


def test_ask_swap_and_complete(trio: Trio) -> None:
    assert trio.hears(trio.customer) == {"agent"}
    trio.consult()
    assert (trio.hears(trio.customer), trio.hears(trio.agent)) == ({"music"}, {"third"})
    mark = trio.together(trio.agent, trio.customer)
    trio.heard.wait(LegParked, leg=trio.third, after=mark)
    trio.music(trio.third)
    assert (trio.hears(trio.customer), trio.hears(trio.third)) == ({"agent"}, {"music"})
    mark = trio.together(trio.agent, trio.third)
    trio.heard.wait(CallArrived, leg=trio.customer, after=mark)
    trio.music(trio.customer)
    assert (trio.hears(trio.customer), trio.hears(trio.third)) == ({"music"}, {"agent"})
    mark = trio.together(trio.third, trio.customer)
    trio.heard.wait(LegParked, leg=trio.agent, after=mark)
    trio.hang_up(trio.agent)
    assert (trio.hears(trio.customer), trio.hears(trio.third)) == ({"third"}, {"customer"})
    assert not trio.heard.all(LegHungUp, leg=trio.customer)


def test_completed_while_with_the_customer(trio: Trio) -> None:
    trio.consult()
    trio.together(trio.agent, trio.customer)
    trio.together(trio.third, trio.customer)
    assert trio.hears(trio.customer) == {"third"}


def test_the_consulted_hangs_up_and_the_agent_has_the_customer_again(trio: Trio) -> None:
    trio.consult()
    mark = trio.hang_up(trio.third)
    trio.heard.wait(LegParked, leg=trio.agent, after=mark)
    trio.together(trio.agent, trio.customer)
    assert trio.hears(trio.customer) == {"agent"}


def test_cancelled_while_it_rings(trio: Trio) -> None:
    trio.set_aside()
    trio.do(c.StartMusic(switch=S, leg=trio.agent, music=c.RINGING_TONE))
    trio.do(originate(trio.third, "1002"))
    trio.do(c.HangUpLeg(switch=S, leg=trio.third, cause=HangupCause.CANCELLED))
    trio.together(trio.agent, trio.customer)
    trio.heard.wait(LegHungUp, leg=trio.third)
    assert trio.hears(trio.customer) == {"agent"}


def test_three_hear_each_other_and_two_go_on(trio: Trio) -> None:
    trio.consult()
    trio.three()
    assert trio.hears(trio.customer) == {"agent", "third"}
    assert trio.hears(trio.agent) == {"customer", "third"}
    trio.hang_up(trio.agent)
    trio.together(trio.third, trio.customer, keep=False)
    assert (trio.hears(trio.customer), trio.hears(trio.third)) == ({"third"}, {"customer"})
    mark = trio.hang_up(trio.third)
    assert trio.heard.wait(CallArrived, leg=trio.customer, after=mark).call == CALL


def test_the_customer_leaves_a_three_way_and_the_two_go_on(trio: Trio) -> None:
    trio.consult()
    trio.three()
    trio.hang_up(trio.customer)
    assert (trio.hears(trio.agent), trio.hears(trio.third)) == ({"third"}, {"agent"})


def test_three_from_the_swapped_side(trio: Trio) -> None:
    trio.consult()
    trio.together(trio.agent, trio.customer)
    trio.three()
    assert trio.hears(trio.third) == {"agent", "customer"}
    trio.heard.events.clear()
    trio.driver.request_snapshot()
    seen = {leg.leg: leg for leg in trio.heard.wait(SwitchSnapshot).legs}
    assert {seen[leg].in_room for leg in (trio.customer, trio.agent, trio.third)} == {True}


# --- while no engine is there --------------------------------------------------------------------------------------


def test_without_an_engine_a_consult_goes_on_and_the_customer_is_there_for_the_next(rig: Rig) -> None:
    with rig.driver() as (driver, heard):
        trio = Trio(rig, driver, heard)
        trio.consult()
    with rig.driver() as (driver, heard):
        assert heard.wait(CallArrived, seconds=25).call == CALL
        heard.wait(SwitchSnapshot) if heard.all(SwitchSnapshot) else driver.request_snapshot()
        seen = {leg.leg: leg for leg in heard.wait(SwitchSnapshot).legs}
        assert seen[trio.agent].bridged_to == trio.third
        trio.driver, trio.heard = driver, heard
        mark = trio.together(trio.third, trio.customer)
        heard.wait(LegParked, leg=trio.agent, after=mark)
        assert trio.hears(trio.customer) == {"third"}
        trio.end()


def test_without_an_engine_the_one_left_in_a_room_comes_back(rig: Rig) -> None:
    """Nobody of us tells the switch to: the agent and the third put their telephones down."""
    with rig.driver() as (driver, heard):
        trio = Trio(rig, driver, heard)
        trio.consult()
        trio.three()
        driver.stop()
    with rig.driver() as (driver, heard):
        for leg in (trio.agent, trio.third):
            driver.execute(c.HangUpLeg(switch=S, leg=leg))
        assert heard.wait(CallArrived).leg == trio.customer
        trio.driver, trio.heard = driver, heard
        trio.end()


def test_a_telephone_that_dies_in_the_gap_of_a_consult_s_bridge_loses_nobody(rig: Rig) -> None:
    for delay_s in (0.0, 0.01, 0.03):
        with rig.driver() as (driver, heard):
            trio = Trio(rig, driver, heard)
            trio.set_aside()
            trio.ring(trio.third, "1002")
            trio.do(c.BridgeLegs(switch=S, leg=trio.agent, other=trio.third, keep=True, idle_timeout_ms=60_000))
            time.sleep(delay_s)
            trio.hang_up(trio.third)
            if heard.all(LegHungUp, leg=trio.agent):
                trio.end()
                continue  # seen on occasion: then the customer goes to the head of the queue
            trio.together(trio.agent, trio.customer)
            assert trio.hears(trio.customer) == {"agent"}
            trio.end()
