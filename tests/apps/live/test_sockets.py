"""The websockets as a browser opens them: whom they let in, what they say, and what they make of nonsense."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.accounts.passwords import set_password
from apps.agents.models import Agent
from apps.core import events
from apps.core import facts as f
from apps.live import hub as hub_module
from apps.live import session_watch
from apps.live.consumers import (
    CLOSE_NOT_PERMITTED,
    CLOSE_RIGHT_CHANGED,
    CLOSE_SIGNED_OFF,
    CLOSE_TOO_MUCH,
    MAX_MESSAGE,
    MAX_MESSAGES,
)
from apps.live.hub import hub
from apps.live.routing import websocket_urlpatterns
from apps.queues.models import Queue, QueueMembership
from apps.reports.models import RaisedAlarm
from tests.apps.live.centre import START_MS
from tests.apps.live.door import Engine, until
from tests.apps.live.tabs import PATIENCE_S, open_tab, opened
from tests.apps.live.test_engine_client import ready

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("path", "username"),
    [
        ("/ws/agent/", None),
        ("/ws/wall/", None),
        ("/ws/agent/", "boss1"),
        ("/ws/wall/", "agent1"),
        ("/ws/agent/", "nobody"),
        ("/ws/wall/", "nobody"),
    ],
)
async def test_who_may_not_see_a_topic_gets_nothing_of_it(engine: Engine, path: str, username: str | None) -> None:
    tab = await open_tab(path, username)
    assert await tab.connect()
    assert (await tab.receive_output(timeout=PATIENCE_S))["code"] == CLOSE_NOT_PERMITTED
    assert await tab.receive_nothing()


async def test_another_sites_page_is_turned_away(engine: Engine) -> None:
    tab = await open_tab("/ws/agent/", "agent1", origin="https://evil.example")
    assert not await tab.connect()


async def test_a_wall_shows_its_own_tenant_whatever_it_asks_for(engine: Engine) -> None:
    for username, query, mine, other in (("boss1", "", "1", "2"), ("boss2", "?tenant=1", "2", "1")):
        tab = await opened(f"/ws/wall/{query}", username)
        await until(lambda: hub().client.state is not None, "the state")
        snapshot = await tab.read("snapshot")
        if not snapshot["data"]:
            snapshot["data"] = (await tab.read("delta"))["patch"]
        text = orjson.dumps(snapshot["data"]).decode()
        assert f"tenant-{mine}" in text and f"tenant-{other}" not in text
        await tab.disconnect()


def lead_a_team(username: str, agent: int, queue: int) -> None:
    """``agent`` alone is in the team led, and ``queue`` the only one that they serve."""
    boss = User.objects.get(username=username)
    User.objects.filter(pk=boss.pk).update(reach="teams")
    team = Team.objects.create(tenant_id=boss.tenant_id, name="T")
    team.leaders.add(boss)
    Agent.objects.filter(pk=agent).update(team=team)
    for pk in (15, 16):
        Queue.objects.create(pk=pk, tenant_id=1, code=f"q{pk}", name=f"Q{pk}")
    QueueMembership.objects.create(queue_id=queue, agent_id=agent)


async def test_a_wall_of_a_teams_leader_shows_that_team_and_its_queues(engine: Engine) -> None:
    await sync_to_async(lead_a_team)("boss1", agent=10, queue=15)
    for kind, subject in (("longest_wait", "15"), ("longest_wait", "16"), ("missed", "11"), ("trunk_down", "19")):
        at = datetime.datetime.fromtimestamp(START_MS / 1000, datetime.UTC)
        await RaisedAlarm.objects.acreate(tenant_id=1, kind=kind, subject=subject, raised_at=at)
    tab = await opened("/ws/wall/", "boss1")
    await until(lambda: hub().client.state is not None and hub().alarms.view("1"), "the state and the alarms")
    await tab.say({"type": "resync"})
    seen = await tab.read("snapshot")
    while not seen["data"].get("alarms"):
        await asyncio.sleep(0.1)
        await tab.say({"type": "resync"})
        seen = await tab.read("snapshot")
    data = seen["data"]
    assert data["agents"].keys() == {"10"} and data["queues"].keys() == {"15"}
    assert data["trunks"].keys() == {"19"}, "they carry everybody's calls"
    assert data["alarms"].keys() == {"longest_wait:15", "trunk_down:19"}
    await tab.disconnect()


async def test_deltas_follow_the_snapshot_without_a_gap(engine: Engine) -> None:
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.state is not None, "the state")
    await tab.say({"type": "resync"})
    snapshot = await tab.read("snapshot")
    while not snapshot["data"]:
        await tab.say({"type": "resync"})
        snapshot = await tab.read("snapshot")
    engine.say(ready("20"), ready("11"), ready("10"))
    delta = await tab.read("delta")
    assert (delta["epoch"], delta["seq"]) == (snapshot["epoch"], snapshot["seq"] + 1)
    assert list(delta["patch"]) == ["me"] and delta["patch"]["me"]["10"]["state"] == "READY"
    beat = await tab.read("heartbeat")
    assert beat["seq"] == delta["seq"] and beat["engine"]["reachable"]
    await tab.disconnect()


async def test_a_command_reaches_the_engine_and_its_outcome_the_page_that_asked(engine: Engine) -> None:
    tab, other = await opened("/ws/agent/", "agent1"), await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")
    await tab.say({"type": "command", "cmd_id": "0123456789", "action": "ready"})
    asked = await until(lambda: [item for item in engine.asked if isinstance(item, events.AgentWentReady)], "request")
    request = asked[0]
    assert (request.tenant, request.agent, request.actor) == ("1", "10", "agent1")
    engine.say(
        f.RequestRefused(
            at_ms=START_MS, tenant="1", cmd_id=request.cmd_id, actor="agent1", request="AgentWentReady",
            code="no_device", reason="no telephone",
        )
    )  # fmt: skip
    outcome = await tab.read("outcome")
    assert outcome == {
        "type": "outcome", "cmd_id": "0123456789", "ok": False, "code": "no_device", "reason": "no telephone",
    }  # fmt: skip
    engine.say(ready("10"))
    assert (await other.read("delta"))["type"] == "delta"  # and no outcome came before it
    await tab.disconnect()
    await other.disconnect()


def force(agent: str, **more: Any) -> dict[str, Any]:
    return {"type": "command", "cmd_id": "0123456789", "action": "force", "agent": agent, "state": "PAUSED", **more}


async def test_a_supervisor_forces_an_agent_of_the_own_tenant(engine: Engine) -> None:
    tab = await opened("/ws/wall/", "boss1")
    await until(lambda: hub().client.reachable, "the engine")
    await tab.say(force("10", reason="meeting", now=True))
    asked = await until(lambda: [item for item in engine.asked if isinstance(item, events.AgentForced)], "request")
    request = asked[0]
    assert (request.tenant, request.agent, request.actor, request.now) == ("1", "10", "boss1", True)
    await tab.say({**force("20"), "cmd_id": "0123456790"})
    assert (await tab.read("outcome"))["code"] == "malformed", "of another tenant: there is no such agent"
    await tab.disconnect()


async def test_rights_are_asked_for_with_each_action(engine: Engine) -> None:
    """The page stays open here, though its user is no supervisor any more."""
    tab = await opened("/ws/wall/", "boss1")
    await until(lambda: hub().client.reachable, "the engine")
    await User.objects.filter(username="boss1").aupdate(role=Role.AGENT)
    await tab.say(force("10"))
    outcome = await tab.read("outcome")
    assert (outcome["ok"], outcome["code"]) == (False, "not_permitted")
    assert not [item for item in engine.asked if isinstance(item, events.AgentForced)]
    await tab.disconnect()


async def test_an_agents_page_forces_nobody(engine: Engine) -> None:
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")
    await tab.say(force("10"))
    assert (await tab.read("outcome"))["code"] == "malformed"
    await tab.disconnect()


async def test_without_the_engine_a_command_is_answered(engine: Engine) -> None:
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")
    await engine.door.stop()
    await tab.say({"type": "command", "cmd_id": "0123456789", "action": "ready"})
    assert (await tab.read("outcome"))["code"] == "engine_unreachable"
    beat = await tab.read("heartbeat")
    while beat["engine"]["reachable"]:
        beat = await tab.read("heartbeat")
    assert beat["engine"]["loaded"] and beat["engine"]["age_s"] >= 0
    await tab.disconnect()


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "5", '"beat"', "{", "\x00", "{}", '{"type":5}', '{"type":"nope"}', '{"type":"command"}',
        '{"type":"command","cmd_id":"0123456789","action":"fly"}', '{"type":"command","cmd_id":{},"action":"ready"}',
        "[" * 5000, '{"type":"command","cmd_id":"0123456789","action":"ready","agent":"20"}',
        '{"type":"command","cmd_id":"' + "9" * 100 + '","action":"ready"}', "x" * (MAX_MESSAGE + 1),
        '{"type":"beat","n":1e999}',
    ],
)  # fmt: skip
async def test_what_is_not_ours_is_answered_and_changes_nothing(engine: Engine, text: str) -> None:
    tab = await opened("/ws/agent/", "agent1")
    await until(lambda: hub().client.reachable, "the engine")
    await tab.send(text=text)
    while (message := await tab.receive())["type"] not in ("error", "outcome"):
        continue
    assert message["type"] == "error" or not message["ok"]
    await tab.say({"type": "directory"})
    assert {item["id"] for item in (await tab.read("directory"))["agents"]} == {"11", "12"}
    assert engine.asked == []
    await tab.disconnect()


async def test_binary_is_answered_and_a_flood_is_cut_off(engine: Engine) -> None:
    tab = await opened("/ws/wall/", "boss1")
    await tab.send(bytes=b"\xff\x00")
    assert (await tab.read("error"))["code"] == "too_large"
    for _ in range(MAX_MESSAGES + 500):
        await tab.say({"type": "beat"})
    assert await tab.closing_code() == CLOSE_TOO_MUCH
    assert await tab.receive_nothing(), "closed once, and nothing said after it"


async def test_signing_off_closes_the_page(engine: Engine) -> None:
    browser = Client()
    user = await User.objects.aget(username="agent1")
    await sync_to_async(browser.force_login)(user)
    tab = await opened("/ws/agent/", "agent1")
    await sync_to_async(browser.post)("/logout/")
    assert await tab.closing_code() == CLOSE_SIGNED_OFF


async def test_a_page_does_not_outlive_the_right_to_it(engine: Engine) -> None:
    await User.objects.acreate(username="root", is_superuser=True, is_staff=True)
    browser = Client()
    await sync_to_async(browser.force_login)(await User.objects.aget(username="root"))
    user = await User.objects.aget(username="agent1")
    tab, other = await opened("/ws/agent/", "agent1"), await opened("/ws/agent/", "agent2")
    form = {
        "username": "agent1",
        "tenant": "1",
        "role": "agent",
        "reach": "tenant",
        "language": "en",
    }  # is_active is left out
    reply = await sync_to_async(browser.post)(f"/admin/accounts/user/{user.pk}/change/", form)
    assert reply.status_code == 302, reply.context["errors"]
    assert await tab.closing_code() == CLOSE_SIGNED_OFF
    await other.say({"type": "directory"})
    assert (await other.read("directory"))["agents"]
    await other.disconnect()


async def test_a_page_that_falls_silent_is_reported_and_its_return_too(engine: Engine) -> None:
    """Also: another agent, whose page was never here, is left alone."""
    engine.say(ready("10"), ready("11"))
    tab = await opened("/ws/agent/", "agent1")
    lost = await until(
        lambda: [item for item in engine.asked if isinstance(item, events.AgentConnectionLost)], "it is missed"
    )
    assert {(item.tenant, item.agent) for item in lost} == {("1", "10")}
    engine.say(f.AgentStateChanged(at_ms=START_MS + 9, tenant="1", agent="10", state="DISCONNECTED", prior="READY"))
    await tab.say({"type": "beat"})
    await until(lambda: any(isinstance(item, events.AgentConnectionRestored) for item in engine.asked), "it is back")
    await tab.disconnect()


async def test_the_sound_is_lost_with_its_page_and_not_with_another(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose line breaks and comes back has lost nothing."""
    monkeypatch.setattr(hub_module, "PAGE_GONE_S", 1.0)
    about: dict[str, Any] = {"at_ms": START_MS + 1, "tenant": "1", "agent": "10"}
    engine.say(
        ready("10"), f.AgentMediaMoved(**about, epoch=4, page="page-aaaa"), f.AgentMediaChanged(**about, ready=True)
    )

    def lost() -> list[events.MediaReady]:
        return [item for item in engine.asked if isinstance(item, events.MediaReady)]

    first, other = (
        await opened("/ws/agent/?page=page-aaaa", "agent1"),
        await opened("/ws/agent/?page=page-bbbb", "agent1"),
    )
    await until(lambda: hub().client.reachable, "the engine")
    back = await open_tab("/ws/agent/?page=page-aaaa", "agent1")
    await other.disconnect()
    await first.disconnect()
    assert await back.connect()
    await asyncio.sleep(1.3)
    assert not lost()
    await back.disconnect()
    told = await until(lost, "it is missed")
    assert [(item.agent, item.ready, item.epoch) for item in told] == [("10", False, 4)]


