"""What is asked of the engine: 202, an id, and an outcome that cannot be lost or doubled."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.api.models import Command, IdempotentRequest
from apps.calls.services import record_facts
from apps.core.agents.machine import AgentState
from apps.core.events import CallArrived, LinkUp
from apps.core.facts import CallOutcome
from apps.core.ids import LegId, SwitchId
from apps.telephony.models import Did
from tests.apps.api.conftest import Program, problem, program_of
from tests.apps.api.engine import Centre
from tests.apps.conftest import signed_in
from tests.apps.facts_of_calls import served_call, stored


@pytest.fixture
def wang(engine: Centre) -> Agent:
    return Agent.objects.get(user__username="wangfang")


def state_of(engine: Centre, agent: Agent, wanted: AgentState) -> bool:
    return bool(
        engine.see(lambda state: state.agents.get(str(agent.pk)) and state.agents[str(agent.pk)].state is wanted)
    )


def test_an_agent_is_forced_and_the_outcome_comes(engine: Centre, program: Program, wang: Agent) -> None:
    asked = program.post(f"/agents/{wang.pk}/state", {"state": "PAUSED", "reason": "lunch"})
    assert asked.status_code == 202 and asked.json()["status"] in ("pending", "done")
    assert asked["Location"].endswith(asked.json()["id"])
    said = program.get(f"/commands/{asked.json()['id']}?wait=5").json()
    assert said["status"] in ("done", "refused")
    engine.record()
    stored = program.get(f"/commands/{asked.json()['id']}").json()
    assert stored["status"] == said["status"] and stored["code"] == said["code"]
    assert Command.objects.get().finished_at is not None


def test_an_agent_changes_their_own_state(engine: Centre, wang: Agent) -> None:
    page = signed_in("wangfang")
    asked = page.post(f"/api/v1/agents/{wang.pk}/state", {"state": "PAUSED"}, content_type="application/json")
    assert asked.status_code == 202, asked.content
    other = Agent.objects.exclude(pk=wang.pk).first()
    assert other is not None
    refused = page.post(f"/api/v1/agents/{other.pk}/state", {"state": "READY"}, content_type="application/json")
    problem(refused, 404, "not_found")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"state": "TALKING"},
        {"state": ["READY"]},
        {"state": "PAUSED", "reason": "no such reason"},
        {"state": "READY", "reason": "lunch"},
        {"state": "PAUSED", "reason": "x" * 65_536},
        {"state": 1e400},
        [],
        "READY",
        None,
    ],
)
def test_a_state_that_cannot_be(engine: Centre, program: Program, wang: Agent, data: Any) -> None:
    response = program.ask("POST", f"/agents/{wang.pk}/state", data)
    assert response.status_code == 400, response.content
    assert not Command.objects.exists()


def test_without_an_engine_nothing_is_promised(program: Program) -> None:
    agent = Agent.objects.first()
    assert agent is not None
    said = problem(program.post(f"/agents/{agent.pk}/state", {"state": "READY"}), 503, "engine_unreachable")
    Command.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    later = program.get(f"/commands/{said['command']}").json()
    assert (later["status"], later["code"]) == ("refused", "no_outcome")


def test_commands_are_ones_own(engine: Centre, program: Program, wang: Agent, other_tenant: Tenant) -> None:
    command = program.post(f"/agents/{wang.pk}/state", {"state": "READY"}).json()["id"]
    problem(program_of("otheradmin").get(f"/commands/{command}"), 404, "not_found")
    problem(program.get(f"/commands/{uuid.uuid4()}"), 404, "not_found")
    problem(program.get("/commands/x"), 404, "not_found")
    problem(program.get(f"/commands/{command}?wait=999"), 400, "invalid")


# --- sending again ---


def test_a_repeat_is_answered_as_the_first(engine: Centre, program: Program, wang: Agent) -> None:
    path, data = f"/agents/{wang.pk}/state", {"state": "PAUSED"}
    first = program.post(path, data, idempotency_key="k1")
    again = program.post(path, data, idempotency_key="k1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json() and again["Location"] == first["Location"]
    assert again["Idempotency-Replayed"] == "true" and Command.objects.count() == 1
    problem(program.post(path, {"state": "READY"}, idempotency_key="k1"), 422, "idempotency_key_reused")
    problem(program.post(path, data, idempotency_key="k" * 256), 400, "invalid")
    other = program.post(path, data, idempotency_key="k2")
    assert other.json()["id"] != first.json()["id"]


def test_a_refusal_is_repeated_as_well(engine: Centre, program: Program, wang: Agent) -> None:
    bad = [program.post(f"/agents/{wang.pk}/state", {"state": "X"}, idempotency_key="k") for _ in range(2)]
    assert problem(bad[0], 400, "invalid")["errors"] == bad[1].json()["errors"]
    assert bad[1]["Content-Type"] == "application/problem+json"


def test_keys_of_two_people_are_two(engine: Centre, program: Program, wang: Agent) -> None:
    path = f"/agents/{wang.pk}/state"
    mine = program.post(path, {"state": "PAUSED"}, idempotency_key="k")
    theirs = program_of("integrator", "agents:write").post(path, {"state": "READY"}, idempotency_key="k")
    assert mine.status_code == 202 and theirs.status_code == 202 and theirs.content != mine.content


def test_after_a_fault_the_same_command_is_asked_again(engine: Centre, program: Program, wang: Agent) -> None:
    path, data = f"/agents/{wang.pk}/state", {"state": "PAUSED"}
    engine.shut_the_door()
    lost = problem(program.post(path, data, idempotency_key="k"), 503, "engine_unreachable")
    again = problem(program.post(path, data, idempotency_key="k"), 503, "engine_unreachable")
    assert lost["command"] == again["command"] and Command.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_works(engine: Centre, program: Program, wang: Agent) -> None:
    path, data = f"/agents/{wang.pk}/state", {"state": "PAUSED"}
    answers: list[Any] = []
    gate = threading.Barrier(8)

    def send() -> None:
        gate.wait()
        answers.append(program.post(path, data, idempotency_key="race"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    statuses = sorted(answer.status_code for answer in answers)
    assert len(statuses) == 8 and set(statuses) <= {202, 409} and 202 in statuses, statuses
    assert Command.objects.count() == 1 and IdempotentRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_dead_request_is_taken_over(engine: Centre, program: Program, wang: Agent) -> None:
    path, data = f"/agents/{wang.pk}/state", {"state": "PAUSED"}
    first = program.post(path, data, idempotency_key="k").json()
    died = timezone.now() - timedelta(seconds=61)
    IdempotentRequest.objects.update(status=None, body=None, started_at=died)
    assert program.post(path, data, idempotency_key="k").json()["id"] == first["id"]


# --- calls ---


def test_a_call_is_placed_for_an_agent(engine: Centre, program: Program, wang: Agent) -> None:
    data = {"agent": wang.pk, "number": "(021) 8888-6666", "attached": {"ticket": "T-1"}}
    asked = program.post("/calls", data, idempotency_key="dial-1")
    assert asked.status_code == 202 and asked.json()["action"] == "call.dial", asked.content
    said = program.get(f"/commands/{asked.json()['id']}?wait=5").json()
    assert (said["status"], said["code"]) == ("refused", "wrong_state"), "who is signed out cannot dial"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"number": "not a number"}, "/number"),
        ({"number": "1" * 65_536}, "/number"),
        ({"number": 13_800_138_000.5}, "/number"),
        ({"number": None}, "/number"),
        ({"number": "１３８"}, "/number"),
        ({"agent": 2**70}, "/agent"),
        ({"agent": 10**9}, "/agent"),
        ({"agent": None}, "/agent"),
        ({"attached": {str(index): "x" for index in range(21)}}, "/attached"),
        ({"attached": {"x" * 41: "x"}}, "/attached"),
        ({"attached": {"x": {"y": {}}}}, "/attached/x"),
        ({"customer": "c" * 41}, "/customer"),
    ],
)
def test_a_call_that_cannot_be(program: Program, change: dict[str, Any], pointer: str) -> None:
    agent = Agent.objects.get(user__username="wangfang")
    said = problem(program.post("/calls", {"agent": agent.pk, "number": "10086", **change}), 400, "invalid")
    assert said["errors"][0]["pointer"] == pointer


def test_whose_calls_one_may_place_and_end(engine: Centre, wang: Agent, other_tenant: Tenant) -> None:
    page = signed_in("lina")
    theirs = page.post("/api/v1/calls", {"number": "10086", "agent": wang.pk}, content_type="application/json")
    problem(theirs, 403, "permission_denied")
    assert page.post("/api/v1/calls", {"number": "10086"}, content_type="application/json").status_code == 202
    foreign = program_of("otheradmin").post("/calls", {"number": "10086", "agent": wang.pk})
    assert problem(foreign, 400, "invalid")["errors"][0]["pointer"] == "/agent"
    problem(program_of("admin", "calls:read").post("/calls", {"number": "1"}), 403, "insufficient_scope")


def test_a_call_that_no_agent_has_is_ended_by_who_may(
    engine: Centre, program: Program, story: Tenant, other_tenant: Tenant
) -> None:
    trunk = Did.objects.select_related("switch").first()
    assert trunk is not None
    engine.tell(
        LinkUp(switch=SwitchId(str(trunk.switch_id)), boot="b"),
        CallArrived(
            switch=SwitchId(str(trunk.switch_id)), leg=LegId("caller"), did=trunk.number, caller_number="13800138000"
        ),
    )
    call = engine.see(lambda state: next(iter(state.calls), ""))
    engine.record()
    problem(program_of("otheradmin").post(f"/calls/{call}/hangup"), 404, "not_found")
    assert signed_in("wangfang").post(f"/api/v1/calls/{call}/hangup").status_code == 404
    problem(program_of("integrator").post(f"/calls/{call}/hangup"), 403, "permission_denied")
    asked = program.post(f"/calls/{call}/hangup")
    assert asked.status_code == 202, asked.content
    assert program.get(f"/commands/{asked.json()['id']}?wait=5").json()["status"] == "done"
    engine.see(lambda state: state.calls[call].outcome is CallOutcome.REMOVED)
    again = program.post(f"/calls/{call}/hangup").json()
    assert program.get(f"/commands/{again['id']}?wait=5").json()["code"] == "wrong_state", "it is ending already"


def test_a_call_that_is_over_cannot_be_ended(engine: Centre, program: Program, story: Tenant) -> None:
    record_facts(stored([replace(fact, tenant=str(story.pk)) for fact in served_call("c1")]))
    problem(program.post("/calls/c1/hangup"), 409, "call_over")
    problem(program.post("/calls/nothing/hangup"), 404, "not_found")
    problem(program.post("/calls/c1/hangup", {"version": "new"}), 400, "invalid")
