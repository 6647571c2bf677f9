"""Somebody leaves a consult, or the engine was away: nobody is lost whatever fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.config import DeviceConfig, DeviceKind
from apps.core.ids import AgentId
from tests.core.consults import Asked, asked, heard, refused
from tests.core.scene import SWITCH, TENANT, Scene, agent, center_config

# --- who is gone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [e.HangupCause.NO_ANSWER, e.HangupCause.REJECTED, e.HangupCause.UNREACHABLE])
def test_the_consulted_does_not_answer(cause: e.HangupCause) -> None:
    at = asked()
    at.both_parted()
    at.scene.hang_up(at.far, cause)
    assert at.scene.just(c.BridgeLegs)[0] == c.BridgeLegs(switch=SWITCH, leg=at.bobs, other=at.call.leg, keep=True)
    at.bridge()
    assert at.scene.agent_state("bob") == "TALKING" and at.scene.last(f.ConsultEnded).end is f.ConsultEnd.NOT_REACHED


def test_a_number_that_rings_for_ever_is_given_up() -> None:
    at = asked("number", "10086")
    at.both_parted()
    at.scene.feed(e.LegRinging(switch=SWITCH, leg=at.far))
    at.scene.wait(45.1)
    assert at.scene.last(c.BridgeLegs).other == at.call.leg
    at.bridge()
    assert at.call.state == "talking"


def test_the_consulted_hangs_up() -> None:
    at = asked().talk()
    at.scene.hang_up(at.far)
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))
    at.bridge()
    assert at.scene.agent_state("bob") == "TALKING" and at.scene.agent_state("cai") == "READY"


def test_the_customer_hangs_up_while_somebody_is_sought() -> None:
    at = asked()
    at.both_parted()
    at.scene.hang_up(at.call.leg)
    assert at.scene.agent_state("cai") == "READY" and at.scene.agent_state("bob") == "WRAP_UP"


def test_the_customer_hangs_up_and_the_two_go_on_talking() -> None:
    at = asked().talk()
    at.scene.hang_up(at.call.leg)
    assert not at.scene.just(c.HangUpLeg) and at.scene.agent_state("cai") == "TALKING"
    refused(at, e.ConsultCompleteRequested, "wrong_state")
    at.ask(e.ConsultCancelRequested)
    at.scene.hang_up(at.bobs)
    assert at.scene.agent_state("bob") == "WRAP_UP" and at.scene.last(c.HangUpLeg).leg == at.far
    at.scene.hang_up(at.far)
    assert at.scene.agent_state("cai") == "READY" and at.scene.last(f.CallClosing).outcome is f.CallOutcome.SERVED


def test_putting_the_telephone_down_completes() -> None:
    at = asked().talk()
    at.scene.hang_up(at.bobs)
    assert at.scene.agent_state("bob") == "WRAP_UP"
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.far))
    assert at.scene.just(c.BridgeLegs)[0].other == at.call.leg
    at.bridge()
    assert at.call.state == "talking" and at.call.bridge and at.call.bridge.agent == "cai"


def test_a_telephone_that_dies_before_it_has_talked_does_not_hold_up_the_completion() -> None:
    """Completed while the two were still being connected: whom the switch parked then does not park again."""
    at = asked()
    at.both_parted()
    at.answer()
    at.ask(e.ConsultCompleteRequested)
    at.scene.hang_up(at.bobs, e.HangupCause.LOST)
    assert at.scene.just(c.BridgeLegs)[0] == c.BridgeLegs(
        switch=SWITCH, leg=at.far, other=at.call.leg, keep=True, idle_timeout_ms=15_000
    )
    at.bridge()
    assert at.scene.agent_state("bob") == "WRAP_UP" and at.scene.state.agents[AgentId("bob")].extended == 0
    assert at.call.bridge and at.call.bridge.agent == "cai"


@pytest.mark.parametrize("talking", [False, True])
def test_a_telephone_that_dies_leaves_the_customer_at_the_head_of_the_queue(talking: bool) -> None:
    at = asked()
    if talking:
        at.talk()
    else:
        at.both_parted()
    cais = at.far
    at.scene.hang_up(at.bobs, e.HangupCause.MEDIA_TIMEOUT)
    assert at.call.wait and at.call.wait.queue == "sales" and at.call.wait.priority == 9
    assert at.scene.agent_state("bob") == "WRAP_UP" and cais in [one.leg for one in at.scene.all(c.HangUpLeg)]
    at.scene.hang_up(cais, e.HangupCause.CANCELLED)
    assert at.scene.agent_state("cai") == "READY"


def test_a_browser_that_is_loaded_anew_gets_the_customer_back() -> None:
    device = DeviceConfig(kind=DeviceKind.BROWSER, switch=SWITCH, address="10bob")
    scene = Scene(center_config(agents={"bob": replace(agent("bob", "sales"), device=device), "cai": agent("cai")}))
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.MediaReady, "bob", ready=True)
    at = Asked(scene, "extension", "10cai").talk()
    at.ask(e.RejoinRequested)
    assert at.call.state == "rejoining" and scene.agent_state("bob") == "TALKING"
    back = scene.last(c.OriginateLeg)
    assert back.agent == "bob" and at.call.rejoin and at.call.rejoin.customer_here
    scene.feed(e.LegParked(switch=SWITCH, leg=back.leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=back.leg, other=at.call.leg))
    assert at.call.state == "talking"


def test_a_bridge_that_does_not_come_about_gives_the_customer_back() -> None:
    at = asked()
    at.both_parted()
    at.answer()
    at.scene.wait(1.1)
    assert at.scene.last(f.ConsultAimed).end is f.ConsultEnd.FAILED
    at.scene.feed(e.LegParked(switch=SWITCH, leg=at.bobs))
    at.bridge()
    assert at.call.state == "talking" and at.scene.agent_state("bob") == "TALKING"


def test_cancelled_in_the_moment_of_the_answer_the_customer_is_asked_back_at_once() -> None:
    """The consulted dies in the gap of the bridge: the agent is free for the customer, and nothing is waited for."""
    at = asked()
    at.both_parted()
    at.answer()
    far = at.far
    at.ask(e.ConsultCancelRequested)
    at.scene.feed(e.LegHungUp(switch=SWITCH, leg=far, cause=e.HangupCause.NORMAL))
    assert {at.scene.last(c.BridgeLegs).leg, at.scene.last(c.BridgeLegs).other} == {at.bobs, at.call.leg}
    at.bridge()
    assert at.call.state == "talking" and at.scene.agent_state("bob") == "TALKING"


def test_who_cannot_be_brought_back_together_is_not_lost() -> None:
    at = asked().talk()
    at.ask(e.ConsultCancelRequested)
    at.scene.wait(1.1)
    assert at.call.state == "returning" and at.scene.last(c.ReclaimLeg).leg == at.call.leg
    at.customer_comes()
    assert at.call.wait and at.call.wait.priority == 9 and at.scene.agent_state("bob") == "WRAP_UP"


def test_a_supervisor_takes_the_agent_out() -> None:
    at = asked().talk()
    at.scene.feed(
        e.AgentForced(tenant=TENANT, cmd_id="f", actor="lead", agent="bob", state="PAUSED", reason="fire", now=True)
    )
    assert at.call.wait and at.call.wait.priority == 9 and at.scene.agent_state("bob") == "PAUSED"


def test_a_supervisor_cannot_hang_up_a_customer_who_is_set_aside() -> None:
    at = asked()
    at.scene.feed(e.CallRemovalRequested(tenant=TENANT, cmd_id="r", actor="lead", call=at.call.id))
    assert at.scene.just(f.RequestRefused)[0].code == "wrong_state"


# --- the engine was away -------------------------------------------------------------------------------------------


def test_after_a_restart_the_switch_tells_who_talks_and_it_goes_on() -> None:
    at = asked()
    at.both_parted()
    at.answer()
    scene = at.scene
    scene.feed(e.EngineRestarted(run="r2"))
    scene.now_ms += 2000
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    at.customer_comes()
    assert heard(scene, at.call.leg) == "default"
    seen = [
        e.SnapshotLeg(leg=at.bobs, call=at.call.id, role=e.LegRole.AGENT, answered=True, bridged_to=at.far),
        e.SnapshotLeg(leg=at.far, call=at.call.id, role=e.LegRole.AGENT, answered=True, bridged_to=at.bobs),
        e.SnapshotLeg(leg=at.call.leg, call=at.call.id, role=e.LegRole.CUSTOMER, answered=True, controlled=True),
    ]
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    assert at.consult.joined == (at.bobs, at.far) and scene.agent_state("cai") == "TALKING"
    at.ask(e.ConsultCompleteRequested)
    at.bridge()
    assert at.call.state == "talking"


def test_what_ended_meanwhile_is_seen_in_the_list() -> None:
    at = asked().talk()
    scene = at.scene
    scene.now_ms += 10_000
    scene.feed(e.LinkDown(switch=SWITCH, reason="x"))
    scene.feed(e.LinkUp(switch=SWITCH, boot="b1"))
    seen = [
        e.SnapshotLeg(leg=at.bobs, call=at.call.id, role=e.LegRole.AGENT, answered=True),
        e.SnapshotLeg(leg=at.call.leg, call=at.call.id, role=e.LegRole.CUSTOMER, answered=True, controlled=True),
    ]
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=tuple(seen)))
    assert scene.last(c.BridgeLegs).other == at.call.leg
    at.bridge()
    assert at.call.state == "talking" and scene.agent_state("bob") == "TALKING"
