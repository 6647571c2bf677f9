"""What the agent's page gets over HTTP: its own day, its own phone's account, and nobody else's."""

from __future__ import annotations

import datetime
import re
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Tenant, User
from apps.agents.models import Agent
from apps.calls.models import AgentStateSpan, Call, CallDisposition, Decision, Segment
from apps.consoles import turn
from apps.consoles.phone import VOICES, websocket_url
from apps.core.ids import AgentId, CallId, TenantId
from apps.customers.models import Customer
from apps.customers.services import link_call
from apps.live import access
from apps.live.presence import Seat
from apps.telephony.models import SipAccount, Switch
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(story: Tenant) -> Agent:
    return Agent.objects.get(user__username="chenjing")


def test_the_demos_phone_gets_voices_and_no_secret(mine: Agent) -> None:
    answer = signed_in("chenjing").post("/agent/phone/").json()
    assert answer["kind"] == "simulated" and set(answer["voices"]) == {"zh", "en"}
    lines = [line for scripts in answer["voices"].values() for script in scripts for line in script]
    assert {line["who"] for line in lines} == {"caller", "agent"} and all(line["ms"] > 500 for line in lines)
    sound = signed_in("chenjing").get(lines[0]["url"])
    assert sound.getvalue() == (VOICES / lines[0]["url"].rsplit("/", 1)[1]).read_bytes()


def test_a_browser_phone_gets_its_own_account_alone(mine: Agent) -> None:
    Switch.objects.update(kind="freeswitch", websocket_url="wss://cc.example.com/sip", stun_servers="stun:a:1 stun:b:2")
    client = signed_in("chenjing")
    reply = client.post("/agent/phone/")
    account = SipAccount.objects.get(agent=mine)
    assert reply.json() == {
        "kind": "sip", "url": "wss://cc.example.com/sip", "uri": f"sip:{account.username}@cloudbridge.local",
        "user": account.username, "password": account.secret,
        "ice_servers": [{"urls": "stun:a:1"}, {"urls": "stun:b:2"}], "renew_s": None,
    }  # fmt: skip
    assert "no-store" in reply["Cache-Control"]
    assert client.get("/agent/phone/").status_code == 405
    assert account.secret not in client.get("/agent/").content.decode()
    others = {user: signed_in(user).post("/agent/phone/").status_code for user in ("huang", "admin")}
    assert others == {"huang": 403, "admin": 403}
    assert Client().post("/agent/phone/").status_code == 302
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(User.objects.get(username="chenjing"))
    assert checked.post("/agent/phone/").status_code == 403


def test_a_browser_phone_gets_a_turn_password_that_expires(mine: Agent, settings: Any) -> None:
    """The known answer is what coturn computes: ``openssl dgst -sha1 -hmac SECRET -binary | base64`` of the name."""
    settings.TURN_SERVERS, settings.TURN_SECRET = ("turn:turn.example.com:3478?transport=udp",), "s" * 32
    settings.TURN_VALID_S = 3600
    Switch.objects.update(kind="freeswitch", websocket_url="wss://cc.example.com/sip")
    before = time.time()
    answer = signed_in("chenjing").post("/agent/phone/").json()
    [relay] = answer["ice_servers"]
    expiry, who = relay["username"].split(":")
    assert relay["urls"] == ["turn:turn.example.com:3478?transport=udp"] and answer["renew_s"] == 900
    assert who == answer["user"] and before + 3599 < int(expiry) <= time.time() + 3600
    known = turn.ice_server(("turn:a",), "s" * 32, "1002", 1_000_000_000, 3600)
    assert known["username"] == "1000003600:1002" and known["credential"] == "UFYS4U/cqMtyIjV3qiPvdy+JU7Q="


@pytest.mark.parametrize("change", [{"device_kind": "sip"}, {"sip_account": None}])
def test_a_telephone_of_another_kind_has_no_account_in_the_page(mine: Agent, change: dict[str, Any]) -> None:
    Agent.objects.filter(pk=mine.pk).update(**change)
    assert signed_in("chenjing").post("/agent/phone/").json() == {"kind": "none"}


@pytest.mark.parametrize(
    ("secure", "host", "expected"),
    [
        (False, "127.0.0.1", "ws://127.0.0.1:5066"),
        (True, "127.0.0.1", "wss://cc.local:7443"),
        (False, "cc.example.com", "wss://cc.local:7443"),
    ],
)
def test_plain_websockets_are_for_this_machine(secure: bool, host: str, expected: str) -> None:
    assert websocket_url(Switch(domain="cc.local"), secure=secure, host=host) == expected


@pytest.mark.parametrize("name", ["zh-1-99.wav", "../voices.json", "voices.json", "ZH-1-1.wav"])
def test_no_other_file_is_a_voice(mine: Agent, name: str) -> None:
    assert signed_in("chenjing").get(f"/agent/phone/voices/{name}").status_code == 404


