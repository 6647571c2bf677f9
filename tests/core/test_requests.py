"""What agents may ask, when, and what they are told."""

from __future__ import annotations

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import TRANSITIONS, AgentState
from tests.core.scene import SWITCH, TENANT, Scene


def test_sign_in_lands_in_pause() -> None:
    scene = Scene()
    scene.ask(e.AgentSignedIn, "bob")
    assert scene.agent_state("bob") == "PAUSED" and scene.state.agents["bob"].reason == "login"


def test_ready_before_sign_in_is_refused() -> None:
    scene = Scene()
    scene.ask(e.AgentWentReady, "bob")
    assert scene.just(f.RequestRefused)[0].code == "wrong_state"


def test_pause_and_sign_out_wait_for_the_call() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.AgentPaused, "bob", reason="lunch")
    assert scene.agent_state("bob") == "TALKING" and scene.state.agents["bob"].next_state == "PAUSED"
    scene.hang_up(leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="no")
    assert scene.agent_state("bob") == "PAUSED" and scene.state.agents["bob"].reason == "lunch"


def test_repeated_command_is_answered_the_same_and_done_once() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(e.HangUpRequested, "bob", call=call.id, cmd_id="same")
    assert scene.just(c.HangUpLeg)
    scene.ask(e.HangUpRequested, "bob", call=call.id, cmd_id="same")
    assert scene.just(f.RequestDone) and not scene.just(c.HangUpLeg)


def test_stale_command_is_refused() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    seen = call.version
    scene.answer_offer(call)
    scene.ask(e.HoldRequested, "bob", call=call.id, version=seen)
    assert scene.just(f.RequestRefused)[0].code == "stale" and not scene.just(c.HoldLeg)


def test_other_tenants_and_others_calls_do_not_exist() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call, _leg = scene.talk()
    scene.ask(e.HangUpRequested, "ann", call=call.id)
    assert scene.just(f.RequestRefused)[0].code == "not_found"
    scene.feed(e.HangUpRequested(tenant="2", cmd_id="x", actor="eve", agent="bob", call=call.id))
    assert scene.just(f.RequestRefused)[0].code == "not_found"
    scene.feed(e.AgentSignedIn(tenant=TENANT, cmd_id="y", actor="eve", agent="nobody"))
    assert scene.just(f.RequestRefused)[0].code == "not_found"


def test_lost_console_while_ringing_is_not_a_missed_call() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.to_queue()
    scene.ask(e.AgentConnectionLost, "bob")
    assert scene.agent_state("bob") == "DISCONNECTED"
    assert call.offer and call.offer.agent == "ann"
    assert scene.all(f.OfferEnded)[-1].outcome is f.OfferOutcome.WITHDRAWN
    scene.ask(e.AgentConnectionRestored, "bob")
    assert scene.agent_state("bob") == "READY"


def test_lost_console_in_a_talk_comes_back_to_where_the_call_is() -> None:
    scene = Scene()
    scene.ready("bob")
    _call, leg = scene.talk()
    scene.ask(e.AgentConnectionLost, "bob")
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "DISCONNECTED"
    scene.ask(e.AgentConnectionRestored, "bob")
    assert scene.agent_state("bob") == "WRAP_UP"


def test_wrap_up_runs_on_while_the_console_is_away() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    scene.ask(e.WrapUpExtended, "bob", call=call.id)
    bob = scene.state.agents["bob"]
    ends_ms = scene.now_ms + 60_000
    assert bob.deadline_ms == ends_ms
    scene.wait(20)
    for _ in range(2):
        scene.ask(e.AgentConnectionLost, "bob")
        scene.wait(5)
        scene.ask(e.AgentConnectionRestored, "bob")
    assert (bob.state, bob.deadline_ms, bob.extended) == ("WRAP_UP", ends_ms, 1), "it goes on where it was"
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(31)
    assert bob.state == "DISCONNECTED" and scene.last(f.CallDisposed).disposition == "UNSET"
    assert scene.last(f.CallDisposed).wrap_up_ms == 60_000
    scene.ask(e.AgentConnectionRestored, "bob")
    assert bob.state == "READY" and scene.folded() == scene.state


