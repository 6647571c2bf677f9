"""Two things at once: deadlines, snapshots and late reports that meet a call in the middle of a change."""

from __future__ import annotations

from dataclasses import replace

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, TENANT, Scene, center_config
from tests.core.test_recovery import customer


def with_overflow(**queue: object) -> cfg.CenterConfig:
    config = center_config()
    overflow = cfg.Overflow(kind=cfg.OverflowKind.NUMBER, target="10086")
    tech = replace(config.queues["tech"], overflow=overflow, **queue)
    return replace(config, queues={**config.queues, "tech": tech})


def connecting(scene: Scene, keys: str = "11") -> tuple[Call, LegId]:
    """An agent has answered, the bridge is asked for and not there yet."""
    call = scene.to_queue(keys=keys)
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LegAnswered(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    assert call.state == "connecting"
    return call, leg


def to_number(scene: Scene) -> tuple[Call, LegId]:
    """A caller of tech has waited too long; the overflow number rings."""
    call = scene.to_queue(keys="12")
    scene.wait(61)
    assert call.state == "dialing"
    return call, scene.last(c.OriginateLeg).leg


# --- the longest wait ends at a bad moment -------------------------------------------------------------------------


def test_the_longest_wait_ends_while_the_bridge_is_made() -> None:
    scene = Scene(with_overflow())
    scene.ready("cai")
    call = scene.to_queue(keys="12")
    assert call.offer is not None and call.wait is not None
    leg = call.offer.leg
    call.wait.deadline_ms = call.offer.deadline_ms = scene.now_ms + 500  # as if offered at the very end of the wait
    scene.feed(e.LegAnswered(switch=SWITCH, leg=leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    scene.wait(0.6)
    assert call.state == "connecting" and not scene.all(f.CallDequeued)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    assert scene.agent_state("cai") == "TALKING"


def test_the_longest_wait_ends_between_answer_and_park() -> None:
    scene = Scene()
    scene.ready("cai")
    call = scene.to_queue(keys="12")
    assert call.offer is not None and call.wait is not None
    call.wait.deadline_ms = scene.now_ms + 500
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.offer.leg))
    scene.now_ms += 600
    scene.feed(e.DeadlinePassed())
    due = scene.engine.next_deadline_ms()
    assert due is not None and due > scene.now_ms, "a deadline that cannot be met must not fire again and again"
    assert call.offer is not None


# --- a snapshot meets a change -------------------------------------------------------------------------------------


def test_last_words_are_not_cut_short_by_a_snapshot() -> None:
    scene = Scene()
    call = scene.arrive(did="999")
    scene.wait(5)
    seen = e.SnapshotLeg(leg=call.leg, call=call.id, role=e.LegRole.CUSTOMER, answered=True, controlled=True)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(seen,)))
    assert not scene.just(c.HangUpLeg)
    scene.wait(60)
    assert scene.all(c.HangUpLeg), "but not for ever"


def test_last_words_whose_end_nobody_reports_end_by_their_length() -> None:
    scene = Scene(center_config(sound_ms={"unknown.wav": 4_000}))
    call = scene.arrive(did="999")
    scene.wait(8.9)
    assert not scene.all(c.HangUpLeg)
    scene.wait(0.2)
    assert scene.last(c.HangUpLeg).leg == call.leg


def test_a_talker_without_a_tag_is_tagged_and_left_in_the_talk() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.wait(2)
    agent = e.SnapshotLeg(
        leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=LegId(call.leg)
    )
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(agent,), others=(call.leg,)))
    assert scene.just(c.TagLeg) and not scene.just(c.ReclaimLeg) and call.state == "talking"


def test_a_snapshot_older_than_the_bridge_command_does_not_repeat_it() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = connecting(scene)
    scene.now_ms += 30
    agent = e.SnapshotLeg(leg=leg, call=call.id, role=e.LegRole.AGENT, agent="bob", answered=True)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(customer(call.id, controlled=True), agent)))
    assert not scene.just(c.BridgeLegs)


# --- the queue, the agent or the far side goes away ----------------------------------------------------------------


