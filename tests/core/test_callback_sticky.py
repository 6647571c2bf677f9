"""A call back goes first to the agent of last time, where the queue wants that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.events import HangupCause
from tests.core.callback_scene import agent_answers, ask, booked, customer_answers, scene_of
from tests.core.scene import SWITCH, Scene


def known_to_ann(**offer: Any) -> Scene:
    """The customer has talked with ann; bob has been idle for longer than she."""
    scene = scene_of(**offer)
    config = scene.state.config
    sales = replace(config.queues["sales"], sticky_days=7, sticky_wait_ms=10_000)  # type: ignore[index]
    queues: dict[Any, cfg.QueueConfig] = {**config.queues, "sales": sales}
    scene.feed(e.ConfigChanged(config=replace(config, version=2, queues=queues)))
    scene.ready("ann")
    call, leg = scene.talk()
    scene.ready("bob")
    scene.hang_up(leg)
    scene.hang_up(call.leg)
    scene.ask(e.WrapUpFinished, "ann", call=call.id, disposition="no")
    return scene


def offered(call: Call) -> str:
    assert call.offer is not None
    return call.offer.agent


def asked_for(scene: Scene) -> Call:
    ask(scene)
    return next(call for call in scene.state.calls.values() if call.callback is not None)


def test_it_goes_to_the_agent_of_last_time_and_not_to_who_is_idle_longer() -> None:
    scene = known_to_ann()
    call = asked_for(scene)
    assert offered(call) == "ann" and len(call.offers) == 1
    assert scene.last(f.CallbackBooked).sticky_until_ms == scene.now_ms + 10_000
    assert scene.folded() == scene.state


def test_who_is_busy_is_waited_for_and_then_anybody_calls() -> None:
    scene = known_to_ann()
    scene.ask(e.DialRequested, "ann", number="10086")
    call = asked_for(scene)
    assert call.offer is None
    scene.wait(9.9)
    assert call.offer is None
    scene.wait(0.2)
    assert offered(call) == "bob"


def test_who_is_not_at_work_is_not_waited_for() -> None:
    scene = known_to_ann()
    scene.ask(e.AgentPaused, "ann")
    assert offered(asked_for(scene)) == "bob"


def test_the_next_try_goes_to_the_same_agent_again() -> None:
    scene = known_to_ann(retry_ms=60_000)
    call = asked_for(scene)
    leg = agent_answers(scene, call)
    scene.hang_up(call.leg, HangupCause.BUSY)
    scene.hang_up(leg)
    assert call.offer is None and scene.agent_state("ann") == "READY"
    scene.ask(e.AgentPaused, "bob")
    scene.ask(e.AgentWentReady, "bob")
    scene.ask(e.AgentPaused, "ann")
    scene.ask(e.AgentWentReady, "ann")  # bob is idle longer again
    scene.wait(60)
    assert offered(call) == "ann"


def test_called_before_the_agent_the_customer_gets_who_was_kept_free() -> None:
    scene = known_to_ann(agent_first=False)
    call = asked_for(scene)
    assert call.callback is not None and call.callback.agent == "ann"
    scene.wait(30)  # it rings for longer than she would be waited for
    customer_answers(scene, call)
    assert offered(call) == "ann"


def test_a_place_in_line_keeps_the_agent_who_is_waited_for() -> None:
    scene = known_to_ann()
    scene.ask(e.DialRequested, "ann", number="10086")
    call = booked(scene)
    assert scene.last(f.CallbackBooked).sticky_agent == "ann" and call.wait is not None
    scene.feed(e.LegHungUp(switch=SWITCH, leg=scene.last(f.DialStarted).leg, cause=HangupCause.NO_ANSWER))
    assert scene.agent_state("ann") == "OFFERED" and offered(call) == "ann"
