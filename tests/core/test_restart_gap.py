"""What is overdue after a restart waits for the switch's own account."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.engine import Engine
from apps.core.ids import LegId
from apps.core.state import State
from tests.core.scene import SWITCH, Scene


def died_in_the_bridge_gap() -> tuple[Scene, e.SnapshotLeg, e.SnapshotLeg]:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LegAnswered(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    assert scene.just(c.BridgeLegs)
    state = State()
    state.fold(scene.facts)
    scene.engine = Engine(state)
    scene.now_ms += 5_000
    scene.feed(e.EngineRestarted(run="r2"))
    customer = e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER, answered=True, bridged_to=leg)
    agent = e.SnapshotLeg(
        leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=LegId(call.leg)
    )
    return scene, customer, agent


def test_a_bridge_made_while_the_engine_was_dead_is_not_torn() -> None:
    scene, *legs = died_in_the_bridge_gap()
    scene.feed(e.DeadlinePassed())
    scene.wait(3)
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.feed(e.DeadlinePassed())
    scene.wait(0.5)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(legs)))
    assert not scene.all(f.BridgeLost)
    assert scene.agent_state("bob") == "TALKING"


def test_one_that_was_not_made_is_given_up_when_the_switch_has_had_its_say() -> None:
    scene, *_ = died_in_the_bridge_gap()
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.wait(1)
    assert not scene.all(f.BridgeLost)
    scene.wait(2)
    assert scene.all(f.BridgeLost)
