"""An agent's line that stays up between calls: dialled once, lent to call after call, dialled again when it is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import kept_open
from apps.core.agents.reach import why_blocked
from apps.core.calls import lines
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, Scene, center_config

LINE_MS = kept_open.RING_MS + kept_open.GRACE_MS


def kept_config(**device: Any) -> cfg.CenterConfig:
    config = center_config()
    bob = config.agents["bob"]
    assert bob.device is not None
    return center_config(
        agents={**config.agents, "bob": replace(bob, device=replace(bob.device, kept_open=True, **device))}
    )


def blocked(scene: Scene) -> str:
    return why_blocked(scene.state, scene.state.agents["bob"], scene.state.config.agents["bob"])


def with_line(scene: Scene | None = None) -> tuple[Scene, LegId]:
    """Bob is ready and his line stands by."""
    scene = scene or Scene(kept_config())
    scene.ready("bob")
    line = scene.last(c.OriginateLeg).leg
    for event in (e.LegRinging, e.LegAnswered, e.LegParked):
        scene.feed(event(switch=SWITCH, leg=line))
    return scene, line


def connect(scene: Scene, call: Call, line: LegId) -> None:
    """The beep has been heard, and the switch bridges."""
    play = scene.last(c.PlayPrompts)
    assert (play.leg, play.sounds[0]) == (line, c.BEEP)
    scene.feed(e.PlayEnded(switch=SWITCH, leg=line, play=play.play, outcome=e.PlayOutcome.DONE))
    bridge = scene.just(c.BridgeLegs)[0]
    assert (bridge.leg, bridge.other) == (line, call.leg)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=call.leg, other=line))
    assert scene.agent_state("bob") == "TALKING"


def whole(scene: Scene) -> None:
    assert scene.folded().to_data() == scene.state.to_data()
    assert type(scene.state).from_data(scene.state.to_data()).to_data() == scene.state.to_data()


def test_the_line_is_dialled_when_its_agent_is_ready_and_no_call_comes_before_it_stands() -> None:
    scene = Scene(kept_config())
    scene.ask(e.AgentSignedIn, "bob")
    assert not scene.all(c.OriginateLeg)
    scene.ask(e.AgentWentReady, "bob")
    dialled = scene.just(c.OriginateLeg)[0]
    assert dialled.kept_open and dialled.agent == "bob" and dialled.destination.address == "10bob"
    call = scene.to_queue()
    assert call.offer is None and blocked(scene) == "line"
    scene.feed(e.LegRinging(switch=SWITCH, leg=dialled.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=dialled.leg))
    assert scene.state.calls[call.id].offer is not None and scene.agent_state("bob") == "OFFERED"
    assert len(scene.all(c.OriginateLeg)) == 1, "nothing rings for the call"
    assert not scene.all(f.Anomaly)
    whole(scene)


def test_one_line_carries_call_after_call_and_outlives_them() -> None:
    scene, line = with_line()
    names = []
    for number in range(3):
        call = scene.to_queue(f"cust{number}")
        connect(scene, call, line)
        assert call.bridge is not None and call.bridge.leg != line
        names.append(call.bridge.leg)
        scene.hang_up(call.leg)
        assert scene.agent_state("bob") == "WRAP_UP"
        assert scene.just(c.ParkLeg)[0].leg == line and line not in [one.leg for one in scene.all(c.HangUpLeg)]
        assert call.legs == {} and scene.state.lent_legs == {}
        scene.feed(e.LegParked(switch=SWITCH, leg=line))
        scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
        assert scene.agent_state("bob") == "READY" and blocked(scene) == ""
    assert len(set(names)) == 3, "history meets no leg twice"
    assert len(scene.all(c.OriginateLeg)) == 1 and not scene.all(f.Anomaly)
    whole(scene)


def test_the_agent_hangs_up_the_call_and_not_the_line() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    assert scene.just(c.ParkLeg)[0].leg == line
    assert scene.agent_state("bob") == "WRAP_UP" and line in scene.state.kept_legs
    scene.arrive(call.leg, call=call.id)
    assert scene.just(c.HangUpLeg)[0].leg == call.leg
    whole(scene)


def test_a_transfer_lets_go_of_the_line() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.QUEUE, target="tech")
    assert scene.just(c.ParkLeg)[0].leg == line
    scene.arrive(call.leg, call=call.id)
    assert call.wait is not None and call.wait.queue == "tech" and call.id in scene.state.calls
    whole(scene)


def test_what_is_asked_of_the_switch_is_about_its_own_leg() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.ask(e.HoldRequested, "bob", call=call.id)
    assert scene.just(c.HoldLeg)[0].leg == line
    scene.feed(e.LegHeld(switch=SWITCH, leg=line))
    assert scene.agent_state("bob") == "HOLDING"
    scene.feed(e.LegUnheld(switch=SWITCH, leg=line))
    scene.ask(e.MuteRequested, "bob", call=call.id)
    assert scene.just(c.MuteLeg)[0].leg == line
    scene.feed(e.LegMuted(switch=SWITCH, leg=line))
    assert call.bridge is not None and call.bridge.muted


def test_a_line_that_dies_while_its_agent_waits_says_why_and_is_dialled_on_request() -> None:
    scene, line = with_line()
    scene.hang_up(line)
    bob = scene.state.agents["bob"]
    assert (bob.state, bob.reason, bob.kept) == ("PAUSED", kept_open.LOST, None)
    scene.wait(300)
    assert len(scene.all(c.OriginateLeg)) == 1
    scene.ask(e.AgentWentReady, "bob")
    again = scene.just(c.OriginateLeg)[0]
    assert again.leg != line and again.kept_open
    whole(scene)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (e.HangupCause.NO_ANSWER, kept_open.NOT_ANSWERED),
        (e.HangupCause.REJECTED, kept_open.NOT_ANSWERED),
        (e.HangupCause.CONGESTION, kept_open.FAILED),
    ],
)
def test_a_line_that_is_not_answered_says_so(cause: e.HangupCause, reason: str) -> None:
    scene = Scene(kept_config())
    scene.ready("bob")
    scene.hang_up(scene.last(c.OriginateLeg).leg, cause)
    assert (scene.agent_state("bob"), scene.state.agents["bob"].reason) == ("PAUSED", reason)


def test_a_line_of_which_the_switch_says_nothing_is_given_up() -> None:
    scene = Scene(kept_config())
    scene.ready("bob")
    line = scene.last(c.OriginateLeg).leg
    scene.wait(LINE_MS / 1000 + 1)
    assert scene.last(c.HangUpLeg).leg == line and scene.state.agents["bob"].reason == kept_open.FAILED
    assert scene.state.kept_legs == {}


def test_a_line_that_dies_in_mid_talk_ends_the_talk_and_the_next_ready_dials_it() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.hang_up(line)
    assert scene.agent_state("bob") == "WRAP_UP" and scene.state.agents["bob"].kept is None
    assert call.state == "closing"
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    assert scene.agent_state("bob") == "READY" and scene.just(c.OriginateLeg)[0].kept_open
    whole(scene)


def test_a_line_that_dies_at_the_beep_leaves_the_caller_in_line() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    scene.hang_up(line)
    assert (scene.agent_state("bob"), scene.state.agents["bob"].reason) == ("PAUSED", kept_open.LOST)
    assert call.wait is not None and call.offer is None and call.state == "waiting"
    whole(scene)


def test_a_caller_who_leaves_at_the_beep_leaves_the_line_standing() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    scene.hang_up(call.leg)
    assert scene.just(c.ParkLeg)[0].leg == line and scene.agent_state("bob") == "READY"
    assert scene.all(f.CallEnded) and not scene.state.calls and line in scene.state.kept_legs
    assert scene.to_queue("cust2").offer is not None
    whole(scene)


def test_who_signs_out_or_gets_another_telephone_is_let_go() -> None:
    scene, line = with_line()
    scene.ask(e.AgentPaused, "bob")
    assert line in scene.state.kept_legs, "a pause keeps it"
    scene.ask(e.AgentSignedOut, "bob")
    assert scene.just(c.HangUpLeg)[0].leg == line and scene.state.kept_legs == {}
    scene.hang_up(line)
    scene.now_ms += 1000
    scene, line = with_line(scene)
    scene.feed(e.ConfigChanged(config=replace(center_config(), version=2)))
    assert scene.just(c.HangUpLeg)[0].leg == line and blocked(scene) == ""


def test_an_agent_dials_over_the_line() -> None:
    scene, line = with_line()
    scene.ask(e.DialRequested, "bob", number="13900139000")
    [number] = scene.just(c.OriginateLeg)
    assert number.destination.address == "13900139000" and scene.just(c.StartMusic)[0].leg == line
    [call] = scene.state.calls.values()
    scene.feed(e.LegParked(switch=SWITCH, leg=number.leg))
    assert scene.just(c.BridgeLegs)[0].leg == line
    scene.feed(e.LegsBridged(switch=SWITCH, leg=line, other=number.leg))
    assert scene.agent_state("bob") == "TALKING"
    scene.hang_up(call.leg)
    assert scene.agent_state("bob") == "WRAP_UP" and line in scene.state.kept_legs
    whole(scene)


def test_a_number_that_does_not_answer_leaves_the_line_standing() -> None:
    scene, line = with_line()
    scene.ask(e.DialRequested, "bob", number="13900139000")
    scene.hang_up(scene.just(c.OriginateLeg)[0].leg, e.HangupCause.BUSY)
    assert scene.agent_state("bob") == "READY" and scene.just(c.ParkLeg)[0].leg == line
    assert len(scene.all(f.CallEnded)) == 1 and blocked(scene) == ""
    whole(scene)


def test_a_restarted_engine_finds_the_line_again_or_dials_it() -> None:
    scene, line = with_line()
    scene.feed(e.EngineRestarted(run="r2"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    scene.wait(5)
    seen = e.SnapshotLeg(
        leg=line, call=line, role=e.LegRole.AGENT, agent="bob", answered=True, bridged_to=None, controlled=False
    )
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(seen,), others=(), registered=None))
    assert line in scene.state.kept_legs and not scene.just(c.HangUpLeg)
    scene.wait(1)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(), others=(), registered=None))
    assert line not in scene.state.kept_legs
    assert scene.agent_state("bob") == "READY" and scene.just(c.OriginateLeg)[0].kept_open, "the switch lost it"
    whole(scene)


def test_a_switch_that_restarted_has_no_lines() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.feed(e.LinkDown(switch=SWITCH, reason="gone"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b2"))
    assert scene.state.kept_legs == {} == scene.state.lent_legs and scene.agent_state("bob") == "WRAP_UP"
    whole(scene)


def test_a_page_that_is_gone_took_its_line_with_it() -> None:
    scene = Scene(kept_config(kind=cfg.DeviceKind.BROWSER))
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.MediaReady, "bob", ready=True)
    scene.ask(e.AgentWentReady, "bob")
    line = scene.just(c.OriginateLeg)[0].leg
    scene.feed(e.LegParked(switch=SWITCH, leg=line))
    call = scene.to_queue()
    assert call.offer is not None and call.offer.ack_deadline_ms is None, "the line itself is the proof"
    connect(scene, call, line)
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert {one.leg for one in scene.just(c.HangUpLeg)} == {line} and scene.state.kept_legs == {}
    rung = scene.just(c.OriginateLeg)[0]
    assert not rung.kept_open
    scene.hang_up(line)
    scene.arrive(call.leg, call=call.id)
    scene.feed(e.LegParked(switch=SWITCH, leg=rung.leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=rung.leg, other=call.leg))
    scene.hang_up(call.leg)
    assert rung.leg in [one.leg for one in scene.just(c.HangUpLeg)]
    scene.hang_up(rung.leg)
    scene.ask(e.WrapUpFinished, "bob", call=call.id, disposition="sold")
    again = scene.just(c.OriginateLeg)[0]
    assert again.kept_open
    scene.feed(e.LegParked(switch=SWITCH, leg=again.leg))
    scene.ask(e.MediaReady, "bob", ready=False)
    assert scene.just(c.HangUpLeg)[0].leg == again.leg
    whole(scene)


def test_a_line_outside_holds_one_channel_of_its_trunk() -> None:
    config = kept_config(kind=cfg.DeviceKind.PSTN, address="13800000001", trunk="t1")
    scene, line = with_line(Scene(config))
    assert lines.use_of_trunks(scene.state)["t1"] == 1
    call = scene.to_queue()
    connect(scene, call, line)
    assert lines.use_of_trunks(scene.state)["t1"] == 1


def test_late_news_of_a_line_that_no_call_has_is_no_anomaly() -> None:
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.hang_up(call.leg)
    for event in (e.LegUnheld, e.LegUnmuted, e.LegParked):
        scene.feed(event(switch=SWITCH, leg=line))
    assert not scene.all(f.Anomaly)


def test_of_several_telephones_the_open_line_takes_the_caller() -> None:
    config = kept_config()
    queues = {**config.queues, "sales": replace(config.queues["sales"], strategy=cfg.Strategy.RING_ALL)}
    scene = Scene(replace(config, queues=queues))
    scene.ready("ann")
    scene, line = with_line(scene)
    call = scene.to_queue()
    connect(scene, call, line)
    assert scene.agent_state("ann") == "READY" and not call.offers
    whole(scene)


def test_who_is_let_off_by_an_open_line_serves_the_next_caller_at_once() -> None:
    """All in one event: the line takes the first caller of all who were to ring, and frees the others for the next."""
    config = kept_config()
    queue = replace(config.queues["sales"], strategy=cfg.Strategy.RING_ALL)
    scene = Scene(replace(config, queues={**config.queues, "sales": queue}))
    scene.ready("ann")
    scene, line = with_line(scene)
    for name in ("ann", "bob"):
        scene.ask(e.AgentPaused, name)
    first, second = scene.to_queue("c1"), scene.to_queue("c2")
    scene.feed(e.LinkDown(switch=SWITCH, reason="cut"))
    for name in ("ann", "bob"):
        scene.ask(e.AgentWentReady, name)
    assert not first.offers and not second.offers
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    assert [(offer.agent, first.legs[leg].lent) for leg, offer in first.offers.items()] == [("bob", line)]
    assert [offer.agent for offer in second.offers.values()] == ["ann"]
    assert len(scene.just(f.AgentOffered)) == 3, "ann was about to ring for the first"
    whole(scene)


def test_a_consult_cancelled_while_it_is_being_connected_gives_the_customer_back_on_the_line() -> None:
    """The line was as idle before as after the bridge that came to nothing; it says so once more."""
    scene, line = with_line()
    call = scene.to_queue()
    connect(scene, call, line)
    scene.ask(e.ConsultRequested, "bob", call=call.id, kind=e.TransferKind.NUMBER, target="10086")
    scene.feed(e.LegParked(switch=SWITCH, leg=line))
    scene.arrive(call.leg, call=call.id)
    far = scene.last(c.OriginateLeg).leg
    for event in (e.LegRinging, e.LegAnswered, e.LegParked):
        scene.feed(event(switch=SWITCH, leg=far))
    scene.ask(e.ConsultCancelRequested, "bob", call=call.id)
    scene.hang_up(far)
    (bridge,) = scene.just(c.BridgeLegs)
    assert (bridge.leg, bridge.other) == (line, call.leg)
    scene.feed(e.LegParked(switch=SWITCH, leg=line))
    assert not scene.just(c.BridgeLegs), "that is asked for"
    scene.feed(e.LegsBridged(switch=SWITCH, leg=line, other=call.leg))
    assert scene.agent_state("bob") == "TALKING" and call.consult is None
    whole(scene)
