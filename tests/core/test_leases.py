"""What nothing vouches for is let go within seconds, and what the switch has is compared with what we believe."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.calls.model import CallState
from apps.core.ids import CallId, LegId
from tests.core.scene import SWITCH, Scene


def looked(scene: Scene, after_ms: int = 3_000) -> dict[str, c.BelievedLeg]:
    """What the next look believes."""
    scene.now_ms += after_ms
    scene.feed(e.DeadlinePassed())
    (command,) = scene.just(c.CompareLegs)
    return {one.leg: one for one in command.believed}


def test_belief_follows_the_call_and_leaves_out_what_is_in_motion() -> None:
    scene = Scene()
    call = scene.to_queue()
    assert looked(scene)[call.leg] == c.BelievedLeg(leg=call.leg, talking=False, ringing=False, ours=True)
    scene.ready("bob")
    assert call.offer is not None
    leg = call.offer.leg
    assert looked(scene, 2_000)[leg] == c.BelievedLeg(leg=leg, talking=False, ringing=True, ours=False)
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    assert call.state is CallState.CONNECTING
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    talking = looked(scene, 2_000)
    assert talking[leg].talking is True and talking[call.leg].talking is True and not talking[call.leg].ours


def test_nothing_is_compared_while_the_link_is_down() -> None:
    scene = Scene()
    scene.feed(e.LinkDown(switch=SWITCH, reason="gone"))
    scene.now_ms += 10_000
    scene.feed(e.DeadlinePassed())
    assert not scene.just(c.CompareLegs)
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    looked(scene)


def claims(scene: Scene, agent: str, state: AgentState, call: str = "r1-c99") -> None:
    """As after a fault of ours: a fact that no call stands behind."""
    fact = f.AgentStateChanged(
        at_ms=scene.now_ms, tenant="1", agent=agent, state=state, prior=AgentState.READY, call=CallId(call)
    )
    scene.state.apply(fact)
    scene.facts.append(fact)


def test_an_agent_offered_a_call_that_does_not_exist_is_ready_again() -> None:
    scene = Scene()
    scene.ready("bob")
    claims(scene, "bob", AgentState.OFFERED)
    looked(scene)
    assert scene.agent_state("bob") == "READY"
    assert any("no call has this agent" in fact.detail for fact in scene.all(f.Anomaly))
    assert scene.to_queue().offer is not None, "and is offered the next one"


def test_an_agent_who_talks_to_nobody_wraps_up() -> None:
    scene = Scene()
    scene.ready("bob")
    claims(scene, "bob", AgentState.OFFERED)
    claims(scene, "bob", AgentState.TALKING)
    looked(scene)
    agent = scene.state.agents["bob"]
    assert agent.state == "WRAP_UP" and agent.deadline_ms is not None


def test_a_call_without_a_leg_ends() -> None:
    scene = Scene()
    call = scene.to_queue()
    scene.state.calls[call.id].legs.pop(call.leg)
    scene.state.legs.pop(LegId(call.leg))
    scene.now_ms += 3_000
    scene.engine.handle(e.DeadlinePassed(), scene.now_ms)  # not through the scene: this state is no fold of its facts
    assert call.id not in scene.state.calls


def test_those_who_are_in_order_are_left_alone() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    scene.feed(e.LegParked(switch=SWITCH, leg=call.offer.leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=call.bridge.leg, other=call.leg))  # type: ignore[union-attr]
    for _ in range(5):
        scene.now_ms += 2_000
        scene.feed(e.DeadlinePassed())
    assert scene.agent_state("bob") == "TALKING" and not scene.all(f.Anomaly)
