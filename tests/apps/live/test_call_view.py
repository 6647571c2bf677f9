"""What an agent's page is told of the call at hand while others are in it: their own part, nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.core import config as cfg
from apps.core import events as e
from apps.core.ids import AgentId, TenantId
from apps.live.agent_view import agent_view
from apps.live.views_of_state import directory
from tests.core.consults import Asked, asked
from tests.core.scene import SWITCH, TENANT, Scene, center_config

TALKED_S = 5  # less than a telephone rings


def shown(scene: Scene, agent: str) -> dict[str, Any]:
    [call] = agent_view(scene.state, TenantId(TENANT), AgentId(agent))["call"].values()
    return call


def controls(scene: Scene, agent: str) -> list[str]:
    controls: list[str] = agent_view(scene.state, TenantId(TENANT), AgentId(agent))["me"][agent]["controls"]
    return controls


def three(at: Asked) -> Scene:
    """Bob, cai and the customer, some while after bob began and some after cai did."""
    at.scene.wait(TALKED_S)
    at.talk()
    at.scene.wait(TALKED_S)
    at.three()
    return at.scene


def test_each_of_three_has_talked_since_they_came() -> None:
    at = asked()
    began_ms = shown(at.scene, "bob")["talking_ms"]
    assert shown(at.scene, "cai")["talking_ms"] is None, "it rings"
    scene = three(at)
    assert began_ms == at.call.legs[at.bobs].answered_ms
    assert shown(scene, "bob")["talking_ms"] == began_ms
    came_ms = at.call.legs[at.far].answered_ms
    assert came_ms is not None and came_ms >= began_ms + TALKED_S * 1000
    assert shown(scene, "cai")["talking_ms"] == came_ms
    scene.hang_up(at.far)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=at.bobs, other=at.call.leg))
    assert scene.agent_state("bob") == "TALKING"
    assert shown(scene, "bob")["talking_ms"] == began_ms, "the talk after it is no new one"


def test_who_left_three_wraps_up_without_the_others_times_and_recording() -> None:
    at = asked()
    scene = three(at)
    at.ask(e.MuteRequested)
    scene.hang_up(at.far)
    scene.feed(e.LegsBridged(switch=SWITCH, leg=at.bobs, other=at.call.leg))
    assert scene.agent_state("cai") == "WRAP_UP" and at.call.bridge
    left = shown(scene, "cai")
    assert {name: left[name] for name in ("talking_ms", "bridged_ms", "held_ms", "queued_ms", "company")} == {
        "talking_ms": None, "bridged_ms": None, "held_ms": None, "queued_ms": None, "company": None
    }  # fmt: skip
    assert not left["recording"] and not left["muted"] and left["masked_ms"] is None


def test_who_asks_a_queue_has_the_wait_of_their_own_customer() -> None:
    at = asked("queue", "tech")
    assert at.call.wait is not None
    assert shown(at.scene, "bob")["queued_ms"] is None, "the place in line is for the asked, and not the customer's"
    assert shown(at.scene, "cai")["queued_ms"] == at.call.wait.queued_ms


def test_who_was_asked_is_offered_no_mute_that_nobody_keeps_account_of() -> None:
    at = asked().talk()
    assert {"mute", "unmute"}.isdisjoint(controls(at.scene, "cai")) and "mute" in controls(at.scene, "bob")
    at.three()
    assert {"mute", "unmute"}.isdisjoint(controls(at.scene, "cai")) and "mute" in controls(at.scene, "bob")


def test_a_page_that_is_paused_is_no_extension_to_ring() -> None:
    """It answers what is offered to its agent: only a telephone on the desk can be picked up besides."""
    agents = center_config().agents
    ann = agents[AgentId("ann")]
    assert ann.device is not None
    in_a_page = replace(ann, device=replace(ann.device, kind=cfg.DeviceKind.BROWSER))
    scene = Scene(center_config(agents={**agents, "ann": in_a_page}))
    listed = directory(scene.state, TenantId(TENANT), AgentId("bob"))["agents"]
    assert {one["id"]: one["extension"] for one in listed if one["id"] in ("ann", "cai")} == {"ann": "", "cai": "10cai"}
