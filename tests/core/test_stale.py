"""A command names the call it means: what is meant for another call, or for how it was before, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.codec import to_plain
from tests.core.scene import SWITCH, TENANT, Scene

FIELDS: dict[type[e.CallRequest], dict[str, Any]] = {
    e.OfferAcknowledged: {"live": True},
    e.DigitsRequested: {"digits": "1"},
    e.TransferRequested: {"kind": e.TransferKind.QUEUE, "target": "tech"},
    e.ConsultRequested: {"kind": e.TransferKind.QUEUE, "target": "tech"},
}
COMMANDS = [kind for kind in vars(e).values() if isinstance(kind, type) and kind.__mro__[1:2] == (e.CallRequest,)]
for any_version in (e.RejoinRequested, e.HelpRequested, e.CallMarkRequested):
    COMMANDS.remove(any_version)  # true of the call whatever has become of it
OF_OFFERS = (e.OfferAcknowledged, e.AnswerRequested, e.DeclineRequested)


def refused_and_unmoved(scene: Scene, ask: Callable[[], None], *codes: str) -> None:
    before = to_plain(scene.state.calls), to_plain(scene.state.agents)
    ask()
    assert not scene.just(c.Command) and scene.just(f.RequestRefused)[0].code in codes
    assert (to_plain(scene.state.calls), to_plain(scene.state.agents)) == before


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_is_meant_for_another_call_or_an_earlier_state_is_refused(kind: type[e.CallRequest]) -> None:
    scene = Scene()
    scene.ready("bob")
    call = scene.to_queue()
    offered_at = call.version
    if kind not in OF_OFFERS:
        scene.answer_offer(call)
    else:
        scene.ask(e.AgentConnectionLost, "bob")  # the offer is taken back, and made again
        scene.ask(e.AgentConnectionRestored, "bob")
        scene.now_ms += 1
        assert call.offer is not None
    other = scene.to_queue("cust2")
    fields = FIELDS.get(kind, {})
    for target in (other.id, "r1-c999"):
        refused_and_unmoved(scene, lambda target=target: scene.ask(kind, "bob", call=target, **fields), "not_found")
    old = {**fields, "call": call.id, "version": offered_at}
    refused_and_unmoved(scene, lambda: scene.ask(kind, "bob", **old), "stale")
    scene.hang_up(call.leg)
    scene.now_ms += 1
    refused_and_unmoved(
        scene, lambda: scene.ask(kind, "bob", call=call.id, **fields), "not_found", "stale", "wrong_state"
    )


# --- a supervisor hangs up a call that no agent has -----------------------------------------------------------------


def remove(scene: Scene, call: str, tenant: str = TENANT, version: int | None = None) -> None:
    scene.serial += 1
    cmd_id = f"cmd{scene.serial}"
    scene.feed(e.CallRemovalRequested(tenant=tenant, cmd_id=cmd_id, actor="boss", call=call, version=version))


def in_menu(scene: Scene) -> Call:
    return scene.arrive()


def waiting(scene: Scene) -> Call:
    return scene.to_queue()


def ringing_an_agent(scene: Scene) -> Call:
    scene.ready("bob")
    return scene.to_queue()


@pytest.mark.parametrize("where", [in_menu, waiting, ringing_an_agent])
def test_a_call_without_an_agent_is_hung_up_whole(where: Callable[[Scene], Call]) -> None:
    scene = Scene()
    call = where(scene)
    rung = call.offer.leg if call.offer else None
    remove(scene, call.id, version=call.version)
    assert scene.just(f.RequestDone) and {item.leg for item in scene.just(c.HangUpLeg)} >= {call.leg, rung} - {None}
    if call.path and where is not in_menu:
        assert scene.last(f.CallDequeued).reason is f.QueueExit.REMOVED
    if rung is not None:
        assert scene.agent_state("bob") == "READY", "nothing was missed"
        scene.hang_up(rung, e.HangupCause.CANCELLED)
    scene.hang_up(call.leg)
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.REMOVED and not scene.state.calls
    assert scene.folded() == scene.state


def test_a_call_that_rings_a_number_is_hung_up_on_both_sides() -> None:
    scene = Scene()
    scene.ready("bob")
    call, leg = scene.talk()
    scene.ask(e.TransferRequested, "bob", call=call.id, kind=e.TransferKind.NUMBER, target="13912345678")
    scene.hang_up(leg)
    scene.arrive(call.leg, call=call.id)
    external = next(one for one in call.legs if one != call.leg)
    remove(scene, call.id)
    assert {item.leg for item in scene.just(c.HangUpLeg)} == {call.leg, external}
    scene.hang_up(external)
    scene.hang_up(call.leg)
    recording = scene.last(f.RecordingAsked).recording
    scene.feed(e.RecordingStopped(switch=SWITCH, leg=call.leg, recording=recording, duration_ms=9))
    assert scene.last(f.CallEnded).outcome is f.CallOutcome.SERVED


def test_only_what_has_no_agent_is_removed_and_only_once() -> None:
    scene = Scene()
    scene.ready("bob")
    call, _leg = scene.talk()
    refused_and_unmoved(scene, lambda: remove(scene, call.id), "wrong_state")
    other = scene.to_queue("cust2")
    refused_and_unmoved(scene, lambda: remove(scene, other.id, tenant="2"), "not_found")
    refused_and_unmoved(scene, lambda: remove(scene, other.id, version=other.version - 1), "stale")
    refused_and_unmoved(scene, lambda: remove(scene, "r1-c999"), "not_found")
    remove(scene, other.id)
    refused_and_unmoved(scene, lambda: remove(scene, other.id), "wrong_state")
