"""A call back in queue: asked for by key, by a flow or by a program; the place is kept, the customer is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.events import HangupCause
from tests.core.scene import FLOW, SWITCH, TENANT, Scene, center_config
from tests.core.test_recovery import restarted

PHRASES = {
    "zh": {
        "callback.booked": ("booked.wav",), "callback.confirm": ("on.wav",), "callback.keys": ("keys.wav",),
        "callback.number": ("type.wav",), "callback.invalid": ("invalid.wav",), "callback.already": ("already.wav",),
        "callback.greeting": ("hello.wav",), "callback.offer.1": ("offer.wav",),
        **{f"digit.{digit}": (f"{digit}.wav",) for digit in range(10)},
    }
}  # fmt: skip
CUSTOMER = "13800138000"


def scene_of(*, dialing: cfg.DialPolicy | None = None, life: dict[str, Any] | None = None, **offer: Any) -> Scene:
    base = center_config()
    queue = cfg.QueueLife(callback=cfg.CallbackOffer(**offer), **(life or {}))
    return Scene(
        replace(
            base,
            queues={**base.queues, "sales": replace(base.queues["sales"], life=queue)},
            trunks={"t1": replace(base.trunks["t1"], caller_number="4001")},
            tenants={TENANT: replace(base.tenants[TENANT], dialing=dialing or cfg.DialPolicy())},
            phrases=PHRASES,
            sound_ms={f"{name}.wav": 2_000 for name in ("booked", "on", "keys", "type", *range(10))},
        )
    )


def keys(scene: Scene, call: Call, pressed: str) -> None:
    for key in pressed:
        scene.press(call, key)


def booked(scene: Scene, leg: str = "cust1", pressed: str = "11") -> Call:
    """From the queue, by keys, and let go."""
    call = scene.to_queue(leg)
    keys(scene, call, pressed)
    assert call.callback is not None
    if call.callback.play is not None:
        scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=call.callback.play, outcome=e.PlayOutcome.DONE))
    scene.hang_up(leg)
    assert call.callback.state == "booked" and not call.legs
    return call


def agent_answers(scene: Scene, call: Call) -> str:
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    return leg


def customer_answers(scene: Scene, call: Call) -> None:
    scene.feed(e.LegRinging(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=call.leg))


def ask(scene: Scene, number: str = CUSTOMER, **fields: Any) -> str:
    scene.serial += 1
    cmd_id = f"web{scene.serial}"
    values = {"tenant": TENANT, "queue": "sales", **fields}
    scene.feed(e.CallbackRequested(cmd_id=cmd_id, actor="api", number=number, **values))
    return cmd_id


# --- asked for by key ------------------------------------------------------------------------------------------------


def test_the_caller_confirms_hears_goodbye_and_keeps_the_place() -> None:
    scene = scene_of()
    call = scene.to_queue()
    place_ms = call.wait.queued_ms if call.wait else 0
    scene.wait(40)
    scene.press(call, "1")
    assert scene.last(c.PlayPrompts).sounds == ("on.wav", *(f"{digit}.wav" for digit in CUSTOMER), "keys.wav")
    scene.press(call, "1")
    assert scene.last(c.PlayPrompts).sounds == ("booked.wav",) and not scene.last(c.PlayPrompts).barge
    dequeued = scene.last(f.CallDequeued)
    assert (dequeued.reason, dequeued.waited_ms) == (f.QueueExit.CALLBACK, 40_000)
    assert call.callback is not None and call.callback.state == "leaving"
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=call.callback.play, outcome=e.PlayOutcome.DONE))
    assert scene.just(c.HangUpLeg)[0].leg == "cust1"
    scene.hang_up("cust1")
    assert call.wait is not None and call.wait.queued_ms == place_ms and call.state == "waiting"
    assert not scene.all(f.CallEnded)
    assert scene.state == scene.folded() == type(scene.state).from_data(scene.state.to_data())


def test_it_stands_before_who_came_later_and_after_who_came_before() -> None:
    scene = scene_of()
    scene.to_queue("first")
    scene.wait(1)
    call = booked(scene)
    scene.wait(1)
    scene.to_queue("third")
    scene.ready("bob", "ann")
    offered = [fact.call for fact in scene.all(f.AgentOffered)]
    assert offered[1] == call.id and len(offered) == 2


def test_another_number_is_typed_cleaned_and_confirmed() -> None:
    scene = scene_of()
    call = scene.to_queue()
    keys(scene, call, "12")
    assert scene.last(c.PlayPrompts).sounds == ("type.wav",)
    keys(scene, call, "139*13912345678#")  # * begins anew
    assert scene.last(c.PlayPrompts).sounds[1:4] == ("1.wav", "3.wav", "9.wav")
    scene.press(call, "1")
    assert call.callback is not None and call.callback.number == "13912345678"


@pytest.mark.parametrize("typed", ["110#", "#", "0044207#"])
def test_a_number_that_may_not_be_dialled_is_asked_for_again_and_three_times_at_most(typed: str) -> None:
    scene = scene_of(dialing=cfg.DialPolicy(rules=(cfg.DialRule(prefix="110", whole=True),)))
    call = scene.to_queue()
    keys(scene, call, "12")
    for _ in range(2):
        keys(scene, call, typed)
        assert scene.last(c.PlayPrompts).sounds == ("invalid.wav", "type.wav")
    keys(scene, call, typed)
    assert call.dialog is None and call.callback is None and scene.last(c.StartMusic).leg == call.leg
    assert call.wait is not None, "still in line"


def test_a_caller_without_a_number_is_asked_for_one() -> None:
    scene = scene_of()
    scene.feed(e.CallArrived(switch=SWITCH, leg="anon", did="4001", caller_number="anonymous"))
    call = scene.state.call_of("anon")
    assert call is not None
    keys(scene, call, "111")
    assert call.dialog is not None and call.dialog.phase == "number"
    keys(scene, call, "13912345678#1")
    assert call.callback is not None and call.callback.number == "13912345678"


def test_who_says_nothing_is_asked_again_and_goes_on_waiting_in_the_old_place() -> None:
    scene = scene_of()
    call = scene.to_queue()
    wait = call.wait
    scene.press(call, "1")
    scene.wait(120)
    asked = [one for one in scene.all(c.PlayPrompts) if one.sounds[0] == "on.wav"]
    assert len(asked) == 3 and call.dialog is None and call.wait is wait


def test_an_agent_who_becomes_free_meanwhile_gets_the_caller() -> None:
    scene = scene_of()
    call = scene.to_queue()
    scene.press(call, "1")
    scene.ready("bob")
    scene.answer_offer(call)
    assert call.state == "talking" and call.dialog is None
    scene.press(call, "1")
    assert call.callback is None


def test_booking_while_a_telephone_rings_lets_the_agent_off() -> None:
    scene = scene_of()
    call = scene.to_queue()
    scene.press(call, "1")
    scene.ready("bob")
    leg = call.offer.leg if call.offer else ""
    scene.press(call, "1")
    assert leg in {command.leg for command in scene.just(c.HangUpLeg)} and scene.agent_state("bob") == "READY"


def test_the_offer_is_told_only_to_whom_a_long_wait_is_expected() -> None:
    for limit_ms, told in ((0, True), (60_000, False)):
        scene = scene_of(from_wait_ms=limit_ms, life={"tell_every_ms": 60_000})
        scene.to_queue()
        scene.wait(6)
        said = [one.sounds for one in scene.all(c.PlayPrompts) if one.sounds == ("offer.wav",)]
        assert bool(said) is told


def test_without_the_offer_a_key_does_nothing() -> None:
    scene = Scene()
    call = scene.to_queue()
    scene.press(call, "1")
    assert not scene.new and call.dialog is None


# --- by a flow -------------------------------------------------------------------------------------------------------


def flow_scene() -> Scene:
    nodes = {
        **FLOW["nodes"],
        "sales": {"type": "enqueue", "queue": "sales", "max_wait_s": 30, "on": {"timeout": "back"}},
        "back": {"type": "callback", "queue": "sales", "on": {"declined": "bye"}},
    }
    scene = scene_of()
    now = scene.state.config
    flow = replace(now.flows["hot"], version="v2", document={**FLOW, "nodes": nodes})
    scene.feed(e.ConfigChanged(config=replace(now, version=2, flows={"hot": flow})))
    return scene


def test_a_flow_offers_it_to_who_waited_too_long_and_the_old_place_is_kept() -> None:
    scene = flow_scene()
    call = scene.to_queue()
    place_ms = call.wait.queued_ms if call.wait else 0
    scene.wait(31)
    assert call.state == "ivr" and call.dialog is not None
    scene.press(call, "1")
    assert call.wait is not None and call.wait.queued_ms == place_ms and call.callback is not None
    assert call.callback.source == "flow"
    scene.hang_up("cust1")
    scene.ready("bob")
    assert call.offer is not None


def test_a_flow_goes_on_where_it_is_declined() -> None:
    scene = flow_scene()
    call = scene.to_queue()
    scene.wait(31)
    scene.press(call, "*")
    assert call.dialog is None and call.outcome is f.CallOutcome.SELF_SERVED


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


# --- window, hours, double booking, the end --------------------------------------------------------------------------


def test_its_window_over_it_is_given_up() -> None:
    scene = scene_of(window_ms=3_600_000)
    call = booked(scene)
    scene.wait(3_599)
    assert call.callback is not None
    scene.wait(2)
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.EXPIRED and not scene.state.calls


def test_nobody_is_called_back_while_the_queue_is_closed() -> None:
    scene = scene_of(life={"calendar": "1/main"})
    call = booked(scene)
    now = scene.state.config
    closed = {"1/main": replace(now.calendars["1/main"], override="closed")}
    scene.feed(e.ConfigChanged(config=replace(now, version=2, calendars=closed)))
    scene.wait(0.1)
    scene.ready("bob")
    assert call.offer is None
    scene.feed(e.ConfigChanged(config=replace(now, version=3)))
    scene.wait(0.1)
    assert call.offer is not None and call.offer.agent == "bob"


@pytest.mark.parametrize("written", [CUSTOMER, f"+86{CUSTOMER}", f"0086{CUSTOMER}"])
def test_one_open_call_back_for_a_number_however_it_is_written(written: str) -> None:
    scene = scene_of()
    call = booked(scene)
    ask(scene, written)
    refused = scene.last(f.RequestRefused)
    assert refused.code == "already_booked" and call.id in refused.reason
    again = scene.to_queue("again")
    keys(scene, again, "11")
    assert again.callback is None and scene.last(c.PlayPrompts).sounds == ("already.wav",)
    assert again.wait is not None, "and may as well wait"
    ask(scene, "13912345678")
    assert isinstance(scene.facts[-1], f.RequestDone)


def test_a_deleted_queue_ends_it() -> None:
    scene = scene_of()
    booked(scene)
    now = scene.state.config
    scene.feed(e.ConfigChanged(config=replace(now, version=2, queues={"tech": now.queues["tech"]})))
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.FAILED
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.FAILED


def test_a_caller_who_does_not_hang_up_after_the_goodbye_is_let_go_again() -> None:
    scene = scene_of()
    call = scene.to_queue()
    keys(scene, call, "11")
    scene.ready("bob")
    assert call.offer is None, "not while still on the telephone"
    scene.wait(8)
    assert scene.last(c.HangUpLeg).leg == "cust1" and scene.all(c.RequestSnapshot)
    scene.wait(20)
    assert len([one for one in scene.all(c.HangUpLeg) if one.leg == "cust1"]) in range(3, 8)


# --- by programs -----------------------------------------------------------------------------------------------------


def test_a_program_books_for_a_time_and_the_customer_is_called_then() -> None:
    scene = scene_of()
    scene.ready("bob")
    ask(scene, due_ms=scene.now_ms + 600_000, name="王芳", attached={"order": "7"}, agent_first=True)
    fact = scene.last(f.CallbackBooked)
    call = scene.state.calls[fact.call]
    assert (fact.source, fact.cmd_id, call.direction, call.caller_name) == ("web", "web3", "outbound", "王芳")
    scene.wait(599)
    assert call.offer is None
    scene.wait(2)
    leg = agent_answers(scene, call)
    customer_answers(scene, call)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    assert call.state == "talking" and call.attached == {"order": "7"}
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"queue": "nowhere"}, "not_found"),
        ({"queue": "tech"}, "callbacks_off"),
        ({"tenant": "2"}, "not_found"),
        ({"number": "()"}, "bad_number"),
        ({"number": "+4420712345"}, "barred"),
        ({"due_ms": 1_900_000_000_000}, "bad_time"),
    ],
)
def test_what_cannot_be_booked_is_refused_with_the_reason(fields: dict[str, Any], code: str) -> None:
    scene = scene_of()
    ask(scene, **fields)
    assert scene.last(f.RequestRefused).code == code and not scene.state.calls


def test_a_call_back_is_cancelled_once_and_not_while_the_customer_is_connected() -> None:
    scene = scene_of()
    call = booked(scene)
    cancel = {"tenant": TENANT, "actor": "api", "call": call.id}
    scene.feed(e.CallbackCancelRequested(cmd_id="x0", **{**cancel, "tenant": "2"}))
    assert scene.last(f.RequestRefused).code == "not_found"
    scene.ready("bob")
    leg = agent_answers(scene, call)
    scene.feed(e.CallbackCancelRequested(cmd_id="x1", **cancel))
    assert scene.last(f.RequestRefused).code == "wrong_state"
    scene.hang_up(call.leg, HangupCause.BUSY)
    scene.hang_up(leg)
    scene.feed(e.CallbackCancelRequested(cmd_id="x2", **cancel))
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.CANCELLED
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.CANCELLED
    scene.feed(e.CallbackCancelRequested(cmd_id="x3", **cancel))
    assert scene.last(f.RequestRefused).code == "not_found"


def test_a_supervisor_may_remove_it_too() -> None:
    scene = scene_of()
    call = booked(scene)
    scene.feed(e.CallRemovalRequested(tenant=TENANT, cmd_id="r", actor="s", call=call.id))
    assert scene.last(f.CallbackEnded).outcome is f.CallbackOutcome.CANCELLED and not scene.state.calls


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
