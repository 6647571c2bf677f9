"""The turn of who waits for a call back: the agent first or the customer, tries, faults and restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.events import HangupCause
from tests.core.callback_scene import CUSTOMER, agent_answers, booked, customer_answers, keys, scene_of
from tests.core.scene import SWITCH
from tests.core.test_recovery import restarted

# --- the agent first -------------------------------------------------------------------------------------------------


def test_agent_first_the_agent_hears_the_customers_telephone_ring_and_they_talk() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.wait(600)
    scene.ready("bob")
    assert call.offer is not None
    leg = agent_answers(scene, call)
    assert scene.agent_state("bob") == "DIALING" and call.state == "dialing"
    ring = scene.last(c.OriginateLeg)
    assert (ring.destination.address, ring.caller_number, ring.leg) == (CUSTOMER, "4001", call.leg)
    assert call.leg != "cust1" and scene.last(c.StartMusic).music == c.RINGING_TONE
    customer_answers(scene, call)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    assert scene.agent_state("bob") == "TALKING" and call.callback is None
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.SERVED
    assert scene.last(f.CallBridged).queue == "sales", "wrap-up and recording are the queue's"
    scene.hang_up(call.leg)
    scene.feed(e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=scene.last(f.RecordingAsked).recording,
                                  duration_ms=1))  # fmt: skip
    scene.hang_up(leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SERVED and len(scene.all(f.CallStarted)) == 1
    assert scene.state == scene.folded()


def test_an_agents_leg_waits_as_long_as_the_customers_telephone_may_ring() -> None:
    scene = scene_of()
    booked(scene)
    scene.ready("bob")
    assert scene.last(c.OriginateLeg).idle_timeout_ms > 45_000


@pytest.mark.parametrize("cause", [HangupCause.NO_ANSWER, HangupCause.BUSY, HangupCause.REJECTED])
def test_who_is_not_reached_is_tried_again_after_the_interval_and_given_up_after_the_last_try(
    cause: HangupCause,
) -> None:
    scene = scene_of(attempts=2, retry_ms=300_000)
    call = booked(scene)
    scene.ready("bob")
    for attempt in range(2):
        leg = agent_answers(scene, call)
        scene.hang_up(call.leg, cause)
        assert scene.agent_state("bob") == "READY", "and free at once"
        assert leg in {command.leg for command in scene.just(c.HangUpLeg)}
        scene.hang_up(leg)
        if attempt == 0:
            assert call.offer is None and call.callback is not None and call.callback.tried == 1
            scene.wait(299)
            assert call.offer is None
            scene.wait(2)
            assert call.offer is not None
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.NOT_REACHED
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.NOT_REACHED and not scene.state.calls
    assert scene.state == scene.folded()


def test_a_number_that_does_not_exist_is_not_tried_twice() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.ready("bob")
    agent_answers(scene, call)
    scene.hang_up(call.leg, HangupCause.UNALLOCATED)
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.NOT_REACHED


def test_what_fails_on_our_side_does_not_count() -> None:
    scene = scene_of(attempts=1)
    call = booked(scene)
    scene.ready("bob")
    leg = agent_answers(scene, call)
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    scene.hang_up(leg)
    assert call.callback is not None and call.callback.tried == 0 and scene.agent_state("bob") == "READY"
    scene.wait(61)
    agent_answers(scene, call)
    scene.hang_up(call.leg, HangupCause.CONGESTION)
    assert call.callback.tried == 0
    scene.wait(61)
    assert call.offer is not None


def test_an_offer_that_is_declined_or_missed_goes_to_the_next_agent() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.ready("bob")
    scene.ask(e.DeclineRequested, "bob", call=call.id)
    assert scene.agent_state("bob") == "PAUSED"
    scene.ready("ann")
    assert call.offer is not None and call.offer.agent == "ann"


def test_a_bridge_that_is_not_made_puts_the_customer_on_the_line() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.ready("bob")
    leg = agent_answers(scene, call)
    customer_answers(scene, call)
    scene.hang_up(leg)
    scene.feed(e.CallArrived(switch=SWITCH, leg=call.leg, did="4001", caller_number="1", call=call.id))
    assert call.state == "waiting" and call.callback is not None and call.callback.state == "on_line"
    assert scene.last(f.CallQueued).callback, "no wait of its own: CallbackEnded ends it, and no CallDequeued"
    scene.answer_offer(call)
    assert call.state == "talking" and scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.SERVED


# --- the customer first ----------------------------------------------------------------------------------------------


def test_customer_first_the_agent_is_kept_free_and_offered_who_answers() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    assert call.offer is None and call.state == "dialing" and scene.agent_state("bob") == "READY"
    later = scene.to_queue("later")
    assert later.offer is None, "bob is kept free"
    customer_answers(scene, call)
    assert scene.just(c.ReclaimLeg) and call.offer is not None and call.offer.agent == "bob"
    scene.feed(e.CallArrived(switch=SWITCH, leg=call.leg, did="", caller_number="1", call=call.id))
    assert scene.just(c.StartMusic)
    scene.answer_offer(call)
    assert call.state == "talking" and scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.SERVED
    assert scene.state == scene.folded()


def test_customer_first_who_was_kept_free_comes_before_who_became_free_meanwhile() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    scene.ready("ann")
    assert scene.last(f.CallbackDialed).agent == "bob"
    customer_answers(scene, call)
    assert call.offer is not None and call.offer.agent == "bob", "idle for longer, and kept for this customer"


def test_customer_first_one_customer_is_called_for_one_free_agent() -> None:
    scene = scene_of(agent_first=False)
    for n in range(3):
        call = scene.to_queue(f"c{n}")
        keys(scene, call, f"121391234567{n}#1")
        scene.hang_up(f"c{n}")
    scene.ready("bob")
    assert sum(call.state == "dialing" for call in scene.state.calls.values()) == 1


def test_customer_first_a_customer_who_does_not_answer_frees_the_agent_for_the_next() -> None:
    scene = scene_of(agent_first=False, retry_ms=300_000)
    call = booked(scene)
    scene.ready("bob")
    later = scene.to_queue("later")
    scene.hang_up(call.leg, HangupCause.NO_ANSWER)
    assert later.offer is not None and later.offer.agent == "bob"
    assert call.callback is not None and call.callback.tried == 1


def test_customer_first_nobody_reports_anything() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    scene.wait(55)
    assert call.callback is not None and call.callback.tried == 1 and scene.last(c.HangUpLeg).leg == call.leg


def test_customer_first_who_hangs_up_before_an_agent_comes_has_abandoned() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    customer_answers(scene, call)
    scene.hang_up(call.leg)
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.ABANDONED
    assert scene.last(f.CallClosing).outcome is f.CallOutcome.ABANDONED and scene.agent_state("bob") == "READY"


def test_customer_first_greets_who_has_to_wait_after_all() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    scene.ask(e.AgentPaused, "bob", reason="tea")
    customer_answers(scene, call)
    scene.feed(e.CallArrived(switch=SWITCH, leg=call.leg, did="", caller_number="1", call=call.id))
    assert scene.last(c.PlayPrompts).sounds == ("hello.wav",) and call.offer is None
    scene.wait(901)
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.OVERFLOWED and call.state == "closing"


# --- the engine dies -------------------------------------------------------------------------------------------------


def test_it_survives_a_restart_with_its_place_and_its_tries() -> None:
    scene = scene_of(retry_ms=300_000)
    call = booked(scene)
    place_ms = call.wait.queued_ms if call.wait else 0
    scene.ready("bob")
    leg = agent_answers(scene, call)
    scene.hang_up(call.leg, HangupCause.BUSY)
    scene.hang_up(leg)
    restarted(scene)
    call = scene.state.calls[call.id]
    assert call.callback is not None and call.callback.tried == 1
    scene.wait(301)
    assert call.wait is not None and call.wait.queued_ms == place_ms and call.offer is not None


@pytest.mark.parametrize("answered", [False, True])
def test_a_restart_while_the_customers_telephone_rings(answered: bool) -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    ring = e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER, answered=answered)
    restarted(scene, ring, away_s=8)
    call = scene.state.calls[call.id]
    if answered:
        assert scene.just(c.ReclaimLeg) and call.callback is not None and call.callback.state == "on_line"
    else:
        assert call.state == "dialing" and not scene.just(c.HangUpLeg)
        scene.wait(60)
        assert call.callback is not None and call.callback.tried == 1


def test_the_switch_restarts_while_the_customers_telephone_rings() -> None:
    scene = scene_of(agent_first=False)
    call = booked(scene)
    scene.ready("bob")
    scene.feed(e.LinkDown(switch=SWITCH, reason="gone"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b2"))
    assert call.callback is not None and call.callback.state == "booked" and call.callback.tried == 0
    scene.wait(70)
    assert call.state == "dialing", "called again"


def test_customer_first_what_was_asked_less_for_the_wait_stays_so_when_the_customer_is_there() -> None:
    """The agent who was kept free may be one who serves only those who have waited: the customer has."""
    scene = scene_of(agent_first=False)
    rings = (cfg.Ring(after_ms=20_000, drop=frozenset({"vip"})),)
    sales = replace(scene.state.config.queues["sales"], needs=(cfg.SkillNeed(skill="vip"),), rings=rings)
    config = scene.state.config
    scene.feed(e.ConfigChanged(config=replace(config, version=9, queues={**config.queues, "sales": sales})))
    call = booked(scene)
    scene.ready("bob")
    assert call.state == "waiting", "bob is asked for nothing yet"
    scene.wait(21)
    assert scene.last(f.CallbackDialed).agent == "bob"
    customer_answers(scene, call)
    assert call.offer is not None and call.offer.agent == "bob"
