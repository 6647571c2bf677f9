"""What an agent's page and the floor are told of pauses with limits, missed calls, owed results and open lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.core import commands as c
from apps.core import config as cfg
from apps.core import events as e
from apps.core.ids import AgentId, LegId, TenantId
from apps.live.agent_view import agent_view
from apps.live.views_of_state import wall_view
from tests.core.routing import answered, caller
from tests.core.scene import SWITCH, TENANT, Scene, center_config
from tests.core.test_ring_all import all_ring

MIN_MS = 60_000


def config() -> cfg.CenterConfig:
    plain = center_config()
    bob = plain.agents["bob"]
    assert bob.device is not None
    limits = {"lunch": cfg.PauseLimit(each_ms=30 * MIN_MS, day_ms=60 * MIN_MS)}
    return center_config(
        tenants={TENANT: replace(plain.tenants[TENANT], pause_limits=limits, missed_limit=3)},
        agents={**plain.agents, "bob": replace(bob, device=replace(bob.device, kept_open=True))},
        queues={**plain.queues, "sales": replace(plain.queues["sales"], disposition_required=False)},
    )


def me(scene: Scene, agent: str = "bob") -> dict[str, Any]:
    return agent_view(scene.state, TenantId(TENANT), AgentId(agent))["me"][agent]


def test_a_pause_says_how_long_it_may_last_and_when_it_is_too_long() -> None:
    scene = Scene(config())
    scene.ask(e.AgentSignedIn, "bob")
    scene.ask(e.AgentPaused, "bob", reason="lunch")
    scene.wait(10 * 60)
    scene.ask(e.AgentPaused, "bob", reason="training")
    assert me(scene)["pause"] == {
        "since_ms": scene.now_ms, "used_ms": 0, "each_ms": None, "day_ms": None, "over": False
    }  # fmt: skip
    scene.ask(e.AgentPaused, "bob", reason="lunch")
    began_ms = scene.now_ms
    scene.wait(31 * 60)
    assert me(scene)["pause"] == {
        "since_ms": began_ms, "used_ms": 10 * MIN_MS, "each_ms": 30 * MIN_MS, "day_ms": 60 * MIN_MS, "over": True
    }  # fmt: skip
    assert wall_view(scene.state, TenantId(TENANT))["agents"]["bob"]["pause_over"]


def test_a_line_is_told_of_and_a_call_on_it_is_not_answered_by_hand() -> None:
    scene = Scene(config())
    assert me(scene, "ann")["line"] == "" and me(scene)["line"] == "closed"
    scene.ready("bob")
    assert (me(scene)["line"], me(scene)["blocked"]) == ("dialing", "line")
    assert wall_view(scene.state, TenantId(TENANT))["agents"]["bob"]["blocked"] == "line"
    line = scene.last(c.OriginateLeg).leg
    scene.feed(e.LegParked(switch=SWITCH, leg=line))
    assert (me(scene)["line"], me(scene)["blocked"]) == ("open", "")
    scene.to_queue()
    assert me(scene)["state"] == "OFFERED" and "answer" not in me(scene)["controls"]


def test_missed_calls_and_results_that_are_not_owed() -> None:
    scene = Scene(config())
    scene.ready("ann")
    call = scene.to_queue()
    [leg] = [leg for leg in call.legs if leg != call.leg]
    scene.feed(e.LegRinging(switch=SWITCH, leg=leg))
    scene.hang_up(leg, e.HangupCause.NO_ANSWER)
    assert (me(scene, "ann")["missed"], me(scene, "ann")["missed_limit"]) == (1, 3)
    leg = LegId(next(one for one in call.legs if one != call.leg))
    for kind in (e.LegAnswered, e.LegParked):
        scene.feed(kind(switch=SWITCH, leg=leg))
    scene.feed(e.LegsBridged(switch=SWITCH, leg=leg, other=call.leg))
    scene.hang_up(call.leg)
    assert me(scene, "ann")["state"] == "WRAP_UP" and not me(scene, "ann")["disposition_required"]


def test_who_rings_beside_others_is_told_how_the_offer_ended() -> None:
    scene = all_ring("ann", "bob")
    assert me(scene)["offer_end"] == ""
    call = caller(scene, "c1")
    answered(scene, call, "ann")
    assert (me(scene)["state"], me(scene)["offer_end"]) == ("READY", "answered_elsewhere")
    call = caller(scene, "c2")
    scene.hang_up(call.leg)
    assert (me(scene)["state"], me(scene)["offer_end"]) == ("READY", "caller_left")
