"""The story of the product: a caller, a menu, a queue, an agent, a talk, a wrap-up."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.config import SkillNeed
from tests.core.scene import SWITCH, Scene, center_config


def test_menu_queue_talk_and_wrap_up() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.arrive()
    assert scene.just(c.AnswerLeg) and scene.last(c.PlayPrompts).sounds == ("choose.zh.wav", "choose.en.wav")
    scene.press(call, "2")
    assert scene.last(c.PlayPrompts).sounds == ("main.en.wav",) and call.lang == "en"
    scene.press(call, "1")
    assert scene.just(c.StartMusic)
    offered = scene.last(f.AgentOffered)
    assert offered.agent == "bob" and offered.ready_agents == 2, "the longest idle of the two is asked"
    assert scene.last(c.OriginateLeg).destination.address == "10bob"
    assert scene.agent_state("bob") == "OFFERED"
    leg = scene.answer_offer(call)
    assert scene.agent_state("bob") == "TALKING"
    assert scene.last(c.BridgeLegs).leg == leg and scene.last(c.BridgeLegs).other == call.leg
    recording = scene.last(c.StartRecording)
    scene.feed(e.RecordingStarted(switch=SWITCH, leg=call.leg, recording=recording.recording))
    scene.wait(65)
    scene.hang_up(leg)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.arrive(call.leg, call=call.id)
    assert scene.just(c.HangUpLeg)[0].leg == call.leg, "after the talk the caller is let go"
    scene.feed(e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=recording.recording, duration_ms=65000))
    scene.hang_up(call.leg)
    ended = scene.last(f.CallEnded)
    assert ended.outcome is f.CallOutcome.SERVED and not scene.state.calls and not scene.state.legs
    assert scene.last(f.CallUnbridged).talked_ms == 65_000
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold", note="很好")
    assert scene.agent_state("bob") == "READY" and scene.last(f.CallDisposed).disposition == "sold"
    assert scene.folded() == scene.state


def test_caller_hangs_up_first() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(call.leg)
    assert scene.agent_state("bob") == "WRAP_UP" and scene.just(c.HangUpLeg)[0].leg == leg
    assert not scene.all(f.CallEnded), "the agent's leg is still up, the recording open"
    scene.hang_up(leg)
    recording = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=recording, duration_ms=10))
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SERVED


def test_ring_no_answer_keeps_the_place() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    first = scene.to_queue("first")
    second = scene.to_queue("second")
    assert first.offer and second.offer and first.offer.agent == "bob" and second.offer.agent == "ann"
    queued_ms = first.wait.queued_ms if first.wait else 0
    scene.hang_up(first.offer.leg, e.HangupCause.NO_ANSWER)
    assert scene.agent_state("bob") == "NOT_RESPONDING"
    third = scene.to_queue("third")
    scene.hang_up(second.offer.leg, e.HangupCause.BUSY)
    assert scene.agent_state("ann") == "PAUSED"
    scene.ready("bob")
    assert first.offer is not None and first.wait is not None and first.wait.queued_ms == queued_ms
    assert second.offer is None and third.offer is None
    scene.ask(e.AgentWentReady, "ann")
    assert second.offer is not None and third.offer is None


def test_silent_switch_is_caught_by_our_own_deadline() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else ""
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    scene.wait(22)
    assert scene.agent_state("bob") == "NOT_RESPONDING" and call.offer is None
    assert [item.leg for item in scene.all(c.HangUpLeg)] == [leg]


def test_abandon_while_ringing_frees_the_agent_in_the_old_place() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    idle_since = scene.state.agents["bob"].idle_since_ms
    call = scene.to_queue()
    leg = call.offer.leg if call.offer else ""
    scene.hang_up(call.leg)
    assert scene.agent_state("bob") == "READY" and scene.state.agents["bob"].idle_since_ms == idle_since
    cancel = scene.just(c.HangUpLeg)
    assert any(item.leg == leg and item.cause is e.HangupCause.CANCELLED for item in cancel)
    scene.hang_up(leg, e.HangupCause.CANCELLED)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.ABANDONED
    assert scene.last(f.CallDequeued).reason is f.QueueExit.ABANDONED


def test_skills_are_required() -> None:
    scene = Scene()
    scene.ready("bob", "cai")
    english = scene.to_queue("english", "22")
    assert english.wait and english.wait.needs == (SkillNeed(skill="lang:en"),) and english.wait.priority == 7
    assert english.offer is None, "cai serves this queue but has no English, bob does not serve it"
    scene.ready("ann")
    assert english.offer is not None and english.offer.agent == "ann"


def test_priority_then_longest_wait_over_all_queues() -> None:
    scene = Scene()
    early = scene.to_queue("early", "11")
    scene.wait(10)
    urgent = scene.to_queue("urgent", "12")
    scene.ready("ann")
    assert urgent.offer is not None and early.offer is None


def test_agent_leg_dies_in_the_bridge_gap() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call = scene.to_queue()
    assert call.offer
    leg = call.offer.leg
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    scene.hang_up(leg)
    assert scene.just(c.ReclaimLeg)[0].leg == call.leg, "the customer would be stuck on the switch"
    assert scene.agent_state("bob") == "READY"
    scene.arrive(call.leg, call=call.id)
    assert call.offer is not None and call.offer.agent == "ann", "the next agent; bob went to the end of the line"


def test_bridge_that_never_comes() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer
    scene.feed(e.LegParked(switch=SWITCH, leg=call.offer.leg))
    scene.wait(1.0)
    assert not scene.all(f.BridgeLost) and scene.just(c.RequestSnapshot), "first it is looked whether they talk"
    scene.wait(1.0)
    assert scene.all(f.BridgeLost) and scene.last(c.ReclaimLeg).leg == call.leg
    scene.arrive(call.leg, call=call.id)
    assert call.wait is not None and call.state == "waiting"


def test_bridge_whose_event_is_late_is_not_torn() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer
    leg = call.offer.leg
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    scene.wait(1.0)
    together = (
        e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER, answered=True, bridged_to=leg),
        e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=call.leg),
    )
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=together))
    scene.wait(5)
    assert call.state == "talking" and not scene.all(f.BridgeLost) and not scene.all(c.HangUpLeg)


def test_hold_and_resume_follow_the_switch() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.HoldRequested, "bob", call=call.id)
    assert scene.just(c.HoldLeg) and scene.agent_state("bob") == "TALKING", "only the switch's event changes it"
    scene.feed(e.LegHeld(switch=SWITCH, leg=leg))
    assert scene.agent_state("bob") == "HOLDING"
    scene.wait(5)
    scene.ask(e.ResumeRequested, "bob", call=call.id)
    scene.feed(e.LegUnheld(switch=SWITCH, leg=leg))
    assert scene.agent_state("bob") == "TALKING" and scene.last(f.CallResumed).held_ms == 5000


def test_wrap_up_runs_out_and_can_be_extended_ten_times() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.hang_up(leg)
    for _ in range(10):
        scene.ask(e.WrapUpExtended, "bob", call=call.id)
        assert scene.just(f.RequestDone)
    scene.ask(e.WrapUpExtended, "bob", call=call.id)
    assert scene.just(f.RequestRefused)[0].code == "limit"
    scene.wait(329)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.wait(2)
    assert scene.agent_state("bob") == "READY" and scene.last(f.CallDisposed).disposition == "UNSET"


def test_max_wait_ends_in_an_apology() -> None:
    scene = Scene()
    call = scene.to_queue("cust1", "12")
    scene.wait(61)
    assert scene.last(f.CallDequeued).reason is f.QueueExit.TIMED_OUT
    play = scene.last(c.PlayPrompts)
    assert play.sounds == ("sorry.wav",)
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=play.play, outcome=e.PlayOutcome.DONE))
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.OVERFLOWED


def test_unknown_did_is_told_politely() -> None:
    scene = Scene()
    call = scene.arrive(did="999")
    play = scene.last(c.PlayPrompts)
    assert play.sounds == ("unknown.wav",) and scene.last(f.AlarmRaised).kind == "unknown_did"
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=play.play, outcome=e.PlayOutcome.DONE))
    assert scene.just(c.HangUpLeg)
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.UNKNOWN_DID


def test_silence_in_the_menu_leads_on() -> None:
    scene = Scene()
    call = scene.arrive()
    for _ in range(4):
        scene.feed(
            e.PlayEnded(switch=SWITCH, leg=call.leg, play=scene.last(c.PlayPrompts).play, outcome=e.PlayOutcome.DONE)
        )
        scene.wait(6)
    assert call.wait is not None and call.wait.queue == "sales"


def test_config_change_moves_callers_of_a_deleted_queue() -> None:
    scene = Scene()
    call = scene.to_queue("cust1", "12")
    queues = {key: queue for key, queue in center_config().queues.items() if key != "tech"}
    scene.feed(e.ConfigChanged(config=center_config(2, queues=queues)))
    assert call.wait is None and scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    assert scene.folded() == scene.state
