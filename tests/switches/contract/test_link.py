"""What every switch driver tells of the link and of the switch, and does when either goes."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core.events import PlayOutcome
from apps.core.ids import CallId
from tests.switches.contract.callers import CALL, CALLER, arrive, play, talk
from tests.switches.contract.rigs import ANSWERS, SHORT, SWITCH, TENANT, TRUNK, UNREGISTERED, Scene


def test_the_link_comes_up(scene: Scene) -> None:
    up = scene.wait(e.LinkUp)
    assert up.switch == SWITCH
    assert up.boot


def test_a_snapshot_names_our_legs(scene: Scene) -> None:
    customer = arrive(scene)
    scene.rig.place_call("13900000001")
    waiting = scene.wait(e.CallArrived, caller_number="13900000001").leg
    scene.do(c.TagLeg(switch=SWITCH, leg=waiting, call=CallId("run1-c2"), tenant=TENANT))
    agent = talk(scene, customer)
    scene.rig.let_pass(50)
    mark = scene.mark()
    scene.rig.driver.request_snapshot()
    snapshot = scene.wait(e.SwitchSnapshot, after=mark)
    legs = {leg.leg: leg for leg in snapshot.legs}
    assert set(legs) == {customer, waiting, agent}
    assert (legs[customer].call, legs[customer].role) == (CALL, e.LegRole.CUSTOMER)
    assert {legs[customer].bridged_to, legs[agent].bridged_to} == {agent, customer}
    assert (legs[agent].role, legs[agent].agent, legs[agent].answered) == (e.LegRole.AGENT, "31", True)
    assert (legs[waiting].controlled, legs[waiting].answered, legs[waiting].bridged_to) == (True, False, None)
    assert not legs[customer].controlled
    assert ANSWERS in snapshot.registered
    assert UNREGISTERED not in snapshot.registered


def test_a_snapshot_tells_of_trunks(scene: Scene) -> None:
    mark = scene.mark()
    scene.rig.driver.request_snapshot()
    assert scene.wait(e.TrunkChanged, after=mark, trunk=TRUNK).up


def test_the_link_drops_and_the_talk_goes_on(scene: Scene) -> None:
    customer = arrive(scene)
    agent = talk(scene, customer)
    boot = scene.wait(e.LinkUp).boot
    mark = scene.mark()
    scene.rig.drop_link()
    scene.wait(e.LinkDown, after=mark)
    again = scene.wait(e.LinkUp, after=mark)
    assert again.boot == boot
    scene.rig.driver.request_snapshot()
    snapshot = scene.wait(e.SwitchSnapshot, after=mark)
    assert {leg.leg for leg in snapshot.legs} >= {customer, agent}
    scene.rig.caller_hangs_up(CALLER)
    scene.wait(e.LegHungUp, after=mark, leg=customer)


def test_a_closed_door_is_tried_again(scene: Scene) -> None:
    """The caller hears music and is handed over when the engine takes calls again."""
    scene.rig.driver.accept_calls(False)
    scene.rig.let_pass(100)
    scene.rig.place_call(CALLER)
    scene.rig.let_pass(700)
    assert not scene.all(e.CallArrived)
    scene.rig.driver.accept_calls(True)
    assert scene.wait(e.CallArrived).caller_number == CALLER


def test_a_closed_door_keeps_the_callers_inside(scene: Scene) -> None:
    """A full disk, for which the engine closes it, must not cost those who are with us, nor those who come back."""
    customer = arrive(scene)
    scene.rig.driver.accept_calls(False)
    play_id = play(scene, customer, "p1", SHORT)
    assert scene.wait(e.PlayEnded, play=play_id).outcome is PlayOutcome.DONE
    mark = scene.mark()
    scene.do(c.ReclaimLeg(switch=SWITCH, leg=customer))
    assert scene.wait(e.CallArrived, after=mark, leg=customer).call == CALL


@pytest.mark.parametrize(
    "name",
    [
        "x\nEvent-Name: HEARTBEAT",
        "x%0aUnique-ID: other",
        "王芳 ${hangup} {a=b}",
        "a\u2028b\x00c\x1bd",
        "\ud800\udcff",
        "n" * 70_000,
    ],
)
def test_a_hostile_name_is_cleaned_and_harms_nothing(scene: Scene, name: str) -> None:
    scene.rig.place_call("139", name)
    arrived = scene.wait(e.CallArrived)
    assert len(arrived.caller_name) <= 128
    assert arrived.caller_name.isprintable()
    assert arrived.caller_number == "139"
    scene.hang_up(arrived.leg)
    scene.wait(e.LegHungUp, leg=arrived.leg)


def test_what_is_not_a_number_dialled_still_arrives(scene: Scene) -> None:
    scene.rig.place_call(CALLER, did="no-such-number")
    assert scene.wait(e.CallArrived).did == "no-such-number"


def test_letting_go_touches_no_call(scene: Scene) -> None:
    customer = arrive(scene)
    agent = talk(scene, customer)
    scene.rig.driver.stop()
    scene.rig.let_pass(200)
    assert scene.rig.exists(customer)
    assert scene.rig.exists(agent)
