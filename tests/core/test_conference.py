"""Three together: who leaves does not take the others along."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.state import State
from tests.core.consults import Asked
from tests.core.scene import SWITCH, Scene


def three(kind: str = "agent", target: str = "cai") -> Asked:
    return Asked(Scene(), kind, target).talk().three()


def test_all_three_go_into_a_room_of_their_own() -> None:
    at = Asked(Scene()).talk()
    at.ask(e.ThreeWayRequested)
    assert {one.leg for one in at.scene.just(c.JoinRoom)} == {at.call.leg, at.bobs, at.far}
    assert {one.room for one in at.scene.just(c.JoinRoom)} == {at.call.id}
    at.three()
    scene = at.scene
    assert at.call.state == "conferencing" and at.call.consult is None
    assert (scene.agent_state("bob"), scene.agent_state("cai")) == ("CONFERENCING", "CONFERENCING")
    assert scene.folded() == scene.state and State.from_data(scene.state.to_data()) == scene.state
    assert len(scene.all(f.RecordingAsked)) == 1


def test_who_talks_with_the_customer_does_not_send_them_to_us_on_the_way_into_the_room() -> None:
    """Seen on a busy machine: that arrival overtook the news of the room, and ended it at once."""
    at = Asked(Scene()).talk()
    at.swap()
    at.ask(e.ThreeWayRequested)
    assert [one.leg for one in at.scene.just(c.JoinRoom)] == [at.call.leg, at.bobs, at.far]
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))  # the customer has left their talk
    assert not at.scene.just(c.Command), "no music into the room"
    for leg in (at.call.leg, at.bobs, at.far):
        at.scene.feed(e.LegJoined(switch=SWITCH, leg=leg, room=at.call.id))
    assert at.call.state == "conferencing"


def test_pressed_while_the_swap_settles_it_is_done_when_all_are_there() -> None:
    at = Asked(Scene()).talk()
    scene = at.scene
    at.ask(e.ConsultSwapRequested)
    at.ask(e.ThreeWayRequested)
    assert scene.just(f.RequestDone) and not scene.just(c.Command)
    at.bridge()
    assert not scene.just(c.Command), "the consulted is still on the way"
    assert scene.folded() == scene.state and State.from_data(scene.state.to_data()) == scene.state
    scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    assert {one.leg for one in scene.just(c.Command)} == {at.call.leg, at.bobs, at.far}
    at.three()
    assert at.call.state == "conferencing"


def test_what_was_pressed_is_not_outdated_by_the_settling_of_the_swap() -> None:
    at = Asked(Scene()).talk()
    at.ask(e.ConsultSwapRequested)
    seen = at.call.version
    at.bridge()
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    at.ask(e.ConsultSwapRequested, version=seen)
    seen = at.call.version
    at.bridge()
    at.customer_comes()
    at.ask(e.ThreeWayRequested, version=seen)
    assert at.scene.just(f.RequestDone) and at.scene.just(c.JoinRoom)


def test_a_customer_who_is_on_the_way_back_is_waited_for() -> None:
    at = Asked(Scene()).talk()
    at.swap()
    at.ask(e.ConsultSwapRequested)
    at.bridge()
    at.ask(e.ThreeWayRequested)
    assert not at.scene.just(c.Command)
    at.customer_comes()
    assert [type(one) for one in at.scene.just(c.Command)] == [c.JoinRoom] * 3, "and no music"


def test_a_customer_who_does_not_come_back_keeps_nobody_waiting() -> None:
    at = Asked(Scene()).talk()
    at.swap()
    at.ask(e.ConsultSwapRequested)
    at.bridge()
    at.ask(e.ThreeWayRequested)
    at.scene.wait(3.1)
    assert at.scene.last(f.ConsultAimed).aim is f.Aim.RETURN
    at.scene.wait(3.1)
    assert at.scene.last(c.PartLegs).other == at.call.leg, "is fetched"
    at.customer_comes()
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))
    at.bridge()
    assert at.call.state == "talking" and at.scene.agent_state("bob") == "TALKING"


def test_the_one_who_asked_leaves_and_the_two_others_go_on() -> None:
    at = three()
    cai = at.far
    at.ask(e.HangUpRequested)
    assert at.scene.just(c.HangUpLeg)[0].leg == at.bobs
    at.scene.hang_up(at.bobs)
    assert at.scene.agent_state("bob") == "WRAP_UP"
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge and at.call.bridge.leg == cai
    assert at.scene.agent_state("cai") == "TALKING" and len(at.scene.all(f.RecordingAsked)) == 1


def test_the_third_leaves_or_is_sent_away() -> None:
    for request, by in ((e.HangUpRequested, "cai"), (e.ConsultCancelRequested, "bob")):
        at = three()
        cai = at.far
        at.ask(request, by)
        assert at.scene.just(c.HangUpLeg)[0].leg == cai
        at.scene.hang_up(cai)
        at.bridge()
        assert at.call.bridge and at.call.bridge.agent == "bob" and at.scene.agent_state("bob") == "TALKING"
        assert at.scene.agent_state("cai") == "WRAP_UP", "has talked with the customer"


def test_the_customer_leaves_and_the_two_go_on_until_one_hangs_up() -> None:
    at = three("number", "10086")
    far = at.far
    at.scene.hang_up(at.call.leg)
    assert at.call.state == "conferencing" and not at.scene.just(c.Command)
    at.scene.hang_up(far)
    assert at.call.state == "closing" and at.scene.agent_state("bob") == "WRAP_UP"
    assert at.scene.last(c.HangUpLeg).leg == at.bobs


def test_only_the_one_who_asked_may_send_away() -> None:
    at = three()
    at.ask(e.ConsultCancelRequested, "cai")
    assert at.scene.just(f.RequestRefused)[0].code == "wrong_state"
    at.ask(e.ConsultSwapRequested)
    assert at.scene.just(f.RequestRefused)[0].code == "wrong_state"


def test_a_room_that_does_not_come_about_gives_the_customer_back() -> None:
    at = Asked(Scene()).talk()
    at.ask(e.ThreeWayRequested)
    at.scene.feed(e.LegJoined(switch=SWITCH, leg=at.call.leg, room=at.call.id))
    at.scene.feed(e.LegJoined(switch=SWITCH, leg=at.bobs, room=at.call.id))
    at.scene.wait(3.1)
    assert at.scene.last(f.ConsultAimed).end is f.ConsultEnd.FAILED
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge and at.call.bridge.agent == "bob"


def test_one_hangs_up_on_the_way_into_the_room() -> None:
    at = Asked(Scene()).talk()
    cai = at.far
    at.ask(e.ThreeWayRequested)
    at.scene.hang_up(cai)
    for leg in (at.call.leg, at.bobs):
        at.scene.feed(e.LegJoined(switch=SWITCH, leg=leg, room=at.call.id))
    at.bridge()
    assert at.call.state == "talking" and at.scene.agent_state("bob") == "TALKING"


def test_a_customer_whom_the_switch_sends_back_stays_with_the_agent() -> None:
    at = three()
    at.customer_comes()
    assert at.scene.just(c.BridgeLegs)[0].leg == at.bobs
    at.bridge()
    assert at.call.state == "talking"


def test_after_a_gap_a_room_that_still_stands_is_left_alone() -> None:
    at = three()
    scene = at.scene
    scene.now_ms += 10_000
    legs = [(at.call.leg, e.LegRole.CUSTOMER), (at.bobs, e.LegRole.AGENT), (at.far, e.LegRole.AGENT)]
    seen = tuple(e.SnapshotLeg(leg=leg, call=at.call.id, role=role, answered=True, in_room=True) for leg, role in legs)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=seen))
    assert not scene.just(c.Command) and at.call.state == "conferencing"