def test_the_queue_is_deleted_while_the_bridge_fails() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.ready("cai")
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.AGENT, target="cai")
    scene.hang_up(scene.all(f.AgentOffered)[0].leg)
    scene.arrive(call.leg, call=call.id)
    assert call.offer is not None and call.offer.agent == "cai"
    leg = call.offer.leg
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    queues = {name: queue for name, queue in center_config().queues.items() if name != "sales"}
    scene.feed(e.ConfigChanged(config=center_config(2, queues=queues)))
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    assert call.wait is None and scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    assert scene.agent_state("cai") == "READY"


def test_an_agent_without_console_keeps_the_call_that_is_being_connected() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = connecting(scene)
    scene.ask(e.AgentConnectionLost, "bob")
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.wait(70)
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    scene.ask(e.AgentConnectionRestored, "bob")
    assert scene.agent_state("bob") == "TALKING"


def test_a_number_that_answers_and_cannot_be_bridged_is_no_served_caller() -> None:
    scene = Scene(with_overflow())
    call, leg = to_number(scene)
    scene.feed(e.LegParked(switch=SWITCH, leg=leg))
    scene.hang_up(leg)
    assert scene.just(c.ReclaimLeg)
    scene.arrive(call.leg, call=call.id)
    assert scene.last(c.PlayPrompts).sounds == ("sorry.wav",)
    assert scene.last(f.CallClosing).outcome is f.CallOutcome.OVERFLOWED


def test_a_transfer_to_a_number_that_cannot_be_bridged_fails_and_is_not_dialled_again() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.NUMBER, target="10010")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    dialled = scene.last(c.OriginateLeg).leg
    scene.feed(e.LegParked(switch=SWITCH, leg=dialled))
    scene.wait(1.1)
    scene.wait(1.1)
    assert scene.all(f.BridgeLost)
    scene.arrive(call.leg, call=call.id)
    assert scene.last(c.OriginateLeg).leg == dialled and scene.all(f.TransferFailed)
    assert call.wait is not None and call.wait.priority == 9
    scene.hang_up(dialled)
    assert call.state == "waiting"


# --- one's own fault, another's fault ------------------------------------------------------------------------------


def test_an_offer_that_the_link_could_not_carry_is_not_a_missed_call() -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    assert call.offer is not None
    leg = call.offer.leg
    scene.feed(e.LinkDown(switch=SWITCH, reason="eof"))
    scene.feed(e.LegHungUp(switch=SWITCH, leg=leg, cause=e.HangupCause.UNREACHABLE, raw="LINK_DOWN"))
    assert scene.agent_state("bob") == "READY" and call.offer is None


def test_a_callers_own_hold_is_not_the_agents() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    scene.feed(e.LegHeld(switch=SWITCH, leg=call.leg))
    assert scene.agent_state("bob") == "TALKING" and not scene.all(f.CallHeld)


def test_a_prompt_ended_by_the_hang_up_leads_nowhere() -> None:
    """A driver ends the prompt before it tells of the hang-up: no agent's phone may ring for that."""
    scene = Scene(with_announcement())
    scene.ready("bob")
    call = scene.arrive()
    play = scene.last(c.PlayPrompts).play
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=play, outcome=e.PlayOutcome.STOPPED))
    assert call.state == "ivr"
    scene.hang_up(call.leg)
    assert not scene.all(f.AgentOffered) and scene.last(f.CallEnded).outcome is f.CallOutcome.LEFT_IN_IVR


def test_a_prompt_ended_by_a_key_leads_on_at_once() -> None:
    scene = Scene(with_announcement())
    call = scene.arrive()
    play = scene.last(c.PlayPrompts).play
    scene.press(call, "5")
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=play, outcome=e.PlayOutcome.STOPPED))
    assert call.state == "waiting"


def test_a_prompt_stopped_by_nobody_we_know_leads_on_soon() -> None:
    scene = Scene(with_announcement())
    call = scene.arrive()
    play = scene.last(c.PlayPrompts).play
    scene.feed(e.PlayEnded(switch=SWITCH, leg=call.leg, play=play, outcome=e.PlayOutcome.STOPPED))
    scene.wait(2)
    assert call.state == "waiting"


