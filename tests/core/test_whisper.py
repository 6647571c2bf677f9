"""A word to the agent before an automatic answer is connected: never longer than it may be, never the caller's loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, Scene, center_config


def picked_up(*, auto_answer: bool = True) -> tuple[Scene, Call, LegId]:
    """Bob's telephone has picked up; Bob is told that this is Sales."""
    queue = cfg.QueueConfig(
        id="sales", tenant="1", name="Sales", auto_answer=auto_answer, whisper_sounds=("sales.zh.wav",)
    )
    scene = Scene(replace(center_config(), queues={**center_config().queues, "sales": queue}))
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LegAnswered(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    return scene, call, leg


def test_the_agent_hears_the_queue_and_then_the_caller() -> None:
    scene, call, leg = picked_up()
    [whisper] = scene.just(c.PlayPrompts)
    assert (whisper.leg, whisper.sounds, whisper.barge) == (leg, ("sales.zh.wav",), False)
    assert not scene.just(c.BridgeLegs) and scene.agent_state("bob") == "OFFERED"
    scene.feed(e.PlayEnded(switch=SWITCH, leg=leg, play=whisper.play, outcome=e.PlayOutcome.DONE))
    assert scene.just(c.BridgeLegs)[0].leg == leg
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    assert scene.agent_state("bob") == "TALKING" and scene.folded() == scene.state


def test_a_whisper_whose_end_is_not_reported_ends_all_the_same() -> None:
    scene, _call, leg = picked_up()
    scene.wait(4.1)
    assert scene.last(c.BridgeLegs).leg == leg and scene.last(f.OfferEnded).outcome == "answered"


@pytest.mark.parametrize("who", ["caller", "agent"])
def test_who_hangs_up_meanwhile_leaves_nobody_behind(who: str) -> None:
    scene, call, leg = picked_up()
    scene.hang_up(call.leg if who == "caller" else leg)
    if who == "caller":
        assert scene.just(c.HangUpLeg)[0].leg == leg and scene.agent_state("bob") == "READY"
    else:
        assert call.state == "waiting" and call.offer is None
        assert scene.agent_state("bob") == "NOT_RESPONDING"


def test_who_picks_up_by_hand_is_connected_at_once() -> None:
    scene, _call, leg = picked_up(auto_answer=False)
    assert not scene.just(c.PlayPrompts) and scene.just(c.BridgeLegs)[0].leg == leg
