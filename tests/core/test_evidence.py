"""Nothing stays stuck for more than 5 s after the switch could tell: what the simulation found that took longer."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from tests.core.callback_scene import scene_of
from tests.core.consults import Asked, heard
from tests.core.scene import SWITCH, Scene
from tests.core.test_kept_open import with_line
from tests.core.test_recovery import customer, restarted


def test_a_telephone_that_was_never_dialled_because_the_engine_died_is_given_up_at_the_second_look() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    waits = customer(call.id, controlled=True)
    restarted(scene, waits, away_s=0.2)
    assert scene.agent_state("bob") == "OFFERED", "the list may lag behind"
    scene.now_ms += 1_000
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
    assert scene.just(f.OfferEnded) and call.id in scene.state.calls


def test_a_telephone_that_has_just_been_dialled_is_not_missed() -> None:
    scene = Scene()
    scene.wait(1.5)
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    believed = {}
    for after_ms in (500, 1_500):
        scene.now_ms += after_ms
        scene.feed(e.DeadlinePassed())
        believed = {one.leg: one.new for one in scene.just(c.CompareLegs)[0].believed}
        if after_ms == 500:
            assert believed == {call.leg: False, call.offer.leg: True}
    assert not any(believed.values())


def test_a_slow_reading_from_before_a_telephone_was_dialled_costs_nobody_the_call() -> None:
    """It is asked for, the telephone is dialled, and the list comes seconds later: it says nothing of the telephone."""
    scene = Scene()
    scene.wait(2)
    call = scene.to_queue()
    waits = customer(call.id, controlled=True)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
    scene.ready("bob")
    scene.wait(4)
    for _late in range(2):  # were both on their way for long: we handle them at once
        scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
        assert scene.agent_state("bob") == "OFFERED"
    asked = len(scene.commands)
    scene.wait(0.5)
    assert any(isinstance(command, c.RequestSnapshot) for command in scene.commands[asked:])
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
    assert scene.just(f.OfferEnded) and call.id in scene.state.calls, "a list from when it would have been there"


def test_a_telephone_of_which_nothing_was_heard_is_let_off_within_five_seconds() -> None:
    """A prompt switch, at whatever moment between two looks it was dialled: it failed, and the event was lost."""
    for since_look_ms in range(0, 1_500, 100):
        scene = Scene()
        call = scene.to_queue()
        waits = customer(call.id, controlled=True)
        scene.wait(6)
        scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
        scene.now_ms += since_look_ms
        scene.ready("bob")
        assert call.offer is not None
        leg, until_ms, doubted, read = call.offer.leg, scene.now_ms + 5_000, 0, len(scene.commands)
        while scene.now_ms < until_ms and leg in scene.state.legs:
            scene.wait(0.05)
            asked = [one for one in scene.commands[read:] if isinstance(one, c.CompareLegs | c.RequestSnapshot)]
            read = len(scene.commands)
            for command in asked:
                if isinstance(command, c.CompareLegs):
                    doubted += any(one.leg == leg and not one.new for one in command.believed)
                if isinstance(command, c.RequestSnapshot) or doubted == 2:  # as the drivers' lookouts
                    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(waits,)))
        assert leg not in scene.state.legs, since_look_ms


def test_a_recording_on_a_leg_that_the_switch_has_lost_keeps_no_call() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    assert call.recording is not None
    for after_ms in (5_000, 500):
        scene.now_ms += after_ms
        scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=()))
    assert scene.just(f.RecordingBroken) and scene.just(f.CallEnded)[0].outcome is f.CallOutcome.SERVED
    assert leg not in scene.state.legs


def test_a_line_that_could_not_be_bridged_is_looked_at_before_anybody_else_gets_it() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    play = scene.last(c.PlayPrompts)
    scene.feed(e.PlayEnded(switch=SWITCH, leg=line, play=play.play, outcome=e.PlayOutcome.DONE))
    scene.feed(e.BridgeFailed(switch=SWITCH, leg=line, other=call.leg, reason="-ERR Invalid uuid"))
    assert scene.just(c.RequestSnapshot)
    scene.arrive(call=call.id)
    assert call.offer is None, "not on that line at once"
    for _ in range(2):
        scene.now_ms += 1_000
        scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(customer(call.id, controlled=True),)))
    assert scene.just(f.KeptLegClosed)
    scene.wait(2)
    again = scene.last(c.OriginateLeg)
    assert again.kept_open and again.leg != line


def test_the_consulted_of_whom_nothing_was_heard_after_the_swap_is_looked_for() -> None:
    at = Asked(Scene()).talk()
    scene = at.scene
    at.ask(e.ConsultSwapRequested)
    at.bridge()  # and that the consulted stands by was lost
    scene.hang_up(at.bobs)
    at.customer_comes()
    assert at.consult.aim is f.Aim.COMPLETE and heard(scene, at.call.leg) == "default"
    scene.wait(3)
    assert scene.last(c.RequestSnapshot)
    far = e.SnapshotLeg(leg=at.far, call=at.call.id, role=e.LegRole.AGENT, answered=True)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(far, customer(at.call.id, controlled=True))))
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge is not None and at.call.bridge.agent == "cai"


def test_a_question_that_a_gap_of_the_link_may_have_cut_off_is_asked_again_once() -> None:
    scene = scene_of()
    call = scene.to_queue()
    scene.press(call, "1")
    asked = scene.just(c.PlayPrompts)[0]
    scene.now_ms += 1_000
    scene.feed(e.LinkDown(switch=SWITCH, reason="x"))
    scene.now_ms += 2_000
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    seen = e.SwitchSnapshot(switch=SWITCH, legs=(customer(call.id, controlled=True),))
    scene.feed(seen)
    assert scene.just(c.PlayPrompts)[0].sounds == asked.sounds and not scene.just(c.StartMusic)
    scene.now_ms += 1_000
    scene.feed(seen)
    assert not scene.just(c.PlayPrompts) and not scene.just(c.StartMusic)
