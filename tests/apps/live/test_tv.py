"""A television shows counts to whoever has its address, and no person; alarms are taken on by who may."""

from __future__ import annotations

import datetime
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from auditlog.models import LogEntry
from django.test import Client

from apps.accounts.models import Role, User
from apps.core.ids import TenantId
from apps.live.consumers import CLOSE_NOT_PERMITTED, CLOSE_SIGNED_OFF
from apps.live.hub import hub
from apps.live.tv_view import tv_view
from apps.reports import alarm_rows
from apps.reports.models import RaisedAlarm, ShelvedAlarm, WallScreen
from tests.apps.live.centre import START_MS
from tests.apps.live.door import Engine, until
from tests.apps.live.tabs import PATIENCE_S, open_tab, opened, populate
from tests.apps.live.test_engine_client import ready

pytestmark = pytest.mark.django_db(transaction=True)


def screen(tenant: int = 1) -> tuple[WallScreen, str]:
    row = WallScreen(tenant_id=tenant, name="hall")
    token = row.renew_token()
    row.save()
    return row, token


async def test_a_screen_shows_its_tenant_and_no_person(engine: Engine) -> None:
    _row, token = await sync_to_async(screen)()
    engine.say(ready("10"))
    tab = await open_tab(f"/ws/tv/{token}/", None)
    assert await tab.connect()
    await until(lambda: hub().client.state is not None, "the state")
    snapshot = await tab.read("snapshot")
    data = snapshot["data"] or (await tab.read("delta"))["patch"]
    assert data.keys() <= {"queues", "figures", "alarms", "floor"}
    text = orjson.dumps(data).decode()
    assert "queue of tenant-1" in text and "tenant-2" not in text
    assert "agent of tenant" not in text and "caller of tenant" not in text
    assert sum(data["floor"]["now"]["states"].values()) == 3
    await tab.say({"type": "command", "cmd_id": "0123456789", "action": "force", "agent": "10", "state": "READY"})
    assert (await tab.read("error"))["code"] == "not_permitted"
    assert engine.asked == []
    await tab.disconnect()


@pytest.mark.parametrize("token", ["x", "%00", "0" * 200])
async def test_another_address_shows_nothing(engine: Engine, token: str) -> None:
    await sync_to_async(screen)()
    tab = await open_tab(f"/ws/tv/{token}/", None)
    if await tab.connect():
        assert (await tab.receive_output(timeout=PATIENCE_S))["code"] == CLOSE_NOT_PERMITTED
    assert (await sync_to_async(Client().get)(f"/wall/tv/{token}/")).status_code in (400, 404)


async def test_a_screen_switched_off_goes_dark(engine: Engine) -> None:
    row, token = await sync_to_async(screen)()
    page = await sync_to_async(Client().get)(f"/wall/tv/{token}/")
    assert page.status_code == 200 and page["Referrer-Policy"] == "no-referrer" and "no-store" in page["Cache-Control"]
    tab = await open_tab(f"/ws/tv/{token}/", None)
    assert await tab.connect()
    await until(lambda: hub().client.reachable, "the engine")
    row.enabled = False
    await row.asave()
    assert await tab.closing_code() == CLOSE_SIGNED_OFF
    assert (await sync_to_async(Client().get)(f"/wall/tv/{token}/")).status_code == 404