def with_announcement() -> cfg.CenterConfig:
    """A flow that says something and then queues the caller."""
    config = center_config()
    nodes = {
        "ans": {"type": "answer", "on": {"ok": "news"}},
        "news": {"type": "play", "say": [{"p": "bye"}], "on": {"done": "sales"}},
        "sales": {"type": "enqueue", "queue": "sales"},
    }
    flow = config.flows["hot"]
    flow = replace(flow, version="v2", document={**flow.document, "nodes": nodes, "handlers": {}})
    return replace(config, flows={"hot": flow})


# --- books ---------------------------------------------------------------------------------------------------------


def test_the_wait_after_a_failed_transfer_is_counted_from_its_own_beginning() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.wait(300)
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.NUMBER, target="10010")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    scene.hang_up(scene.last(c.OriginateLeg).leg, e.HangupCause.BUSY)
    assert call.wait is not None and call.wait.queued_ms == call.started_ms, "at the head of the line"
    scene.wait(7)
    scene.hang_up(call.leg)
    assert scene.last(f.CallDequeued).waited_ms == 7_000


def test_wrap_up_is_counted_from_its_beginning_though_the_console_was_away() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(100)
    scene.hang_up(leg)
    scene.wait(5)
    scene.ask(e.AgentConnectionRestored, "bob")
    scene.wait(2)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.last(f.CallDisposed).wrap_up_ms == 7_000


def test_a_second_talk_is_recorded_though_the_end_of_the_first_recording_got_lost() -> None:
    scene = Scene()
    scene.ready("bob", "ann")
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.QUEUE, target="tech")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    scene.answer_offer(call)
    assert len(scene.all(c.StartRecording)) == 2 and scene.all(f.RecordingBroken)
    assert scene.folded() == scene.state


def test_an_alarm_ends_when_what_it_is_about_works_again() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    first = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingFailed(switch=SWITCH, leg=call.leg, recording=first, reason="disk"))
    scene.arrive("cust2", did="999")
    assert {alarm.kind for alarm in scene.state.alarms.values()} == {"recording_failed", "unknown_did"}
    scene.hang_up(leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    other, _leg = scene.talk("cust3")
    second = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingStarted(switch=SWITCH, leg=other.leg, recording=second))
    scene.feed(e.ConfigChanged(config=center_config(2)))
    assert not scene.state.alarms


def test_who_hangs_up_as_the_talk_begins_leaves_nothing_to_record_and_no_alarm() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    recording = scene.last(f.RecordingAsked).recording
    scene.hang_up(call.leg)
    scene.hang_up(leg)
    scene.feed(e.RecordingFailed(switch=SWITCH, leg=call.leg, recording=recording, reason="no session"))
    assert scene.just(f.RecordingBroken) and not scene.state.alarms and not scene.state.calls


def test_a_trunk_is_told_of_once_however_often_its_switch_says_the_same() -> None:
    scene = Scene()
    told = []
    for up in (True, True, False, False, True):
        scene.feed(e.TrunkChanged(switch=SWITCH, trunk="t1", up=up, detail="503"))
        told.append([type(fact) for fact in scene.just(f.Fact)])
    down = [f.TrunkStateChanged, f.AlarmRaised]
    assert told == [[f.TrunkStateChanged], [], down, [], [f.TrunkStateChanged, f.AlarmCleared]]


def test_callers_stay_with_their_own_companys_flow_when_another_has_the_same() -> None:
    theirs = replace(
        center_config().flows["hot"], id="zzz", tenant="2", sounds={"main": {"zh": "theirs.wav", "en": "theirs.wav"}}
    )
    flows = {**center_config().flows, "zzz": theirs}
    scene = Scene(center_config(flows=flows))
    call = scene.arrive()
    assert call.tenant == TENANT
    changed = replace(center_config().flows["hot"], version="v9")
    scene.feed(e.ConfigChanged(config=center_config(2, flows={**flows, "hot": changed})))
    scene.press(call, "2")
    assert scene.last(c.PlayPrompts).sounds == ("main.en.wav",)