def test_a_console_lost_before_the_talk_ended_finds_the_wrap_up_it_missed() -> None:
    scene = Scene()
    scene.ready("bob")
    _call, leg = scene.talk()
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(10)
    scene.hang_up(leg)
    ends_ms = scene.now_ms + 30_000
    scene.wait(10)
    scene.ask(e.AgentConnectionRestored, "bob")
    bob = scene.state.agents["bob"]
    assert (bob.state, bob.deadline_ms) == ("WRAP_UP", ends_ms)


def test_a_console_that_stays_away_is_signed_out() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(61)
    assert scene.agent_state("bob") == "LOGGED_OUT" and scene.state.agents["bob"].reason == "lost"


def test_decline_pauses_and_keeps_the_place() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    scene.ask(e.DeclineRequested, "bob", call=call.id)
    assert scene.agent_state("bob") == "PAUSED" and call.wait is not None and call.offer is None


def test_answer_goes_to_the_device() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    scene.ask(e.AnswerRequested, "bob", call=call.id)
    assert scene.just(c.AnswerDevice)[0].leg == (call.offer.leg if call.offer else "")


def test_an_answer_asked_for_before_the_telephone_rings_is_not_lost() -> None:
    """An agent can be faster than the call to the telephone, which picks up only what rings."""
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    leg = call.offer.leg
    scene.ask(e.AnswerRequested, "bob", call=call.id)
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    assert [told.leg for told in scene.just(c.AnswerDevice)] == [leg]
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    assert not scene.just(c.AnswerDevice), "told once"


def test_unknown_disposition_is_refused() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="nonsense")
    assert scene.just(f.RequestRefused)[0].code == "bad_disposition" and scene.agent_state("bob") == "WRAP_UP"


def test_a_result_may_come_after_wrap_up_ran_out() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    scene.ask(e.LateResultGiven, "bob", call=call.id, disposition="no")
    assert scene.just(f.RequestRefused)[0].code == "wrong_state"  # it is at hand: finish it
    scene.wait(60_000)
    assert scene.agent_state("bob") == "READY"
    scene.ask(e.LateResultGiven, "bob", call=call.id, disposition="nonsense")
    assert scene.just(f.RequestRefused)[0].code == "bad_disposition"
    scene.ask(e.LateResultGiven, "bob", call=call.id, disposition="no", note="late")
    told = scene.just(f.CallDisposed)[0]
    assert (told.call, told.disposition, told.note, told.wrap_up_ms) == (call.id, "no", "late", 0)
    assert scene.agent_state("bob") == "READY"


def test_supervisor_forces_after_the_call() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.AgentForced, "bob", state="LOGGED_OUT")
    scene.hang_up(leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="no")
    assert scene.agent_state("bob") == "LOGGED_OUT"
    scene.ask(e.AgentForced, "bob", state="TALKING")
    assert scene.just(f.RequestRefused)[0].code == "bad_state"


@pytest.mark.parametrize("state", list(AgentState))
def test_every_state_has_a_way_out_and_a_way_to_sign_out(state: AgentState) -> None:
    reached, pending = set(), [state]
    while pending:
        here = pending.pop()
        if here not in reached:
            reached.add(here)
            pending.extend(TRANSITIONS[here])
    assert {AgentState.LOGGED_OUT, AgentState.READY} <= reached


def test_a_pause_for_a_reason_that_does_not_exist_is_refused() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.ask(e.AgentPaused, "bob", reason="siesta")
    assert scene.refused() == "bad_reason" and scene.agent_state("bob") == "READY"
    scene.ask(e.AgentPaused, "bob")
    assert scene.agent_state("bob") == "PAUSED", "none has to be given"


@pytest.mark.parametrize("request_kind", [e.TransferRequested, e.ConsultRequested])
@pytest.mark.parametrize(("kind", "target"), [("agent", "bob"), ("extension", "10bob")])
def test_who_has_the_call_cannot_be_sent_it(request_kind: type[e.CallRequest], kind: str, target: str) -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ask(request_kind, "bob", call=call.id, kind=e.TransferKind(kind), target=target)
    assert scene.refused() == "yourself" and call.state == "talking"
