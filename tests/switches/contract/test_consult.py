"""Attended transfer and three-way on every switch driver: set aside, ask, swap, complete, all three."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import HangupCause
from apps.core.ids import LegId
from tests.switches.contract.callers import CALL, arrive, talk
from tests.switches.contract.rigs import ANSWERS, GATEWAY, SWITCH, Scene

NUMBER = "13912345678"


class Consult:
    """A customer set aside, the agent's telephone free, somebody outside who is asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.customer = arrive(scene)
        self.agent = talk(scene, self.customer)
        mark = scene.mark()
        scene.do(c.PartLegs(switch=SWITCH, leg=self.agent, other=self.customer, idle_timeout_ms=60_000))
        scene.wait(e.LegParked, after=mark, leg=self.agent)
        assert scene.wait(e.CallArrived, after=mark, leg=self.customer).call == CALL
        scene.do(c.StartMusic(switch=SWITCH, leg=self.customer))
        self.other = scene.originate(NUMBER, gateway=GATEWAY, role=e.LegRole.EXTERNAL)
        scene.wait(e.LegParked, leg=self.other)

    def together(self, leg: LegId, other: LegId) -> int:
        mark = self.scene.mark()
        self.scene.do(c.BridgeLegs(switch=SWITCH, leg=leg, other=other, keep=True, idle_timeout_ms=60_000))
        self.scene.rig.wait_until(
            lambda: {leg, other} in [{one.leg, one.other} for one in self.scene.all(e.LegsBridged, after=mark)],
            "the bridge",
        )
        return mark

    def all_three(self) -> None:
        mark = self.scene.mark()
        legs = (self.customer, self.agent, self.other)  # as the core does it
        for leg in legs:
            self.scene.do(c.JoinRoom(switch=SWITCH, leg=leg, room="run1-c1"))
        for leg in legs:
            assert self.scene.wait(e.LegJoined, after=mark, leg=leg).room == "run1-c1"


def test_ask_swap_and_complete(scene: Scene) -> None:
    consult = Consult(scene)
    consult.together(consult.agent, consult.other)
    mark = consult.together(consult.agent, consult.customer)
    scene.wait(e.LegParked, after=mark, leg=consult.other)
    mark = consult.together(consult.agent, consult.other)
    scene.wait(e.CallArrived, after=mark, leg=consult.customer)
    mark = consult.together(consult.other, consult.customer)
    scene.wait(e.LegParked, after=mark, leg=consult.agent)
    scene.hang_up(consult.agent)
    scene.wait(e.LegHungUp, leg=consult.agent)
    scene.rig.let_pass(300)
    assert scene.rig.exists(consult.customer) and scene.rig.exists(consult.other)


def test_the_consulted_goes_and_the_agent_s_telephone_stays(scene: Scene) -> None:
    consult = Consult(scene)
    consult.together(consult.agent, consult.other)
    mark = scene.mark()
    scene.hang_up(consult.other)
    scene.wait(e.LegParked, after=mark, leg=consult.agent)
    consult.together(consult.agent, consult.customer)
    scene.hang_up(consult.customer)
    scene.wait(e.LegHungUp, leg=consult.customer)


def test_three_are_seen_in_their_room_and_two_go_on(scene: Scene) -> None:
    consult = Consult(scene)
    consult.together(consult.agent, consult.other)
    consult.all_three()
    scene.rig.let_pass(500)  # the list of a real switch lags
    mark = scene.mark()
    scene.rig.driver.request_snapshot()
    seen = {leg.leg: leg.in_room for leg in scene.wait(e.SwitchSnapshot, after=mark).legs}
    assert seen[consult.customer] and seen[consult.agent] and seen[consult.other]
    scene.hang_up(consult.agent)
    scene.wait(e.LegHungUp, leg=consult.agent)
    mark = scene.mark()
    scene.do(c.BridgeLegs(switch=SWITCH, leg=consult.other, other=consult.customer))
    scene.wait(e.LegsBridged, after=mark)
    scene.hang_up(consult.other)
    assert scene.wait(e.CallArrived, after=mark, leg=consult.customer).call == CALL


def test_from_a_talk_with_the_customer_nobody_comes_to_us_on_the_way(scene: Scene) -> None:
    """Its arrival would travel by another way than the news of the room, and may be later: as if the room had ended."""
    consult = Consult(scene)
    consult.together(consult.agent, consult.other)
    mark = consult.together(consult.agent, consult.customer)
    scene.wait(e.LegParked, after=mark, leg=consult.other)
    mark = scene.mark()
    consult.all_three()
    scene.rig.let_pass(500)
    assert not scene.all(e.CallArrived, after=mark)


def test_who_is_left_alone_in_a_room_comes_back(scene: Scene) -> None:
    consult = Consult(scene)
    consult.together(consult.agent, consult.other)
    consult.all_three()
    mark = scene.mark()
    scene.hang_up(consult.agent)
    scene.hang_up(consult.other)
    assert scene.wait(e.CallArrived, after=mark, leg=consult.customer).call == CALL


def test_asked_by_a_telephone_of_the_house(scene: Scene) -> None:
    """The consulted is an agent, whose telephone is rung and thought better of."""
    consult = Consult(scene)
    colleague = scene.originate(ANSWERS)
    scene.hang_up(colleague, HangupCause.CANCELLED)
    scene.wait(e.LegHungUp, leg=colleague)
    consult.together(consult.agent, consult.other)
