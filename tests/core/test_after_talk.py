"""What follows a talk, for the customer."""

from __future__ import annotations

import copy

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from tests.core.scene import FLOW, SWITCH, TENANT, Scene, center_config


def recorded() -> cfg.CenterConfig:
    return center_config(queues={"sales": cfg.QueueConfig(id="sales", tenant=TENANT, name="Sales", record=True)})


def with_words_after_the_talk() -> cfg.CenterConfig:
    config = recorded()
    document = copy.deepcopy(FLOW)
    for node in document["nodes"].values():
        if node["type"] == "enqueue":
            node.setdefault("on", {})["agent_done"] = document["start"]
    flow = config.flows["hot"]
    return center_config(
        queues=config.queues,
        flows={"hot": cfg.FlowConfig(id="hot", tenant=TENANT, version="v1", document=document, sounds=flow.sounds)},
    )


def test_nothing_follows_so_the_customer_is_let_go_at_once_and_the_recording_ends_with_the_leg() -> None:
    scene = Scene(recorded())
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    assert call.state == "closing" and scene.agent_state("bob") == "WRAP_UP"
    assert {item.leg for item in scene.just(c.HangUpLeg)} == {call.leg} and not scene.just(c.StopRecording)


def test_words_follow_so_the_customer_is_waited_for_and_they_are_not_recorded() -> None:
    scene = Scene(with_words_after_the_talk())
    scene.ready("bob")
    call, leg = scene.talk()
    scene.feed(e.LegsUnbridged(switch=SWITCH, leg=leg, other=call.leg))
    scene.hang_up(leg)
    assert call.state == "returning" and not scene.all(c.StopRecording)
    assert not [item for item in scene.all(c.HangUpLeg) if item.leg == call.leg]
    scene.arrive(call.leg, call=call.id)
    assert call.state == "ivr" and scene.just(c.StopRecording) and scene.just(c.PlayPrompts)


def test_the_line_follows_so_the_customer_is_waited_for() -> None:
    scene = Scene(recorded())
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.QUEUE, target="sales")
    scene.hang_up(leg)
    assert call.state == "returning"
    scene.arrive(call.leg, call=call.id)
    assert call.state == "waiting" and scene.just(c.StopRecording)
