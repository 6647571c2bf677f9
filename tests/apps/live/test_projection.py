"""An old snapshot plus the deltas is a fresh snapshot; nobody sees another tenant; a page may ask only for its own."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import facts as f
from apps.core.events import LegRole
from apps.core.state import State
from apps.live.agent_view import agent_view
from apps.live.topic import Topic, apply_patch
from apps.live.views_of_state import View, directory, wall_view
from apps.queues.scope import Scope
from tests.apps.live.centre import START_MS, TENANTS, agents_of, configured, facts, marked


def over_the_wire(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # CI is slow, not the input
@given(st.lists(facts(), max_size=60), st.integers(1, 7))
def test_an_old_snapshot_plus_the_deltas_is_a_fresh_snapshot(history: list[f.Fact], pace: int) -> None:
    state = configured()
    wall, own = Topic("wall", "e"), Topic("agent", "e")

    def views() -> tuple[View, View]:
        return wall_view(state, "1"), agent_view(state, "1", "10")

    for topic, view in zip((wall, own), views(), strict=True):
        topic.advance(view)
    pages = [over_the_wire(copy.deepcopy(topic.snapshot())) for topic in (wall, own)]
    for index, fact in enumerate(history):
        state.apply(fact)
        if index % pace:
            continue  # several facts in one delta
        for topic, page, view in zip((wall, own), pages, views(), strict=True):
            delta = topic.advance(view)
            if delta is not None:
                message = over_the_wire(delta)
                assert message["seq"] == page["seq"] + 1
                page["seq"], page["data"] = message["seq"], apply_patch(page["data"], message["patch"])
            assert page["data"] == over_the_wire(view)
            assert page["seq"] == topic.seq


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # CI is slow, not the input
@given(st.lists(facts(), max_size=60))
def test_no_view_holds_a_word_of_another_tenant(history: list[f.Fact]) -> None:
    state = configured()
    state.fold(history)
    for tenant, other in (TENANTS, TENANTS[::-1]):
        views: list[Any] = [wall_view(state, tenant)]
        views += [agent_view(state, tenant, agent) for agent in agents_of(tenant)]
        views += [directory(state, tenant, agent) for agent in agents_of(tenant)]
        text = orjson.dumps(views).decode()
        assert f"tenant-{other}" not in text
        assert f"t{other}-c" not in text
        assert agent_view(state, tenant, agents_of(other)[0]) == {"me": {}, "call": {}}


def test_the_agents_page_shows_the_offered_call() -> None:
    state = configured()
    about = {"at_ms": START_MS + 5, "tenant": "1", "call": "t1-c1"}
    state.apply(
        f.CallStarted(
            **about, leg="l0", switch="1", direction=f.Direction.INBOUND, did="4001", caller_number="13800138000",
            caller_name="张三", trunk="",
        )
    )  # fmt: skip
    state.apply(f.CallQueued(**about, queue="15", needs=(), priority=5, queued_ms=START_MS, deadline_ms=START_MS + 9))
    state.apply(
        f.AgentOffered(
            **about, agent="10", leg="l1", queue="15", deadline_ms=START_MS + 99, ready_agents=1, waiting_calls=1,
            idle_since_ms=0,
        )
    )  # fmt: skip
    state.apply(
        f.AgentStateChanged(
            at_ms=START_MS + 6, tenant="1", agent="10", state="OFFERED", prior="READY", call="t1-c1"
        )
    )  # fmt: skip
    view = agent_view(state, "1", "10")
    me, call = view["me"]["10"], view["call"]["t1-c1"]
    assert (me["state"], me["since_ms"], me["call"]) == ("OFFERED", START_MS + 6, "t1-c1")
    assert "answer" in me["controls"] and "hang_up" not in me["controls"]
    assert (call["number"], call["name"], call["queue"]) == ("13800138000", "张三", marked("1", "queue"))
    assert (call["queued_ms"], call["offer_deadline_ms"]) == (START_MS, START_MS + 99)
    row = wall_view(state, "1")["queues"]["15"]
    assert (row["waiting"], row["oldest_ms"], row["ringing"], row["staffed"]) == (1, START_MS, 1, 1)


def test_the_wall_shows_the_switches_its_tenant_uses() -> None:
    state = configured()
    state.apply(f.SwitchConnected(at_ms=START_MS, tenant=None, switch="of-another", boot="b1"))
    assert wall_view(state, "1")["switches"].keys() == {"1"}


@pytest.mark.parametrize("alone", [True, False])
def test_an_alarm_of_the_installation_shows_only_where_one_tenant_is_served(alone: bool) -> None:
    state = configured()
    if alone:
        object.__setattr__(state.config, "tenants", {"1": state.config.tenants["1"]})
    state.apply(f.AlarmRaised(at_ms=START_MS, tenant=None, kind="unknown_did", subject="4009", detail=""))
    assert ("unknown_did/4009" in wall_view(state, "1")["alarms"]) is alone


def test_a_floor_confined_to_a_team_shows_its_agents_queues_and_calls() -> None:
    state = configured()
    for agent in ("10", "11"):
        state.apply(f.AgentStateChanged(at_ms=START_MS, tenant="1", agent=agent, state="READY", prior="PAUSED"))
    for call, agent in (
        ("mine", "10"),
        ("theirs", "11"),
        ("in a menu", None),
        ("waits here", None),
        ("waits there", None),
    ):
        about: dict[str, Any] = {"at_ms": START_MS, "tenant": "1", "call": call}
        state.apply(
            f.CallStarted(
                **about, leg=f"{call}-0", switch="1", direction=f.Direction.INBOUND, did="1", caller_number="1",
                caller_name="", trunk="gw",
            )
        )  # fmt: skip
        if agent is not None:
            leg = f"{call}-1"
            state.apply(
                f.LegStarted(**about, leg=leg, switch="1", role=LegRole.AGENT, address="x", agent=agent, queue="15")
            )
            state.apply(f.CallBridged(**about, leg=leg, other=f"{call}-0", agent=agent, queue="15"))
    for call, queue in (("waits here", "15"), ("waits there", "16")):
        state.apply(
            f.CallQueued(
                at_ms=START_MS, tenant="1", call=call, queue=queue, needs=(), priority=5, queued_ms=START_MS,
                deadline_ms=START_MS + 1000,
            )
        )  # fmt: skip
    view = wall_view(state, "1", Scope(frozenset({"10"}), frozenset({"15"})))
    assert view["agents"].keys() == {"10"} and view["queues"].keys() == {"15"}
    assert view["calls"].keys() == {"mine", "waits here"}, "nor the one that is in a menu: it is nobody's yet"
    whole = wall_view(state, "1")
    assert whole["calls"].keys() == {"mine", "theirs", "in a menu", "waits here", "waits there"}
    assert view["queues"]["15"] == whole["queues"]["15"], "a queue is counted whole, whoever serves it besides"
    offer_to(state, "waits here", "11")
    offered = wall_view(state, "1", Scope(frozenset({"10"}), frozenset({"15"})))["calls"]["waits here"]
    assert wall_view(state, "1")["calls"]["waits here"]["agent_id"] == "11"
    assert (offered["agent"], offered["agent_id"]) == ("", None), "to whom is the other team's"
    offer_to(state, "waits there", "11")
    offer_to(state, "waits there", "10")
    calls = wall_view(state, "1", Scope(frozenset({"10"}), frozenset({"15"})))["calls"]
    assert calls["waits there"]["agent_id"] == "10", "one of the telephones that ring for it is the own team's"


def offer_to(state: State, call: str, agent: str) -> None:
    about: dict[str, Any] = {"at_ms": START_MS, "tenant": "1", "call": call, "leg": f"{call}-{agent}", "agent": agent}
    state.apply(f.LegStarted(**about, switch="1", role=LegRole.AGENT, address="x", queue="15"))
    state.apply(
        f.AgentOffered(
            **about, queue="15", deadline_ms=START_MS + 1000, ready_agents=1, waiting_calls=1, idle_since_ms=0
        )
    )


def test_a_trunk_that_is_down_says_why_and_since_when() -> None:
    state = configured()
    about: dict[str, Any] = {"at_ms": START_MS + 5, "tenant": "1"}
    state.apply(f.TrunkStateChanged(**about, switch="1", trunk="19", up=False, detail="FAIL_WAIT"))
    state.apply(f.AlarmRaised(**about, kind="trunk_down", subject="19", detail="FAIL_WAIT"))
    trunk = wall_view(state, "1")["trunks"]["19"]
    assert (trunk["up"], trunk["switch_up"], trunk["detail"], trunk["down_ms"]) == (
        False,
        True,
        "FAIL_WAIT",
        START_MS + 5,
    )
    state.apply(f.SwitchDisconnected(at_ms=START_MS + 9, tenant=None, switch="1", reason="gone"))
    assert wall_view(state, "1")["trunks"]["19"]["switch_up"] is False
