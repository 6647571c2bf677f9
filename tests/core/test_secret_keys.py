"""A PIN is asked for in a menu marked secret: what the caller types there is nowhere, and the flow goes its way."""

from __future__ import annotations

import copy
import json
from typing import Any

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.codec import encode
from apps.core.engine import Engine
from apps.core.state import State
from tests.core.scene import FLOW, SWITCH, TENANT, Scene, center_config

PIN = "8642"


def asks_for_a_pin() -> Scene:
    document: dict[str, Any] = copy.deepcopy(FLOW)
    nodes = document["nodes"]
    nodes["main"]["keys"]["5"] = "please"
    nodes["please"] = {"type": "play", "say": [{"p": "main"}], "on": {"done": "pin"}}
    nodes["pin"] = {
        "type": "menu", "secret": True, "say": [{"p": "main"}], "keys": {PIN: "tech", "0": "sales"},
        "on": {"fail": "bye"},
    }  # fmt: skip
    sounds = center_config().flows["hot"].sounds  # type: ignore[index]
    flow = cfg.FlowConfig(id="hot", tenant=TENANT, version="v1", document=document, sounds=sounds)  # type: ignore[arg-type]
    return Scene(center_config(flows={"hot": flow}))


def at_the_pin(scene: Scene) -> Call:
    call = scene.to_queue(keys="15")
    prompt_over(scene, call)
    return call


def prompt_over(scene: Scene, call: Call) -> None:
    position = call.ivr and call.ivr.position
    assert position is not None and position.node == "please" and position.play is not None
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=position.play, outcome=e.PlayOutcome.DONE))


def said(scene: Scene) -> str:
    """All that is stored or shown, since the caller was asked: facts, commands, the state."""
    of_the_menu = [fact for fact in scene.facts if isinstance(fact, f.IvrStepped)]
    assert of_the_menu
    for fact in of_the_menu:
        assert fact.position.digits == ""
    effects = [item for item in scene.new if not isinstance(item, f.ConfigApplied)]
    return json.dumps([encode(effect) for effect in effects]) + json.dumps(scene.state.to_data()["calls"])


def test_no_fact_and_no_state_has_the_pin_and_the_flow_goes_by_it() -> None:
    scene = asks_for_a_pin()
    call = at_the_pin(scene)
    for count, key in enumerate(PIN, start=1):
        scene.press(call, key)
        assert f'"{PIN[:count]}' not in said(scene) and f"key:{PIN[:count]}" not in said(scene)
    assert call.wait is not None and call.wait.queue == "tech"
    step = next(fact for fact in scene.all(f.IvrStepped) if fact.node == "pin" and fact.port)
    assert (step.port, step.digits) == ("key:***", "***")
    assert [(one.node, one.digits) for one in call.path][-3:] == [("main", "5"), ("please", ""), ("pin", "***")]
    assert scene.folded() == scene.state


def test_a_pin_typed_ahead_while_nobody_has_asked_yet() -> None:
    scene = asks_for_a_pin()
    call = scene.to_queue(keys="15")
    for count, key in enumerate(PIN, start=1):
        scene.press(call, key)
        assert f'"{PIN[:count]}' not in said(scene)
    prompt_over(scene, call)
    assert call.wait is not None and call.wait.queue == "tech"
    assert scene.folded() == scene.state


def test_a_wrong_pin_is_asked_for_again_and_not_told() -> None:
    scene = asks_for_a_pin()
    call = at_the_pin(scene)
    for key in "867":
        scene.press(call, key)
        assert '"86' not in said(scene)
    assert call.ivr and call.ivr.position and call.ivr.position.attempts


def test_an_engine_that_takes_over_in_the_middle_of_a_pin_asks_for_it_anew() -> None:
    scene = asks_for_a_pin()
    call = at_the_pin(scene)
    for key in PIN[:2]:
        scene.press(call, key)
    scene.engine = Engine(State.from_data(json.loads(json.dumps(scene.state.to_data()))))
    scene.feed(e.EngineRestarted(run="r2"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    call = scene.arrive(call.leg, call=call.id)
    assert call.ivr and call.ivr.position and call.ivr.position.node == "pin" and call.ivr.position.phase == "playing"
    for key in PIN:
        scene.press(call, key)
    assert call.wait is not None and call.wait.queue == "tech"


def test_what_was_typed_is_forgotten_with_the_call() -> None:
    scene = asks_for_a_pin()
    call = at_the_pin(scene)
    scene.press(call, PIN[0])
    assert scene.engine.center.typed == {call.id: PIN[0]}
    scene.hang_up(call.leg)
    assert not scene.engine.center.typed
