"""A supervisor of teams sees what is theirs on every page, in every list and every file.

The websocket's half is in ``live/test_sockets.py`` and ``live/test_projection.py``.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Reach, Role, Team, Tenant, User
from apps.accounts.permissions import visible_agents
from apps.agents.models import Agent
from apps.calls.models import Call, Segment
from apps.calls.visibility import visible_calls
from apps.queues.models import Queue, QueueMembership
from apps.queues.selectors import scope_of, visible_queues
from apps.recordings.models import Recording
from apps.recordings.selectors import audible_recordings
from apps.reports.models import RaisedAlarm
from apps.telephony.models import Switch
from tests.apps.conftest import signed_in

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)
DAY = "?day=2026-11-22"
TEAMS = ("ours", "theirs")


@pytest.fixture
def centre(settings: Any, tmp_path: Path) -> dict[str, Any]:
    """Two teams of one tenant and one of another. Each has a queue alone; the tenant's two share a third."""
    settings.RECORDINGS_DIR = tmp_path
    made: dict[str, Any] = {"switch": Switch.objects.create(name="sw")}
    (tmp_path / "sw").mkdir()
    for code, teams in (("a", TEAMS), ("b", ("foreign",))):
        tenant = Tenant.objects.create(code=code, name=code)
        shared = Queue.objects.create(tenant=tenant, code="shared", name=f"shared-{code}")
        for number, name in enumerate(teams):
            _team(made, tenant, name, number, shared)
    boss = User.objects.create(username="lead", tenant=made["ours"].tenant, role=Role.SUPERVISOR, reach=Reach.TEAMS)
    made["ours"].team.leaders.add(boss)
    User.objects.create(username="whole", tenant=boss.tenant, role=Role.SUPERVISOR)
    return made


def _team(made: dict[str, Any], tenant: Tenant, name: str, number: int, shared: Queue) -> None:
    team = Team.objects.create(tenant=tenant, name=name)
    agent = made[name] = Agent.objects.create(tenant=tenant, name=name, number=f"100{number}", team=team)
    queue = Queue.objects.create(tenant=tenant, code=name, name=name)
    for served in (queue, shared):
        QueueMembership.objects.create(queue=served, agent=agent)
    call(made, f"talked-{name}", queue, agent)
    call(made, f"gave-up-{name}", queue, None)
    call(made, f"shared-talked-{name}", shared, agent)
    call(made, f"shared-gave-up-{name}", shared, None)


def call(made: dict[str, Any], key: str, queue: Queue, agent: Agent | None) -> None:
    """10 s in the queue; then a recorded talk, or gone."""
    common: dict[str, Any] = {"tenant": queue.tenant, "started_at": AT, "ended_at": AT}
    row = Call.objects.create(id=key, **common, last_queue=queue, last_agent=agent, outcome="served")
    waited = {"queue": queue, "duration_ms": 10_000, "outcome": "answered" if agent else "abandoned"}
    Segment.objects.create(call=row, **common, sequence=1, kind="queue", **waited)
    if agent is not None:
        Segment.objects.create(call=row, **common, sequence=2, kind="talk", queue=queue, agent=agent, duration_ms=1)
        path = f"{key}.wav"
        Recording.objects.create(
            id=key, call=row, tenant=queue.tenant, leg_id="l", switch=made["switch"], path=path, asked_at=AT,
            status="done",
        )  # fmt: skip


def names(rows: Any) -> set[str]:
    return set(rows.values_list("name", flat=True))


OURS = {"talked-ours", "gave-up-ours", "shared-talked-ours", "shared-gave-up-ours", "shared-gave-up-theirs"}


def test_the_rule(centre: dict[str, Any]) -> None:
    """A queue by an agent who serves it; a call by an agent who was in it, or by a queue where nobody took it."""
    lead = User.objects.get(username="lead")
    assert names(visible_agents(lead)) == {"ours"} and names(visible_queues(lead)) == {"ours", "shared-a"}
    assert set(visible_calls(lead, lead.tenant_id or 0).values_list("pk", flat=True)) == OURS
    heard = audible_recordings(lead, lead.tenant_id or 0).values_list("pk", flat=True)
    assert set(heard) == {"talked-ours", "shared-talked-ours"}
    scope = scope_of(lead)
    assert scope is not None and scope.agents == {str(centre["ours"].pk)} and len(scope.queues) == 2
    assert not visible_calls(lead, centre["foreign"].tenant_id).exists()
    lead.led_teams.clear()
    assert not visible_queues(lead).exists() and not visible_calls(lead, lead.tenant_id or 0).exists()
    whole = User.objects.get(username="whole")
    assert scope_of(whole) is None and names(visible_queues(whole)) == {"ours", "theirs", "shared-a"}
    assert not visible_queues(User(username="nobody", role=Role.SUPERVISOR)).exists()