def signed_in(username: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


async def test_whoever_takes_an_alarm_on_is_shown_on_the_wall(engine: Engine) -> None:
    at = datetime.datetime.fromtimestamp(START_MS / 1000, datetime.UTC)
    await RaisedAlarm.objects.acreate(tenant_id=1, kind="trunk_down", subject="19", raised_at=at)
    tab = await opened("/ws/wall/", "boss1")
    await until(lambda: hub().alarms.view("1"), "the alarm that stood before this process")
    boss = await sync_to_async(signed_in)("boss1")
    body = {"id": "trunk_down:19", "note": "运营商已联系"}
    path = "/wall/alarms/acknowledge/"
    reply = await sync_to_async(boss.post)(path, body, content_type="application/json")
    assert reply.status_code == 200, reply.content
    await until(lambda: hub().alarms.view("1")["trunk_down:19"]["acked_by"] == "boss1", "who")
    row = await RaisedAlarm.objects.select_related("acked_by").aget()
    assert (row.acked_by.username, row.note, row.cleared_at) == ("boss1", "运营商已联系", None)
    await tab.disconnect()


async def test_an_alarm_put_aside_is_off_the_screens_and_back_when_it_is_taken_back(engine: Engine) -> None:
    at = datetime.datetime.now(datetime.UTC)
    await RaisedAlarm.objects.acreate(tenant_id=1, kind="longest_wait", subject="15", raised_at=at)
    _row, token = await sync_to_async(screen)()
    tab = await open_tab(f"/ws/tv/{token}/", None)
    assert await tab.connect()
    await until(lambda: hub().alarms.view("1"), "the alarm that stood before this process")
    boss = await sync_to_async(signed_in)("boss1")

    async def ask(to: str, **body: Any) -> int:
        path = f"/wall/alarms/{to}/"
        data = {"id": "longest_wait:15", **body}
        return int((await sync_to_async(boss.post)(path, data, content_type="application/json")).status_code)

    assert await ask("shelve", minutes=30, reason="线路割接") == 200
    shown = await until(lambda: hub().alarms.view("1")["longest_wait:15"].get("shelved_by"), "who")
    assert shown == "boss1"
    state = hub().client.state
    assert state is not None
    assert tv_view(hub().floor_view(state, TenantId("1")))["alarms"] == {}
    kept = (await sync_to_async(alarm_rows.read)())[1]
    assert [(shelf.by, shelf.reason) for shelf in kept.shelves] == [("boss1", "线路割接")], "for other web processes"
    assert await ask("unshelve") == 200
    await until(lambda: "shelved_by" not in hub().alarms.view("1")["longest_wait:15"], "taken back")
    assert await ask("unshelve") == 404
    row = await ShelvedAlarm.objects.select_related("shelved_by", "ended_by").aget()
    assert row.shelved_by.username == row.ended_by.username == "boss1" and row.reason == "线路割接"
    events = [entry.additional_data["event"] async for entry in LogEntry.objects.filter(action=3).order_by("pk")]
    assert [event for event in events if event.startswith("alarm")] == ["alarm_shelved", "alarm_unshelved"]
    await tab.disconnect()


@pytest.mark.parametrize(
    ("username", "body", "status"),
    [
        ("boss2", {"minutes": 5, "reason": "r"}, 404),
        ("agent1", {"minutes": 5, "reason": "r"}, 403),
        ("boss1", {"minutes": 5, "reason": "r", "id": "other:1"}, 404),
        ("boss1", {"minutes": 5, "reason": " \x00 "}, 400),
        ("boss1", {"minutes": 5}, 400),
        ("boss1", {"minutes": 61, "reason": "r"}, 400),
        ("boss1", {"minutes": 0, "reason": "r"}, 400),
        ("boss1", {"minutes": True, "reason": "r"}, 400),
        ("boss1", {"minutes": "5", "reason": "r"}, 400),
        ("boss1", {"minutes": 5, "reason": "x" * 501}, 400),
        ("lead1", {"minutes": 5, "reason": "r"}, 403),
    ],
)
def test_who_puts_what_aside(db: None, username: str, body: Any, status: int) -> None:
    """A leader of teams may not silence a trunk for everybody."""
    populate()
    User.objects.create(username="lead1", tenant_id=1, role=Role.SUPERVISOR, reach="teams")
    at = datetime.datetime.fromtimestamp(START_MS / 1000, datetime.UTC)
    RaisedAlarm.objects.create(tenant_id=1, kind="trunk_down", subject="19", raised_at=at)
    body = {"id": "trunk_down:19", **body}
    reply = signed_in(username).post("/wall/alarms/shelve/", body, content_type="application/json")
    assert reply.status_code == status, reply.content
    assert not ShelvedAlarm.objects.exists()


@pytest.mark.parametrize(
    ("username", "body", "status"),
    [
        ("boss2", {"id": "trunk_down:19"}, 404),
        ("agent1", {"id": "trunk_down:19"}, 403),
        ("nobody", {"id": "trunk_down:19"}, 403),
        ("boss1", {"id": "other:1"}, 404),
        ("boss1", {"id": 5}, 400),
        ("boss1", {}, 400),
        ("boss1", [], 400),
        ("boss1", {"id": "trunk_down:19", "note": "x" * 501}, 400),
        ("boss1", {"id": "trunk\x00_down:19"}, 400),
    ],
)
def test_an_alarm_is_its_tenants_supervisors(db: None, username: str, body: Any, status: int) -> None:
    populate()
    at = datetime.datetime.fromtimestamp(START_MS / 1000, datetime.UTC)
    RaisedAlarm.objects.create(tenant_id=1, kind="trunk_down", subject="19", raised_at=at)
    client = signed_in(username)
    reply = client.post("/wall/alarms/acknowledge/", body, content_type="application/json")
    assert reply.status_code == status
    assert RaisedAlarm.objects.get().acked_at is None
