"""Offers that somebody hears: acknowledged by a page, with a live microphone, on a telephone that is there."""

from __future__ import annotations

from apps.core import events as e
from apps.core import facts as f
from tests.core.browser_phones import browser_centre, with_sound
from tests.core.scene import SWITCH, Scene

# --- offers that somebody hears ------------------------------------------------------------------------------------


def test_an_offer_that_no_page_acknowledges_goes_on_and_is_not_missed() -> None:
    scene = Scene(browser_centre("ann", "bob"))
    with_sound(scene, "bob", "ann")
    call = scene.to_queue()
    assert call.offer is not None and call.offer.agent == "bob"
    scene.wait(1.4)
    assert call.offer is not None and call.offer.agent == "bob"
    scene.wait(0.2)
    assert call.offer is not None and call.offer.agent == "ann"
    ended = scene.all(f.OfferEnded)[0]
    assert ended.outcome is f.OfferOutcome.UNACKNOWLEDGED
    bob = scene.state.agents["bob"]
    assert (bob.state, bob.reason, bob.media_ready) == ("DISCONNECTED", "no_ack", False)
    scene.ask(e.AgentConnectionRestored, "bob")
    assert bob.state == "READY" and bob.reason == ""
    second = scene.to_queue("cust2")
    assert second.offer is None, "no sound yet"
    scene.ask(e.MediaReady, "bob", ready=True)
    assert second.offer is not None and second.offer.agent == "bob"


def test_an_acknowledged_offer_rings_on() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=True)
    assert scene.just(f.OfferAcked)
    scene.wait(10)
    assert scene.agent_state("bob") == "OFFERED"
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=False)
    assert scene.agent_state("bob") == "OFFERED", "a second page without sound takes nothing back"


def test_a_page_without_sound_passes_it_on_at_once() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    scene.ask(e.OfferAcknowledged, "bob", call=call.id, live=False)
    assert scene.agent_state("bob") == "DISCONNECTED" and call.offer is None and call.wait is not None


def test_a_desk_phone_needs_no_page() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.to_queue()
    scene.wait(10)
    assert scene.agent_state("bob") == "OFFERED"


def test_an_answered_offer_needs_no_acknowledgement() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    call = scene.to_queue()
    assert call.offer is not None
    scene.feed(e.LegAnswered(switch=SWITCH, leg=call.offer.leg))
    scene.wait(1.6)
    assert call.offer is not None


# --- media and devices ---------------------------------------------------------------------------------------------


def test_ready_needs_a_live_microphone() -> None:
    scene = Scene(browser_centre("bob"))
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.AgentWentReady, "bob")
    assert scene.refused() == "media_not_ready" and scene.agent_state("bob") == "PAUSED"
    scene.ask(e.DialRequested, "bob", number="10086")
    assert scene.refused() == "media_not_ready"


def test_no_offers_while_the_microphone_is_gone() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    scene.ask(e.MediaReady, "bob", ready=False)
    call = scene.to_queue()
    assert call.offer is None and scene.agent_state("bob") == "READY"
    scene.ask(e.MediaReady, "bob", ready=True)
    assert call.offer is not None
    scene.ask(e.MediaReady, "bob", ready=False)
    assert call.offer is None and scene.all(f.OfferEnded)[-1].outcome is f.OfferOutcome.UNACKNOWLEDGED


def test_the_newest_page_has_the_sound() -> None:
    scene = Scene(browser_centre("bob"))
    with_sound(scene, "bob")
    scene.ask(e.MediaClaimed, "bob", page="page-one")
    bob = scene.state.agents["bob"]
    assert (bob.media_epoch, bob.media_page, bob.media_ready) == (1, "page-one", False)
    scene.ask(e.MediaClaimed, "bob", page="page-one")
    assert bob.media_epoch == 1, "it has it already"
    scene.ask(e.MediaReady, "bob", ready=True, epoch=0)
    assert scene.refused() == "media_moved" and not bob.media_ready
    scene.ask(e.MediaReady, "bob", ready=True, epoch=1)
    assert bob.media_ready
    scene.ask(e.AgentConnectionLost, "bob")
    scene.ask(e.AgentConnectionRestored, "bob")
    assert not bob.media_ready, "whoever comes back has to say so"


def test_an_unregistered_phone_is_never_rung() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=False))
    call = scene.to_queue()
    assert call.offer is None and scene.agent_state("bob") == "READY"
    scene.feed(e.DeviceChanged(switch=SWITCH, address="10bob", registered=True))
    assert call.offer is not None and call.offer.agent == "bob"


def test_a_list_of_registrations_counts_for_who_is_not_in_it_and_a_missing_list_for_nobody() -> None:
    scene = Scene()
    scene.ready("bob")
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=()))
    first = scene.to_queue()
    assert first.offer is not None, "what the switch did not tell is not known"
    scene.hang_up(first.leg)
    scene.feed(e.SwitchSnapshot(switch=SWITCH, legs=(), registered=()))
    assert scene.to_queue("cust2").offer is None
