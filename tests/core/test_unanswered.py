"""Offers that come to nothing: an agent is blamed only for a telephone that rang."""

from __future__ import annotations

import itertools

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.queues import unanswered
from tests.core.scene import SWITCH, Scene

REFUSALS = [e.HangupCause.CONGESTION, e.HangupCause.UNREACHABLE, e.HangupCause.INVALID, e.HangupCause.ERROR]


def test_every_cause_is_somebodys_doing() -> None:
    assert set(unanswered.DOING) == set(e.HangupCause)


@pytest.mark.parametrize("cause", REFUSALS)
def test_a_switch_that_cannot_ring_costs_the_agent_nothing(cause: e.HangupCause) -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer and call.wait
    queued_ms = call.wait.queued_ms
    scene.hang_up(call.offer.leg, cause)
    assert scene.agent_state("bob") == "READY" and call.offer is None
    assert scene.just(f.OfferEnded)[0].outcome is f.OfferOutcome.FAILED
    alarm = scene.just(f.AlarmRaised)[0]
    assert alarm.kind == ("device_invalid" if cause is e.HangupCause.INVALID else "offers_refused")
    assert "10bob" in alarm.detail and str(cause) in alarm.detail
    assert not scene.just(c.OriginateLeg), "not again at once"
    scene.wait(unanswered.FIRST_BACK_OFF_MS / 1000)
    assert call.offer and call.offer.agent == "bob" and call.wait.queued_ms == queued_ms
    scene.answer_offer(call)
    assert not scene.state.alarms and scene.state.agents["bob"].not_rung == 0
    assert scene.folded() == scene.state


def test_the_caller_goes_to_whoever_can_be_rung() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.to_queue()
    assert call.offer and call.offer.agent == "bob"
    scene.hang_up(call.offer.leg, e.HangupCause.CONGESTION)
    assert call.offer and call.offer.agent == "ann"


def test_the_pauses_between_tries_grow_to_a_limit_and_survive_a_restart() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    tries_ms = []
    for _ in range(8):
        assert call.offer
        tries_ms.append(scene.now_ms)
        scene.hang_up(call.offer.leg, e.HangupCause.UNREACHABLE)
        scene.feed(e.EngineRestarted(run="r2"))
        scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
        while call.offer is None:
            scene.wait(0.5)
    gaps_s = [(after - before) / 1000 for before, after in itertools.pairwise(tries_ms)]
    assert gaps_s == [2, 4, 8, 16, 32, 60, 60] and len(scene.all(f.AlarmRaised)) == 1


def test_who_is_suspended_may_pause_and_sign_out() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer
    scene.hang_up(call.offer.leg, e.HangupCause.CONGESTION)
    scene.ask(e.AgentSignedOut, "bob")
    scene.wait(10)
    assert scene.agent_state("bob") == "LOGGED_OUT" and scene.state.agents["bob"].suspended_until_ms is None
    scene.ready("bob")
    assert call.offer


def test_a_switch_that_says_nothing_at_all_is_not_the_agents_fault() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer
    leg = call.offer.leg
    scene.wait(22)
    assert scene.agent_state("bob") == "READY" and call.offer is None
    assert [item.leg for item in scene.all(c.HangUpLeg)] == [leg]
    assert scene.last(f.AlarmRaised).kind == "offers_refused"


@pytest.mark.parametrize("cause", [e.HangupCause.NO_ANSWER, e.HangupCause.NOT_REGISTERED])
def test_a_telephone_that_rang_in_vain_or_is_not_there(cause: e.HangupCause) -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer
    scene.hang_up(call.offer.leg, cause)
    assert scene.agent_state("bob") == "NOT_RESPONDING" and not scene.state.alarms
