"""The pages over HTTP: who gets which, what history shows, and that a recording's path cannot lead elsewhere."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role, Tenant, User
from apps.agents.models import Agent, Disposition
from apps.calls.models import Call, CallDisposition, Decision, Leg, Segment
from apps.recordings.models import Recording
from apps.telephony.models import Switch

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)
HOSTILE = "\u202e<script>alert(1)</script>\u2028\" onload='x"


@pytest.fixture
def floor(settings: Any, tmp_path: Path) -> dict[str, Any]:
    """Two tenants, each with people and one call that was recorded."""
    settings.RECORDINGS_DIR = tmp_path
    switch = Switch.objects.create(name="sw")
    made: dict[str, Any] = {"switch": switch, "root": tmp_path}
    for code in ("a", "b"):
        tenant = Tenant.objects.create(code=code, name=code)
        User.objects.create(username=f"boss-{code}", tenant=tenant, role=Role.SUPERVISOR)
        user = User.objects.create(username=f"agent-{code}", tenant=tenant, role=Role.AGENT)
        agent = Agent.objects.create(tenant=tenant, name=f"Agent {code}", number="1001", user=user)
        Disposition.objects.create(tenant=tenant, code="done", name=f"Done {code}")
        call = Call.objects.create(
            id=f"call-{code}", tenant=tenant, switch=switch, started_at=AT, ended_at=AT, outcome="served",
            caller_number="13800138000", caller_name=HOSTILE, did="4001", last_agent=agent,
        )  # fmt: skip
        Segment.objects.create(
            call=call, tenant=tenant, sequence=1, kind="talk", started_at=AT, duration_ms=5000, outcome="ended"
        )
        Leg.objects.create(id=f"leg-{code}", call=call, tenant=tenant, role="agent", address=HOSTILE, started_at=AT)
        Decision.objects.create(
            leg_id=f"leg-{code}", call=call, tenant=tenant, at=AT, rule="longest_idle", ready_agents=2, waiting_calls=1
        )
        CallDisposition.objects.create(
            call=call, tenant=tenant, at=AT, epoch="e", seq=tenant.pk, disposition="done", note=HOSTILE, wrap_up_ms=1
        )
        made[code] = tenant
        record(made, code, f"{code}.wav")
    return made


def record(floor: dict[str, Any], code: str, path: str) -> Recording:
    file = floor["root"] / "sw" / f"{code}.wav"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"RIFF" + bytes(range(96)))
    return Recording.objects.create(
        id=f"rec-{code}-{Recording.objects.count()}", call_id=f"call-{code}", tenant=floor[code], leg_id="l",
        switch=floor["switch"], path=path, asked_at=AT, status="done",
    )  # fmt: skip


def browser(username: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(username=username))
    return client


FLOOR_PAGES = (
    "/wall/", "/wall/day/calls.csv", "/wall/day/queues.csv", "/calls/", "/calls/found/", "/calls/call-a/",
    "/calls/call-a/story/",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/agent/", *FLOOR_PAGES])
def test_a_stranger_is_asked_to_sign_in(floor: dict[str, Any], path: str) -> None:
    reply = Client().get(path)
    assert reply.status_code == 302 and reply["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("agent-a", "/agent/", 200),
        *(("agent-a", path, 403) for path in FLOOR_PAGES),
        ("boss-a", "/wall/", 200),
        ("boss-a", "/agent/", 403),
        ("boss-a", "/calls/call-a/", 200),
        ("boss-a", "/calls/call-b/", 404),
        ("boss-a", "/calls/call-b/story/", 404),
        ("boss-a", "/wall/day/calls.csv?day=never", 400),
        ("boss-a", "/wall/day/calls.csv?day=0001-01-01", 400),
        ("boss-a", "/wall/day/queues.csv?day=9999-12-31", 400),
        ("boss-a", "/wall/?tenant=2", 200),
        ("boss-a", "/calls/%00/", 400),
    ],
)
def test_each_role_and_tenant_gets_its_own_pages(floor: dict[str, Any], username: str, path: str, status: int) -> None:
    assert browser(username).get(path).status_code == status


def test_everybody_lands_on_the_page_of_their_work(floor: dict[str, Any]) -> None:
    assert browser("agent-a").get("/")["Location"] == "/agent/#sign-in"
    assert browser("boss-a").get("/")["Location"] == "/wall/"


def test_history_shows_what_happened_as_data(floor: dict[str, Any]) -> None:
    """The page is drawn from it as text nodes; nothing of it can end the script that carries it."""
    html = browser("boss-a").get("/calls/call-a/").content.decode()
    assert "<script>alert(1)" not in html and "\\u003Cscript" in html
    page = browser("boss-a").get("/calls/call-a/").context["page"]
    assert page["call"]["name"] == HOSTILE and page["call"]["outcome"] == "served"
    assert [(row["kind"], row["outcome"]) for row in page["segments"]] == [("talk", "ended")]
    offer = page["offers"][0]
    assert (offer["rule"], offer["ready_agents"], offer["waiting_calls"]) == ("longest_idle", 2, 1)
    assert page["wrap_ups"][0]["note"] == HOSTILE and page["dispositions"] == {"done": "Done a"}
    assert page["recordings"][0]["here"] and page["recordings"][0]["heard"] == []
    assert page["customers"] == {"chosen": False, "found": []}
    assert browser("boss-a").get("/calls/call-a/story/").json() == page
    found = browser("boss-a").get("/calls/found/", {"q": "1380", "outcome": "served"}).json()
    assert [row["id"] for row in found["calls"]] == ["call-a"] and found["next"] == ""


@pytest.mark.parametrize("query", ["%", "' or 1=1 --", "\ud800".encode("utf-8", "surrogatepass"), "x" * 9000])
def test_any_search_is_answered(floor: dict[str, Any], query: Any) -> None:
    asked = dict.fromkeys(("q", "outcome", "agent", "queue", "since", "until", "day", "cursor", "direction"), query)
    for path in ("/calls/", "/calls/found/"):
        assert browser("boss-a").get(path, asked).status_code == 200


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "../secret.wav", "a\x01.wav", "", "x" * 300, "gone"]
)
def test_a_stored_path_never_leaves_the_recordings(floor: dict[str, Any], path: str) -> None:
    (floor["root"] / "secret.wav").write_bytes(b"secret")
    recording = record(floor, "a", path)
    assert browser("boss-a").get(f"/api/v1/recordings/{recording.pk}/audio").status_code == 404
    page = browser("boss-a").get("/calls/call-a/").context["page"]
    assert [row["here"] for row in page["recordings"] if row["id"] == recording.pk] == [False]
