"""An agent's line that stays up between calls, on every switch driver."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core.ids import LegId, PlayId
from tests.switches.contract.callers import arrive
from tests.switches.contract.rigs import ANSWERS, GATEWAY, SWITCH, Scene


def line(scene: Scene) -> LegId:
    leg = scene.originate(ANSWERS, kept_open=True, idle_timeout_ms=1_000)
    scene.wait(e.LegParked, leg=leg)
    return leg


def beep(scene: Scene, leg: LegId, play: str = "run1-p1") -> None:
    mark = scene.mark()
    scene.do(c.PlayPrompts(switch=SWITCH, leg=leg, play=PlayId(play), sounds=(c.BEEP,), barge=False))
    ended = scene.wait(e.PlayEnded, after=mark, play=play)
    assert ended.outcome is e.PlayOutcome.DONE


def connect(scene: Scene, leg: LegId, customer: LegId) -> None:
    mark = scene.mark()
    scene.do(c.BridgeLegs(switch=SWITCH, leg=leg, other=customer))
    bridged = scene.wait(e.LegsBridged, after=mark)
    assert {bridged.leg, bridged.other} == {leg, customer}


def test_a_kept_leg_carries_one_talk_after_another(scene: Scene) -> None:
    """Whoever ends it: the customer hangs up, or we take the line out and the customer comes back to us."""
    leg = line(scene)
    scene.rig.let_pass(1_500)
    assert scene.rig.exists(leg), "no idle timeout"
    first = arrive(scene)
    beep(scene, leg, "run1-p1")
    connect(scene, leg, first)
    mark = scene.mark()
    scene.hang_up(first)
    scene.wait(e.LegHungUp, leg=first)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegParked, after=mark, leg=leg)

    second = arrive(scene)
    beep(scene, leg, "run1-p2")
    connect(scene, leg, second)
    mark = scene.mark()
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    scene.wait(e.CallArrived, after=mark, leg=second)
    scene.wait(e.LegParked, after=mark, leg=leg)

    beep(scene, leg, "run1-p3")
    connect(scene, leg, second)
    scene.hang_up(leg)
    scene.wait(e.LegHungUp, leg=leg)
    scene.hang_up(second)
    scene.wait(e.LegHungUp, leg=second)


def test_the_next_caller_comes_at_once(scene: Scene) -> None:
    """Nobody waits until the switch says that the line is free: what is asked of it then is done when it is."""
    leg = line(scene)
    first, second = arrive(scene), arrive(scene)
    connect(scene, leg, first)
    scene.hang_up(first)
    scene.wait(e.LegHungUp, leg=first)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    beep(scene, leg)
    connect(scene, leg, second)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    beep(scene, leg, "run1-p2")
    assert scene.rig.exists(leg) and scene.rig.exists(second)


def test_parking_stops_what_plays(scene: Scene) -> None:
    leg = line(scene)
    scene.do(c.StartMusic(switch=SWITCH, leg=leg, music=c.RINGING_TONE))
    scene.rig.let_pass(500)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    beep(scene, leg)
    assert scene.rig.exists(leg)


def test_a_snapshot_knows_the_line(scene: Scene) -> None:
    leg = line(scene)
    scene.rig.let_pass(500)
    mark = scene.mark()
    scene.do(c.RequestSnapshot(switch=SWITCH, leg=LegId("")))
    snapshot = scene.wait(e.SwitchSnapshot, after=mark)
    [seen] = [one for one in snapshot.legs if one.leg == leg]
    assert seen.answered and seen.bridged_to is None and seen.role is e.LegRole.AGENT


def test_what_the_last_talk_did_to_the_line_does_not_meet_the_next(scene: Scene) -> None:
    leg = line(scene)
    first = arrive(scene)
    connect(scene, leg, first)
    scene.do(c.MuteLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegMuted, leg=leg)
    mark = scene.mark()
    scene.do(c.HoldLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegHeld, after=mark, leg=leg)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegUnheld, after=mark, leg=leg)
    beep(scene, leg)
    connect(scene, leg, first)
    mark = scene.mark()
    scene.do(c.HoldLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegHeld, after=mark, leg=leg)


def test_a_line_is_taken_out_of_a_three_way(scene: Scene) -> None:
    """As after a consult; who is left goes on."""
    leg, customer = line(scene), arrive(scene)
    other = scene.originate("13912345678", gateway=GATEWAY)
    scene.wait(e.LegParked, leg=other)
    connect(scene, leg, customer)
    mark = scene.mark()
    for one in (customer, leg, other):
        scene.do(c.JoinRoom(switch=SWITCH, leg=one, room="run1-c1"))
        scene.wait(e.LegJoined, after=mark, leg=one)
    scene.do(c.ParkLeg(switch=SWITCH, leg=leg))
    scene.wait(e.LegParked, after=mark, leg=leg)
    beep(scene, leg)
    assert scene.rig.exists(leg)