def talked(agent: Agent, call_id: str, minutes_ago: int, **more: Any) -> Call:
    at = timezone.now() - datetime.timedelta(minutes=minutes_ago)
    call = Call.objects.create(
        id=call_id,
        tenant=agent.tenant,
        started_at=at,
        caller_number=f"138{call_id[-4:]:0>8}",
        caller_name="张三",
        **more,
    )
    segment = {
        "call": call,
        "tenant": agent.tenant,
        "agent": agent,
        "started_at": at,
        "ended_at": at,
        "outcome": "ended",
    }
    Segment.objects.create(sequence=1, kind="talk", duration_ms=60_000, **segment)
    Segment.objects.create(sequence=2, kind="hold", duration_ms=20_000, **segment)
    return call


def noted(
    call: Call, agent: Agent, seq: int, disposition: str, note: str = "", minutes_ago: int = 0, wrap_up_ms: int = 10_000
) -> None:
    at = timezone.now() - datetime.timedelta(minutes=minutes_ago)
    CallDisposition.objects.create(
        call=call, tenant=agent.tenant, agent=agent, epoch="e", seq=seq, at=at, disposition=disposition, note=note,
        wrap_up_ms=wrap_up_ms,
    )  # fmt: skip


def test_the_day_counts_what_this_agent_did(mine: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    since = timezone.now() - datetime.timedelta(hours=6)
    monkeypatch.setattr("apps.consoles.agent_day.midnight", lambda agent: since)
    other = Agent.objects.get(user__username="zhaomin")
    first, second = talked(mine, "c-1", 50), talked(mine, "c-2", 10, direction="outbound")
    talked(other, "c-3", 5)
    talked(mine, "c-4", 60 * 20)
    noted(first, mine, 1, "UNSET", "半句话", minutes_ago=40)
    noted(second, mine, 2, "UNSET", minutes_ago=9)
    noted(second, mine, 3, "resolved", "好了", minutes_ago=8, wrap_up_ms=0)  # a late result, as the core gives it
    offer = {
        "call": first,
        "tenant": mine.tenant,
        "at": timezone.now(),
        "rule": "r",
        "ready_agents": 1,
        "waiting_calls": 1,
    }
    Decision.objects.create(leg_id="l1", agent=mine, outcome="no_answer", **offer)
    Decision.objects.create(leg_id="l2", agent=mine, outcome="caller_left", **offer)
    AgentStateSpan.objects.create(
        agent=mine, tenant=mine.tenant, epoch="e", seq=9, state="PAUSED", reason="lunch",
        started_at=since - datetime.timedelta(hours=1), ended_at=since + datetime.timedelta(minutes=10),
    )  # fmt: skip
    link_call(Customer.objects.create(tenant=mine.tenant, name="王芳"), "c-1", None)
    day = signed_in("chenjing").get("/agent/day/").json()
    assert (day["handled"], day["talk_ms"], day["wrap_up_ms"], day["missed"]) == (2, 80_000, 10_000, 1)
    assert day["handling_ms"] == (160_000 + 20_000) // 2
    assert [(call["id"], call["disposition"], call["direction"]) for call in day["calls"]] == [
        ("c-2", "resolved", "outbound"),
        ("c-1", "UNSET", "inbound"),
    ]
    assert [(call["id"], call["note"]) for call in day["unset"]] == [("c-1", "半句话")]
    assert [call["name"] for call in day["calls"]] == ["张三", "王芳"], "the customer's, else the trunk's"
    lunch = next(reason for reason in day["paused"] if reason["code"] == "lunch")
    assert (lunch["used_ms"], lunch["allowed_min"]) == (600_000, 60)


def test_a_talk_over_midnight_is_of_the_day_in_which_it_ended(mine: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the wall counts it: handled when it is over."""
    since = timezone.now() - datetime.timedelta(minutes=30)
    monkeypatch.setattr("apps.consoles.agent_day.midnight", lambda agent: since)
    call = talked(mine, "c-6", 31)
    assert signed_in("chenjing").get("/agent/day/").json()["handled"] == 0
    call.segments.update(ended_at=since + datetime.timedelta(minutes=1))
    assert signed_in("chenjing").get("/agent/day/").json()["handled"] == 1


def test_the_page_holds_what_its_script_needs_and_nothing_inline(mine: Agent) -> None:
    page = signed_in("chenjing").get("/agent/").content.decode()
    assert "小休" in page.encode().decode("unicode_escape", "ignore") or "\\u5c0f\\u4f11" in page
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("src=" in script or "application/json" in script for script in scripts)


def test_a_result_is_owed_by_whom_the_latest_word_is_unset(mine: Agent) -> None:
    other = Agent.objects.get(user__username="zhaomin")
    call = talked(mine, "c-9", 5)
    seat, others_seat = (Seat(TenantId(str(mine.tenant_id)), AgentId(str(agent.pk))) for agent in (mine, other))
    assert not access.owes_result(seat, CallId("c-9"))
    noted(call, mine, 1, "UNSET", minutes_ago=4)
    assert access.owes_result(seat, CallId("c-9")) and not access.owes_result(others_seat, CallId("c-9"))
    assert not access.owes_result(Seat(TenantId("999"), seat.agent), CallId("c-9"))
    noted(call, mine, 2, "resolved", minutes_ago=3)
    assert not access.owes_result(seat, CallId("c-9"))
