"""Blind transfer to a queue, an agent, a number: one call, more legs."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.reach import why_blocked
from apps.core.calls.model import Call
from tests.core.scene import SWITCH, TENANT, Scene, center_config


def transferred(scene: Scene, kind: e.TransferKind, target: str) -> Call:
    """Bob talks and transfers; his leg goes, the customer comes back."""
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=kind, target=target)
    assert scene.just(f.RequestDone) and scene.just(c.HangUpLeg)[0].leg == leg
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.arrive(call.leg, call=call.id)
    return call


def test_to_a_queue() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = transferred(scene, e.TransferKind.QUEUE, "tech")
    assert call.wait and call.wait.queue == "tech" and call.offer and call.offer.agent == "ann"
    scene.answer_offer(call)
    assert scene.agent_state("ann") == "TALKING" and len(scene.all(f.CallBridged)) == 2
    assert len(scene.all(f.CallStarted)) == 1, "still one call"


def test_to_an_agent_who_takes_it() -> None:
    scene = Scene()
    scene.ready("bob", "ann", "cai")
    call = transferred(scene, e.TransferKind.AGENT, "cai")
    assert call.offer and call.offer.agent == "cai", "though ann has been idle longer"


def test_to_an_agent_who_does_not_goes_to_the_head_of_the_queue() -> None:
    scene = Scene()
    scene.ready("bob")
    call = transferred(scene, e.TransferKind.AGENT, "cai")
    assert call.offer is None
    scene.wait(21)
    assert scene.all(f.TransferFailed)
    assert call.wait and call.wait.queue == "sales" and call.wait.priority == 9 and call.wait.wanted_agent is None


def test_to_a_number() -> None:
    scene = Scene()
    scene.ready("bob")
    call = transferred(scene, e.TransferKind.NUMBER, "+8613900139000")
    dialed = scene.last(c.OriginateLeg)
    assert dialed.destination.gateway == "pstn" and dialed.role is e.LegRole.EXTERNAL and call.state == "dialing"
    scene.feed(e.LegParked(switch=SWITCH, leg=dialed.leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=dialed.leg, other=call.leg))
    assert call.state == "talking"
    scene.hang_up(dialed.leg)
    scene.arrive(call.leg, call=call.id)
    recording = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=recording, duration_ms=5))
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SERVED


def test_to_a_number_that_is_busy() -> None:
    scene = Scene()
    scene.ready("bob")
    call = transferred(scene, e.TransferKind.NUMBER, "+8613900139000")
    scene.hang_up(scene.last(c.OriginateLeg).leg, e.HangupCause.BUSY)
    assert scene.last(f.TransferFailed).reason == "busy" and call.wait and call.wait.priority == 9


def test_bad_targets_are_refused_and_change_nothing() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    for kind, target in (
        (e.TransferKind.QUEUE, "nowhere"),
        (e.TransferKind.AGENT, "nobody"),
        (e.TransferKind.NUMBER, "1380;rm -rf"),
        (e.TransferKind.NUMBER, "&park()"),
    ):
        scene.ask(e.TransferRequested, "bob", call=call.id, kind=kind, target=target)
        assert scene.just(f.RequestRefused)[0].code == "bad_target" and call.state == "talking"


def test_whom_nobody_takes_after_a_talk_was_served_all_the_same() -> None:
    """The queue that the caller was transferred to could not serve: that is how the call ended, not what it was."""
    sorry = cfg.Overflow(sounds=("sorry.wav",))
    tech = cfg.QueueConfig(id="tech", tenant=TENANT, name="Tech", max_wait_ms=60_000, overflow=sorry)
    scene = Scene(center_config(queues={**center_config().queues, "tech": tech}))
    scene.ready("bob")
    call = transferred(scene, e.TransferKind.QUEUE, "tech")
    scene.wait(61)
    assert scene.last(f.CallOverflowed).queue == "tech" and scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    assert scene.last(f.CallClosing).outcome is f.CallOutcome.SERVED and call.outcome is f.CallOutcome.SERVED


# --- a telephone that is rung as an extension ------------------------------------------------------------------------


def rung_while_paused() -> tuple[Scene, Call]:
    """Ann pauses, and bob sends a customer to her telephone, where she picks up."""
    scene = Scene()
    scene.ready("bob")
    scene.ask(e.AgentSignedIn, "ann")
    call, bobs = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.EXTENSION, target="10ann")
    scene.hang_up(bobs)
    scene.arrive(call.leg, call=call.id)
    leg = scene.last(c.OriginateLeg).leg
    for event in (e.LegRinging, e.LegAnswered, e.LegParked):
        scene.feed(event(switch=SWITCH, leg=leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    assert call.state == "talking" and scene.agent_state("ann") == "PAUSED"
    return scene, call


def test_who_gets_ready_in_mid_talk_is_offered_nothing_until_it_is_over() -> None:
    scene, talk = rung_while_paused()
    scene.ask(e.AgentPaused, "bob")
    scene.ask(e.AgentWentReady, "ann")
    waiting = scene.to_queue("cust2")
    assert scene.agent_state("ann") == "READY" and waiting.offer is None
    assert why_blocked(scene.state, scene.state.agents["ann"], scene.state.config.agents["ann"]) == "on_phone"
    scene.ask(e.DialRequested, "ann", number="10086")
    assert scene.refused() == "wrong_state"
    assert scene.folded() == scene.state and type(scene.state).from_data(scene.state.to_data()) == scene.state
    assert talk.bridge is not None
    scene.hang_up(talk.bridge.leg)
    assert waiting.offer is not None and waiting.offer.agent == "ann"


def test_a_telephone_that_only_rings_is_in_a_call_too() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.ask(e.AgentSignedIn, "ann")
    call, _leg = scene.talk()
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind.EXTENSION, target="10ann")
    rings = scene.last(c.OriginateLeg).leg
    scene.ask(e.AgentWentReady, "ann")
    waiting = scene.to_queue("cust2")
    assert waiting.offer is None
    scene.hang_up(rings, e.HangupCause.NO_ANSWER)
    assert waiting.offer is not None and waiting.offer.agent == "ann"
