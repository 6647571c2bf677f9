"""The link to a switch is away for a while, for long, or for good; and a centre with two switches."""

from __future__ import annotations

from dataclasses import replace

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from tests.core.scene import SWITCH, Scene, center_config
from tests.core.test_recovery import customer


def back(scene: Scene, *legs: e.SnapshotLeg) -> None:
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.wait(0.01)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=legs))


def test_nothing_is_decided_for_a_caller_whom_no_command_can_reach() -> None:
    scene = Scene()
    waiting = scene.to_queue("cust1", "12")
    asked = scene.arrive("cust2")
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.wait(400)
    assert not [item for item in scene.new if isinstance(item, c.Command)]
    assert waiting.state == "waiting" and asked.state == "ivr"
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.wait(2)
    assert scene.last(f.CallDequeued).reason is f.QueueExit.TIMED_OUT and scene.just(f.CallDequeued) is not None


def test_music_is_asked_for_again() -> None:
    scene = Scene()
    call = scene.to_queue()
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.wait(3)
    back(scene, customer(call.id, controlled=True))
    assert scene.just(c.StartMusic)
    scene.wait(20)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(customer(call.id, controlled=True),)))
    assert not scene.just(c.StartMusic), "a healthy link has lost nothing"


def test_a_prompt_whose_end_nobody_heard_is_played_again_once() -> None:
    scene = Scene()
    call = scene.arrive()
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.wait(3)
    back(scene, customer(call.id, controlled=True))
    assert scene.just(c.PlayPrompts)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(customer(call.id, controlled=True),)))
    assert not scene.just(c.PlayPrompts)


def test_a_switch_that_stays_away_lets_its_agents_go() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    talk, _leg = scene.talk()
    offered = scene.to_queue("cust2")
    assert offered.offer is not None
    scene.feed(e.LinkDown(switch=SWITCH, reason="removed from the configuration"))
    scene.wait(300)
    assert scene.agent_state("bob") == "TALKING", "a talk survives the loss of our link"
    scene.feed(e.EngineRestarted(run="r2"))
    scene.wait(700)
    assert scene.agent_state("bob") == "READY" and scene.agent_state("ann") == "READY"
    assert not scene.state.calls, (talk, offered)
    assert scene.folded() == scene.state


def test_a_caller_is_served_on_the_switch_where_the_caller_is() -> None:
    config = center_config()
    bob = config.agents["bob"]
    assert bob.device is not None
    afar = replace(bob, device=replace(bob.device, switch="fs2"))
    scene = Scene(center_config(agents={**config.agents, "bob": afar}))
    scene.feed(e.LinkUp(switch="fs2", boot="b"))
    scene.ready("bob", "ann")
    call = scene.to_queue()
    assert call.offer is not None and call.offer.agent == "ann", "two switches cannot be bridged"
    other = scene.to_queue("cust2")
    assert other.offer is None
    scene.ask(e.WrapUpFinished, "bob", call="none", disposition="sold")
    scene.answer_offer(call)
    scene.ask(e.TransferRequested, "ann", call=call.id, kind=e.TransferKind.AGENT, target="bob")
    assert scene.just(f.RequestRefused)[0].code == "bad_target"