def _run_out() -> None:
    UserSession.objects.update(created_at="2026-01-01T00:00:00Z")


def _disable_agents() -> None:
    Agent.objects.update(enabled=False)


def _new_password() -> None:
    set_password(User.objects.get(username="agent1"), "a-new-password", by_owner=True)


def _drop_session() -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize("ends", [_run_out, _new_password, _drop_session])
async def test_a_page_ends_when_its_session_or_its_agent_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, ends: Callable[[], None]
) -> None:
    """Whoever ended it, and wherever: nothing tells this process."""
    monkeypatch.setattr(session_watch, "CHECK_S", 0.2)
    tab = await opened("/ws/agent/", "agent1")
    await asyncio.sleep(0.5)
    await tab.say({"type": "directory"})
    await tab.read("directory")  # still open after a few checks
    await sync_to_async(_give_row)("agent1")
    await sync_to_async(ends)()
    assert await tab.closing_code() == CLOSE_SIGNED_OFF
    await hub().stop()


def _give_row(username: str) -> None:
    """allauth's row of the session, as the first request makes it."""
    key = Session.objects.get().session_key
    UserSession.objects.create(user=User.objects.get(username=username), session_key=key, ip="127.0.0.1")


async def test_a_page_opens_anew_when_its_right_becomes_another(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was signed off: who leads another team sees that one, who is no agent any more is told so."""
    monkeypatch.setattr(session_watch, "CHECK_S", 0.2)
    await User.objects.filter(username="boss1").aupdate(reach="teams")
    floor, desk = await opened("/ws/wall/", "boss1"), await opened("/ws/agent/", "agent2")
    team = await Team.objects.acreate(tenant_id=1, name="T")
    await Agent.objects.filter(tenant_id=1).aupdate(team=team)
    await sync_to_async(team.leaders.add)(await User.objects.aget(username="boss1"))
    assert await floor.closing_code() == CLOSE_RIGHT_CHANGED
    again = await opened("/ws/wall/", "boss1")
    await again.read("snapshot")
    await again.disconnect()
    await sync_to_async(_disable_agents)()
    assert await desk.closing_code() == CLOSE_RIGHT_CHANGED
    gone = await opened("/ws/agent/", "agent2")
    assert await gone.closing_code() == CLOSE_NOT_PERMITTED
    await hub().stop()


async def test_who_must_act_first_gets_no_page(engine: Engine) -> None:
    await User.objects.filter(username="agent1").aupdate(must_change_password=True)
    tab = await open_tab("/ws/agent/", "agent1")
    assert await tab.connect()
    assert (await tab.receive_output(timeout=PATIENCE_S))["code"] == CLOSE_NOT_PERMITTED


TOPICS = {
    # topic: what a stranger, an agent, a supervisor, an integrator and another tenant's supervisor get
    "ws/agent/": "4403 in 4403 4403 4403",
    "ws/wall/": "4403 4403 in 4403 in",  # in: to their own tenant's, whatever they ask for
    "ws/tv/<str:token>/": "4403 4403 4403 4403 4403",  # nobody's: a token of a screen opens it
}


@pytest.mark.parametrize("topic", [str(item.pattern) for item in websocket_urlpatterns])
async def test_every_topic_lets_in_whom_it_should(engine: Engine, topic: str) -> None:
    """A topic without a line in ``TOPICS`` fails."""
    got = []
    for username in (None, "agent1", "boss1", "nobody", "boss2"):
        tab = await open_tab("/" + topic.replace("<str:token>", "no-such-token"), username)
        assert await tab.connect()
        first = await tab.receive_output(timeout=PATIENCE_S)
        got.append(str(first["code"]) if first["type"] == "websocket.close" else "in")
        if got[-1] == "in":
            await tab.disconnect()
    assert " ".join(got) == TOPICS[topic]


@pytest.mark.parametrize("topic", ["/ws/agent/", "/ws/wall/", "/ws/tv/token/"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", ""])
async def test_no_page_of_another_site_opens_a_topic(engine: Engine, topic: str, origin: str) -> None:
    tab = await open_tab(topic, "agent1", origin=origin)
    assert not await tab.connect()
