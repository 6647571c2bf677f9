"""Declining, drafts, being forced, a call for help."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, TENANT, Scene, center_config

# --- decline -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["agent", "queue"])
def test_declining_needs_permission_of_both(who: str) -> None:
    config = center_config()
    bob, sales = config.agents["bob"], config.queues["sales"]
    if who == "agent":
        bob = cfg.AgentConfig(
            id="bob", tenant=TENANT, name="Bob", device=bob.device, queues=bob.queues, may_decline=False
        )
    else:
        sales = cfg.QueueConfig(id="sales", tenant=TENANT, name="Sales", may_decline=False)
    scene = Scene(center_config(agents={"bob": bob}, queues={"sales": sales}))
    scene.ready("bob")
    call = scene.to_queue()
    scene.ask(e.DeclineRequested, "bob", call=call.id)
    assert scene.refused() == "not_permitted" and call.offer is not None


# --- drafts --------------------------------------------------------------------------------------------------------


def wrapping_up(scene: Scene) -> Call:
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    return call


def draft(scene: Scene, call: Call, note: str, **more: Any) -> None:
    scene.ask(e.DraftSaved, "bob", call=call.id, note=note, **more)


def test_a_draft_is_kept_when_wrap_up_runs_out() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    draft(scene, call, "owes us a cal", disposition="sold")
    draft(scene, call, "owes us a call")
    scene.wait(31)
    disposed = scene.last(f.CallDisposed)
    assert (disposed.disposition, disposed.note) == ("UNSET", "owes us a call")
    assert scene.agent_state("bob") == "READY" and scene.state.agents["bob"].draft == ""


def test_typing_at_the_end_gives_a_little_more_time_but_not_for_ever() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    ends_ms = scene.state.agents["bob"].deadline_ms
    draft(scene, call, "a")
    assert scene.state.agents["bob"].deadline_ms == ends_ms, "there is time enough"
    for _ in range(10):
        scene.wait(((scene.state.agents["bob"].deadline_ms or 0) - scene.now_ms) / 1000 - 1)
        draft(scene, call, "b")
    assert scene.state.agents["bob"].deadline_ms == (ends_ms or 0) + 150_000
    scene.wait(((scene.state.agents["bob"].deadline_ms or 0) - scene.now_ms) / 1000 - 1)
    draft(scene, call, "c")
    scene.wait(2)
    assert scene.agent_state("bob") == "READY" and scene.last(f.CallDisposed).note == "c"


def test_a_draft_is_of_the_call_in_hand() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    draft(scene, call, "while talking")
    assert scene.state.agents["bob"].draft == "while talking"
    scene.ask(e.DraftSaved, "bob", call="other", note="x")
    assert scene.refused() == "wrong_state"


# --- forced --------------------------------------------------------------------------------------------------------


def forced(scene: Scene, state: str = "PAUSED", *, now: bool = True) -> f.AgentOverruled:
    scene.ask(e.AgentForced, "bob", state=state, reason="meeting", now=now)
    assert scene.just(f.RequestDone), scene.new
    return scene.just(f.AgentOverruled)[0]


def test_forcing_is_on_record() -> None:
    scene = Scene()
    scene.ready("bob")
    fact = forced(scene, now=False)
    assert (fact.actor, fact.before, fact.state, fact.reason, fact.now) == ("bob", "READY", "PAUSED", "meeting", False)
    assert scene.agent_state("bob") == "PAUSED"


def test_forced_now_out_of_an_offer() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.to_queue()
    forced(scene)
    assert scene.agent_state("bob") == "PAUSED" and call.offer is not None and call.offer.agent == "ann"


def test_forced_now_out_of_a_talk_the_caller_is_first_in_line() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    forced(scene, "LOGGED_OUT")
    assert scene.just(c.HangUpLeg)[0].leg == leg and scene.agent_state("bob") == "TALKING"
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "LOGGED_OUT", "no wrap-up"
    scene.arrive(LegId(call.leg), call=call.id)
    assert call.wait is not None and call.wait.priority == 9 and call.wait.queue == "sales"


def test_forced_after_the_call_by_default() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    forced(scene, now=False)
    assert scene.agent_state("bob") == "TALKING" and not scene.just(c.HangUpLeg)
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.agent_state("bob") == "PAUSED"


def test_forced_now_out_of_wrap_up_and_dialling() -> None:
    scene = Scene()
    call = wrapping_up(scene)
    draft(scene, call, "half a note")
    forced(scene)
    assert scene.last(f.CallDisposed).note == "half a note" and scene.agent_state("bob") == "PAUSED"
    scene.ask(e.DialRequested, "bob", number="10086")
    forced(scene, "READY")
    assert scene.agent_state("bob") == "READY" and scene.last(f.DialEnded).outcome is f.DialOutcome.CANCELLED


def test_who_is_not_there_cannot_be_made_ready() -> None:
    scene = Scene()
    scene.ask(e.AgentForced, "bob", state="READY")
    assert scene.refused() == "wrong_state" and not scene.all(f.AgentOverruled)


# --- help and quality ----------------------------------------------------------------------------------------------


def test_help_is_an_alarm_until_it_came_or_the_call_is_done() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert [(alarm.kind, alarm.subject, alarm.detail) for alarm in scene.state.alarms.values()] == [
        ("agent_help", "bob", "Bob")
    ]
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=False)
    assert not scene.state.alarms
    scene.hang_up(leg)
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert scene.agent_state("bob") == "WRAP_UP" and scene.state.alarms
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert not scene.state.alarms
    scene.ask(e.HelpRequested, "bob", call=call.id, wanted=True)
    assert scene.refused() == "not_found"


def test_a_call_is_marked_while_talking_and_afterwards() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.CallMarkRequested, "bob", call=call.id)
    assert scene.just(f.CallMarked)[0].agent == "bob"
    scene.hang_up(leg)
    scene.hang_up(call.leg)
    scene.ask(e.CallMarkRequested, "bob", call=call.id)
    assert scene.just(f.CallMarked)[0].call == call.id
    scene.ask(e.CallMarkRequested, "ann", call=call.id)
    assert scene.refused() == "not_found"


def test_a_recording_that_breaks_off_is_known_for_the_talk() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    recording_id = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingFailed(switch=SWITCH, leg=call.leg, recording=recording_id, reason="disk"))
    assert call.recording_broken and call.recording is None
    scene.hang_up(leg)
    assert scene.folded() == scene.state
