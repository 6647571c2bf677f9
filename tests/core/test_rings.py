"""What is asked of an agent becomes less while the caller waits; who was served before is kept for that agent first."""

from __future__ import annotations

from dataclasses import replace

from apps.core import events as e
from apps.core import facts as f
from apps.core.config import Membership, Ring
from tests.core.routing import able, caller, need, office, rung, served


def ring(after_s: int, *drop: str, tiers_up_to: int | None = None, **lower: int) -> Ring:
    return Ring(after_ms=after_s * 1000, drop=frozenset(drop), lower=lower, tiers_up_to=tiers_up_to)  # type: ignore[arg-type]


def test_six_rings_one_after_the_other() -> None:
    rings = (ring(10, net=4), ring(20, net=3), ring(30, net=2), ring(40, net=1), ring(50, "net"), ring(60, "zh"))
    scene = office(
        *(able(f"a{level}", zh=1, net=level) for level in range(1, 5)), able("zero", zh=1), able("none"),
        needs=(need("zh"), need("net", 5)), rings=rings,
    )  # fmt: skip
    scene.ready("a1", "a2", "a3", "a4", "zero", "none")
    for n in range(6):
        caller(scene, f"c{n}")
    for passed, name in enumerate(["a4", "a3", "a2", "a1", "zero", "none"], start=1):
        scene.wait(9.9)
        assert scene.agent_state(name) == "READY"
        scene.wait(0.1)
        assert scene.agent_state(name) == "OFFERED", "at the very moment"
        decided = scene.last(f.OfferDecided)
        assert (decided.agent, decided.ring, decided.ring_since_ms) == (name, passed, scene.now_ms)


def test_rings_add_up() -> None:
    scene = office(able("ann"), needs=(need("zh"), need("net")), rings=(ring(5, "zh"), ring(9, "net")))
    scene.ready("ann")
    call = caller(scene, "c1")
    scene.wait(8)
    assert rung(call) == []
    scene.wait(1)
    assert rung(call) == ["ann"]


def test_who_asks_for_less_by_now_still_waits_behind_who_came_before() -> None:
    scene = office(able("ann", net=1), needs=(need("net", 3),), rings=(ring(10, net=1),))
    first, second = caller(scene, "c1"), caller(scene, "c2")
    scene.wait(11)
    scene.ready("ann")
    assert rung(first) == ["ann"] and rung(second) == []


def test_a_restarted_engine_asks_for_the_same() -> None:
    scene = office(able("ann", net=1), needs=(need("net", 3),), rings=(ring(10, net=1), ring(20, "net")))
    call = caller(scene, "c1")
    scene.wait(11)
    scene.feed(e.EngineRestarted(run="r2"))
    scene.feed(e.LinkUp(switch="fs1", boot="b1"))  # type: ignore[arg-type]
    scene.ready("ann")
    assert rung(call) == ["ann"] and scene.last(f.OfferDecided).ring == 1


def test_a_flow_asks_for_levels_and_preferences() -> None:
    scene = office(able("ann", net=3, vip=1), able("bob", net=3), able("cai", net=2, vip=5))
    config = scene.state.config
    flow = config.flows["hot"]  # type: ignore[index]
    nodes = {**flow.document["nodes"], "sales": {"type": "enqueue", "queue": "sales", "skills": ["net=3", "vip?"]}}
    flows = {"hot": replace(flow, version="v2", document={**flow.document, "nodes": nodes})}
    scene.feed(e.ConfigChanged(config=replace(config, version=2, flows=flows)))  # type: ignore[arg-type]
    scene.ready("cai", "bob", "ann")
    assert [rung(caller(scene, f"c{n}")) for n in range(3)] == [["ann"], ["bob"], []]


# --- the agent of last time ----------------------------------------------------------------------------------------


def test_the_agent_of_last_time_is_asked_alone_first_and_then_all() -> None:
    scene = office(able("ann"), able("bob"), sticky_days=7, sticky_wait_ms=8_000)
    scene.ready("ann")
    served(scene, caller(scene, "c1", "13811112222"), "ann")
    scene.ready("bob")
    scene.wait(3600)
    other = caller(scene, "c2", "13899990000")
    assert rung(other) == ["ann"], "idle longest; nobody knows this number"
    again = caller(scene, "c3", "13811112222")
    assert rung(again) == []
    scene.wait(7.9)
    assert rung(again) == []
    scene.wait(0.1)
    assert rung(again) == ["bob"]


def test_the_agent_of_last_time_serves_as_soon_as_free() -> None:
    scene = office(able("ann"), able("bob"), sticky_days=7, sticky_wait_ms=20_000)
    scene.ready("ann")
    served(scene, caller(scene, "c1", "13811112222"), "ann")
    other = caller(scene, "c2", "13899990000")
    scene.ready("bob")
    again = caller(scene, "c3", "13811112222")
    scene.wait(5)
    assert rung(again) == []
    served(scene, other, "ann")
    assert rung(again) == ["ann"]
    decided = scene.last(f.OfferDecided)
    assert decided.only == "ann" and [one.agent for one in decided.considered] == ["ann"]


def test_nobody_waits_for_an_agent_who_is_not_at_work() -> None:
    scene = office(able("ann"), able("bob"), sticky_days=7, sticky_wait_ms=60_000)
    scene.ready("ann")
    served(scene, caller(scene, "c1", "13811112222"), "ann")
    other = caller(scene, "c2", "13899990000")
    scene.ready("bob")
    again = caller(scene, "c3", "13811112222")
    assert rung(again) == []
    scene.ask(e.AgentPaused, "ann", reason="lunch")
    served(scene, other, "ann")
    assert scene.agent_state("ann") == "PAUSED" and rung(again) == ["bob"]


def test_last_time_is_forgotten_after_so_many_days() -> None:
    scene = office(able("ann"), able("bob"), sticky_days=1, sticky_wait_ms=8_000)
    scene.ready("ann")
    served(scene, caller(scene, "c1", "13811112222"), "ann")
    scene.ready("bob")
    scene.wait(86_400 + 60)
    assert rung(caller(scene, "c2", "13899990000")) == ["ann"]
    assert rung(caller(scene, "c3", "13811112222")) == ["bob"]


def test_an_agent_who_does_not_fit_any_more_is_not_waited_for() -> None:
    seat = Membership()
    scene = office(able("ann", seat), able("bob", seat, net=3), sticky_days=7, sticky_wait_ms=60_000)
    scene.ready("ann")
    served(scene, caller(scene, "c1", "13811112222"), "ann")
    sales = scene.state.config.queues["sales"]  # type: ignore[index]
    queues = {**scene.state.config.queues, "sales": replace(sales, needs=(need("net"),))}
    scene.feed(e.ConfigChanged(config=replace(scene.state.config, version=2, queues=queues)))  # type: ignore[arg-type]
    scene.ready("bob")
    assert rung(caller(scene, "c2", "13811112222")) == ["bob"]
