"""A call back in queue: asked for by key, by a flow or by a program; one a number, in the caller's place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.events import HangupCause
from tests.core.callback_scene import CUSTOMER, agent_answers, ask, booked, customer_answers, keys, scene_of
from tests.core.scene import FLOW, SWITCH, TENANT, Scene

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
