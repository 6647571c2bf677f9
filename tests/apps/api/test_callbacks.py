"""Calls back over REST: booked once, listed, cancelled, and told to programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.calls.models import Callback, Segment
from apps.core.events import LinkUp
from apps.core.ids import SwitchId
from apps.queues.models import Queue, QueueMembership
from apps.telephony.models import Switch
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.api.engine import Centre
from tests.apps.conftest import signed_in

NUMBER = "13912345678"


@pytest.fixture
def calling_back(story: Tenant) -> Queue:
    """Before the engine reads the configuration: ask for this fixture first."""
    queue = Queue.objects.filter(tenant=story).order_by("pk")[0]
    Queue.objects.filter(pk=queue.pk).update(callback=True)
    return queue


def outcome(program: Program, asked: Any) -> tuple[str, str]:
    assert asked.status_code == 202, asked.content
    said = program.get(f"/commands/{asked.json()['id']}?wait=10").json()
    return said["status"], said["code"]


def test_booked_found_by_its_command_and_cancelled(calling_back: Queue, engine: Centre, program: Program) -> None:
    engine.tell(LinkUp(switch=SwitchId(str(Switch.objects.get().pk)), boot="b1"))
    due = timezone.now() + timedelta(hours=2)
    data = {"queue": calling_back.code, "number": " 139-1234 5678", "name": "王芳", "due_at": due.isoformat()}
    asked = program.post("/callbacks", data, idempotency_key="k1")
    assert outcome(program, asked) == ("done", "")
    assert program.post("/callbacks", data, idempotency_key="k1").json()["id"] == asked.json()["id"]
    assert outcome(program, program.post("/callbacks", data)) == ("refused", "already_booked")
    engine.record()
    listed = program.get(f"/callbacks?command={asked.json()['id']}").json()["results"]
    assert [(row["number"], row["source"], row["outcome"], row["tried"]) for row in listed] == [(NUMBER, "web", "", 0)]
    assert listed[0]["queue"]["name"] == calling_back.name
    one = f"/callbacks/{listed[0]['id']}"
    assert program.get(one).json() == listed[0]
    assert Segment.objects.get(call=listed[0]["call"]).kind == "callback"
    assert outcome(program, program.post(f"{one}/cancel")) == ("done", "")
    engine.record()
    ended = program.get(one).json()
    assert ended["outcome"] == "cancelled" and ended["ended_at"] is not None
    problem(program.post(f"{one}/cancel"), 409, "callback_over")
    assert not program.get("/callbacks?open=true").json()["results"]
    assert len(program.get("/callbacks?open=false").json()["results"]) == 1


@pytest.mark.parametrize(("number", "code"), [("*72", "barred"), ("+4420712345", "barred"), ("+" + "9" * 32, "barred")])
def test_a_number_that_may_not_be_dialled(
    calling_back: Queue, engine: Centre, program: Program, number: str, code: str
) -> None:
    asked = program.post("/callbacks", {"queue": calling_back.code, "number": number})
    assert outcome(program, asked) == ("refused", code)


def test_a_queue_that_makes_none(engine: Centre, program: Program) -> None:
    assert outcome(program, program.post("/callbacks", {"queue": "support", "number": NUMBER})) == (
        "refused", "callbacks_off",
    )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"number": NUMBER},
        {"queue": "no_such", "number": NUMBER},
        {"queue": 7, "number": NUMBER},
        {"queue": "sales", "number": "()"},
        {"queue": "sales", "number": 1.5},
        {"queue": "sales", "number": NUMBER, "due_at": "soon"},
        {"queue": "sales", "number": NUMBER, "due_at": "2099-01-01T00:00:00Z"},
        {"queue": "sales", "number": NUMBER, "agent_first": "perhaps"},
        {"queue": "sales", "number": NUMBER, "attached": {"k": "v" * 201}},
        {"queue": "sales", "number": NUMBER, "name": "\u0000"},
        [],
        None,
    ],
)
def test_what_cannot_be_read_asks_nothing_of_the_engine(program: Program, data: Any) -> None:
    assert program.ask("POST", "/callbacks", data).status_code == 400


def test_another_company_sees_none_and_a_token_without_scope_books_none(
    calling_back: Queue, engine: Centre, program: Program, other_tenant: Tenant
) -> None:
    asked = program.post("/callbacks", {"queue": calling_back.code, "number": NUMBER})
    assert outcome(program, asked) == ("done", "")
    engine.record()
    row = Callback.objects.get()
    other = program_of("otheradmin")
    problem(other.get(f"/callbacks/{row.pk}"), 404, "not_found")
    problem(other.post(f"/callbacks/{row.pk}/cancel"), 404, "not_found")
    assert other.get("/callbacks").json()["results"] == []
    problem(other.post("/callbacks", {"queue": calling_back.code, "number": NUMBER}), 400, "invalid")
    reader = program_of("integrator", "calls:read")
    assert reader.get("/callbacks").status_code == 200
    problem(reader.post("/callbacks", {"queue": calling_back.code, "number": NUMBER}), 403, "insufficient_scope")


def test_an_agent_sees_those_of_the_queues_they_serve(calling_back: Queue, engine: Centre, program: Program) -> None:
    assert outcome(program, program.post("/callbacks", {"queue": calling_back.code, "number": NUMBER}))[0] == "done"
    engine.record()
    agent = Agent.objects.get(user__username="wangfang")
    for served in (True, False):
        QueueMembership.objects.filter(agent=agent, queue=calling_back).delete()
        if served:
            QueueMembership.objects.create(agent=agent, queue=calling_back)
        assert len(signed_in("wangfang").get("/api/v1/callbacks").json()["results"]) == served