def test_pages(centre: dict[str, Any]) -> None:
    page = signed_in("lead")
    calls = page.get("/calls/").context["page"]
    assert {row["name"] for row in calls["queues"]} == {"ours", "shared-a"}
    assert {row["name"] for row in calls["agents"]} == {"ours"}
    assert {row["id"] for row in calls["found"]["calls"]} == OURS
    theirs = Queue.objects.get(name="theirs").pk
    assert page.get(f"/calls/found/?queue={theirs}").json()["calls"] == []
    assert page.get("/calls/talked-ours/").status_code == 200
    for key in ("talked-theirs", "shared-talked-theirs", "gave-up-theirs", "talked-foreign"):
        assert page.get(f"/calls/{key}/").status_code == 404, key


def rows_of(client: Client, kind: str) -> dict[str, list[str]]:
    reply = client.get(f"/wall/day/{kind}.csv{DAY}")
    lines = b"".join(reply).decode("utf-8-sig").splitlines()
    return {line.split(",")[0]: line.split(",") for line in lines[1:]}


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_files(centre: dict[str, Any]) -> None:
    """The shared queue is whole, with the other team's work; the total adds up what is shown."""
    lead, whole = rows_of(signed_in("lead"), "queues"), rows_of(signed_in("whole"), "queues")
    assert lead.keys() == {"ours", "shared-a", "Total"}
    assert whole.keys() == {"ours", "theirs", "shared-a", "Total"}
    assert lead["shared-a"] == whole["shared-a"] and lead["shared-a"][3] == "4"
    assert (lead["Total"][3], whole["Total"][3]) == ("6", "8")
    reply = signed_in("lead").get(f"/wall/day/calls.csv{DAY}")
    lines = b"".join(reply).decode("utf-8-sig").splitlines()
    assert {line.split(",")[-1] for line in lines[1:]} == OURS


def test_rest(centre: dict[str, Any]) -> None:
    page = signed_in("lead")
    for kind, found in (("queues", {"ours", "shared-a"}), ("agents", {"ours"})):
        assert {row["name"] for row in page.get(f"/api/v1/{kind}").json()["results"]} == found
    assert {row["id"] for row in page.get("/api/v1/calls").json()["results"]} == OURS
    assert {row["id"] for row in page.get("/api/v1/recordings").json()["results"]} == {
        "talked-ours",
        "shared-talked-ours",
    }
    for path in (
        f"agents/{centre['theirs'].pk}", f"queues/{Queue.objects.get(name='theirs').pk}", "calls/talked-theirs",
        "calls/talked-theirs/timeline", "recordings/talked-theirs/audio", "recordings/talked-theirs/peaks",
        "recordings/talked-foreign/audio",
    ):  # fmt: skip
        assert page.get(f"/api/v1/{path}").status_code == 404, path


@pytest.mark.parametrize(("about", "kind", "status"), [
    ("ours", "longest_wait", 200), ("theirs", "longest_wait", 404), ("theirs", "sl30", 404), ("theirs", "missed", 404),
    ("ours", "missed", 200), ("ours", "trunk_down", 200),
])  # fmt: skip
def test_alarms(centre: dict[str, Any], about: str, kind: str, status: int) -> None:
    """Trunks and switches carry everybody's calls: their alarms are everybody's."""
    agent = centre[about]
    subject = agent.pk if kind == "missed" else Queue.objects.get(name=about).pk
    RaisedAlarm.objects.create(tenant=agent.tenant, kind=kind, subject=str(subject), raised_at=AT)
    reply = signed_in("lead").post(
        "/wall/alarms/acknowledge/", {"id": f"{kind}:{subject}"}, content_type="application/json"
    )
    assert reply.status_code == status
