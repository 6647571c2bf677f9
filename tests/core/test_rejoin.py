"""A browser phone that dies in mid-talk: music, and the page has its sound back, or the queue its caller."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls import rejoining
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.browser_phones import browser_centre, with_sound
from tests.core.scene import SWITCH, Scene


def talk() -> tuple[Scene, Call, LegId]:
    scene = Scene(browser_centre("bob"))
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    with_sound(scene, "bob")
    call = scene.to_queue()
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=True)
    leg = scene.answer_offer(call)
    assert call.recording is not None
    scene.feed(e.RecordingStarted(switch=SWITCH, leg=call.leg, recording=call.recording.id))
    assert scene.agent_state("bob") == "TALKING"
    return scene, call, leg


def lose_page(scene: Scene) -> None:
    """The web says that nobody hears, the switch that the telephone is gone."""
    scene.ask(e.MediaReady, "bob", ready=False)
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))


def page_is_back(scene: Scene) -> None:
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    scene.ask(e.MediaReady, "bob", ready=True)


def called_back(scene: Scene, call: Call) -> LegId:
    """The telephone rings, picks up by itself, and the two are connected."""
    ring = scene.last(c.OriginateLeg)
    assert ring.auto_answer and ring.agent == "bob" and ring.role is e.LegRole.AGENT
    scene.feed(e.LegAnswered(switch=SWITCH, leg=ring.leg))
    scene.feed(e.LegParked(switch=SWITCH, leg=ring.leg))
    assert scene.just(c.BridgeLegs)[0].leg == ring.leg
    scene.feed(e.LegsBridged(switch=SWITCH, leg=ring.leg, other=call.leg))
    return ring.leg


def test_a_page_that_asks_gets_its_sound_back_in_the_same_talk() -> None:
    scene, call, leg = talk()
    recording = call.recording
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert scene.just(c.HangUpLeg)[0].leg == leg and scene.agent_state("bob") == "TALKING"
    assert call.state == "rejoining" and not scene.just(c.StopRecording)
    scene.arrive(call.leg)
    assert scene.just(c.StartMusic)[0].leg == call.leg
    scene.hang_up(leg)
    again = called_back(scene, call)
    assert call.state == "talking" and call.bridge is not None and call.bridge.leg == again
    assert scene.agent_state("bob") == "TALKING" and call.recording is recording
    assert not scene.just(c.StartRecording), "one recording holds it all"
    assert scene.folded() == scene.state


def test_the_telephone_may_be_back_before_the_customer() -> None:
    scene, call, _ = talk()
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    ring = scene.last(c.OriginateLeg).leg
    scene.feed(e.LegAnswered(switch=SWITCH, leg=ring))
    scene.feed(e.LegParked(switch=SWITCH, leg=ring))
    assert not scene.just(c.BridgeLegs)
    scene.arrive(call.leg)
    assert scene.just(c.BridgeLegs)[0].leg == ring


def test_asking_twice_rings_once_and_a_lost_ring_is_repeated() -> None:
    scene, call, leg = talk()
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    scene.arrive(call.leg)
    scene.hang_up(leg)
    first = scene.last(c.OriginateLeg).leg
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert not scene.just(c.OriginateLeg) and scene.just(f.RequestDone)
    scene.hang_up(first, e.HangupCause.NOT_REGISTERED)
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert scene.just(c.OriginateLeg)
    called_back(scene, call)
    assert call.state == "talking"


def test_a_page_that_is_gone_parks_the_customer_and_one_that_comes_back_is_called() -> None:
    scene, call, leg = talk()
    scene.ask(e.MediaReady, "bob", ready=False)
    assert call.state == "talking", "the telephone may live on without its page's line"
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))
    assert call.state == "rejoining" and scene.just(c.HangUpLeg)[0].leg == leg
    scene.arrive(call.leg)
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    assert not scene.just(c.OriginateLeg)
    scene.ask(e.MediaReady, "bob", ready=True)
    called_back(scene, call)
    assert scene.agent_state("bob") == "TALKING"


def test_a_disconnected_agent_whose_telephone_is_gone_has_lost_it() -> None:
    scene, call, _ = talk()
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))
    assert call.state == "talking"
    scene.ask(e.AgentConnectionLost, "bob")
    assert call.state == "rejoining" and scene.agent_state("bob") == "DISCONNECTED"
    scene.arrive(call.leg)
    scene.ask(e.AgentConnectionRestored, "bob")
    page_is_back(scene)
    called_back(scene, call)
    assert scene.agent_state("bob") == "TALKING" and call.state == "talking"


def test_a_telephone_that_the_switch_misses_has_not_hung_up() -> None:
    scene, call, leg = talk()
    scene.hang_up(leg, e.HangupCause.MEDIA_TIMEOUT)
    assert call.state == "rejoining" and scene.agent_state("bob") == "TALKING"
    assert not scene.just(c.HangUpLeg)


def test_hold_is_as_it_was() -> None:
    scene, call, leg = talk()
    scene.feed(e.LegHeld(switch=SWITCH, leg=leg))
    assert scene.agent_state("bob") == "HOLDING"
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    scene.arrive(call.leg)
    again = called_back(scene, call)
    assert scene.just(c.HoldLeg)[0].leg == again
    scene.feed(e.LegHeld(switch=SWITCH, leg=again))
    assert scene.agent_state("bob") == "HOLDING"
    assert not scene.all(f.Anomaly)


def test_who_stays_away_wraps_up_and_the_customer_stands_at_the_head() -> None:
    scene, call, _ = talk()
    scene.to_queue("cust2")
    lose_page(scene)
    scene.arrive(call.leg)
    scene.ask(e.AgentConnectionLost, "bob")
    scene.wait(rejoining.REJOIN_MS / 1000 + 0.1)
    assert scene.last(f.RejoinFailed).reason == "timed_out"
    assert call.state == "waiting" and call.rejoin is None
    assert call.wait is not None and call.wait.priority == 9 and call.wait.queued_ms == call.started_ms
    assert scene.all(c.StopRecording)
    scene.ask(e.AgentConnectionRestored, "bob")
    assert scene.agent_state("bob") == "WRAP_UP"
    assert scene.folded() == scene.state


def test_a_customer_who_does_not_wait_ends_it() -> None:
    scene, call, _ = talk()
    lose_page(scene)
    scene.arrive(call.leg)
    scene.hang_up(call.leg)
    assert scene.agent_state("bob") == "WRAP_UP" and call.outcome == "served"


def test_the_agent_may_end_it_meanwhile() -> None:
    scene, call, _ = talk()
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    scene.arrive(call.leg)
    scene.ask(e.HoldRequested, "bob", call=call.id)
    assert scene.refused() == "wrong_state"
    scene.ask(e.HangUpRequested, "bob", call=call.id)
    assert scene.agent_state("bob") == "WRAP_UP" and call.outcome == "served"


def test_a_supervisor_may_take_the_agent_out_of_it() -> None:
    scene, call, _ = talk()
    lose_page(scene)
    scene.arrive(call.leg)
    scene.ask(e.AgentForced, "bob", state="PAUSED", now=True)
    assert scene.agent_state("bob") == "PAUSED" and call.state == "waiting"


def test_a_bridge_that_is_not_made_is_tried_again_when_the_page_asks() -> None:
    scene, call, _ = talk()
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    scene.arrive(call.leg)
    ring = scene.last(c.OriginateLeg).leg
    scene.feed(e.LegParked(switch=SWITCH, leg=ring))
    scene.hang_up(ring)
    assert scene.agent_state("bob") == "TALKING"
    scene.arrive(call.leg)
    assert call.state == "rejoining"
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    called_back(scene, call)
    assert call.state == "talking"


def test_only_a_telephone_in_the_page_is_called_back() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert scene.refused() == "unsupported"
    scene.hang_up(leg, e.HangupCause.MEDIA_TIMEOUT)
    assert scene.agent_state("bob") == "WRAP_UP"
    scene.ask(e.RejoinRequested, "bob", call=call.id)
    assert scene.refused() == "wrong_state"
