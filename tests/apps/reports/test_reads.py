"""What people look at every day reads the day, however long history is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Tenant
from apps.agents.models import Agent
from apps.calls import anonymity
from apps.calls.projection import moment_ms
from apps.consoles import agent_day
from apps.operations.retention import kinds
from apps.operations.retention.periods import before, owners
from apps.reports import recount

pytestmark = pytest.mark.django_db
OLD_ROWS = 10_000
"""Of each table, more than a hundred pages: enough to tell whether all of them are read."""
FEW_PAGES = 60


@pytest.fixture
def agent(db: None) -> Agent:
    """One of four, who have a long history together, all of it older than yesterday."""
    tenant = Tenant.objects.create(code="old", name="Old Ltd")
    agents = [Agent.objects.create(tenant=tenant, number=str(100 + n), name=f"{n}") for n in range(4)]
    with connection.cursor() as cursor:
        for statement in _HISTORY:
            cursor.execute(statement, {"tenant": tenant.pk, "agents": [row.pk for row in agents], "rows": OLD_ROWS})
        for table in ("call", "segment", "calldisposition", "agentstatespan", "factrecord"):
            cursor.execute(f"ANALYZE calls_{table}")
    return agents[0]


_AT = "now() - interval '2 days' - n * interval '10 minutes'"
_AGENT = "(%(agents)s::bigint[])[1 + n %% array_length(%(agents)s::bigint[], 1)]"
_SERIES = "FROM generate_series(1, %(rows)s) AS n"
_HISTORY = (
    "INSERT INTO calls_call (id, tenant_id, direction, did, caller_number, caller_name, trunk_name, started_at,"
    " ended_at, outcome, cause, wait_ms, talk_ms, hold_ms, wrap_up_ms, customer_leg_id, segment_count, last_epoch,"
    " last_seq)"
    f" SELECT 'old-' || n, %(tenant)s, 'inbound', '4001', '1380000' || n, '', '', {_AT}, {_AT}, 'served', 'normal',"
    f" 0, 0, 0, 0, '', 1, '', 0 {_SERIES}",
    "INSERT INTO calls_segment (call_id, tenant_id, sequence, kind, agent_id, leg_id, detail, started_at, ended_at,"
    " duration_ms, outcome) SELECT 'old-' || n, %(tenant)s, 1, CASE n %% 2 WHEN 0 THEN 'queue' ELSE 'talk' END,"
    f" {_AGENT}, '', '', {_AT}, {_AT} + interval '1 minute', 60000, 'ended' {_SERIES}",
    "INSERT INTO calls_calldisposition (call_id, tenant_id, agent_id, epoch, seq, at, disposition, note, wrap_up_ms)"
    f" SELECT 'old-' || n, %(tenant)s, {_AGENT}, 'old', n, {_AT}, 'done', '', 5000 {_SERIES}",
    "INSERT INTO calls_agentstatespan (tenant_id, agent_id, epoch, seq, state, reason, call_id, started_at, ended_at)"
    f" SELECT %(tenant)s, {_AGENT}, 'old', n, 'PAUSED', 'lunch', '', {_AT}, {_AT} + interval '1 minute' {_SERIES}",
    "INSERT INTO calls_factrecord (epoch, seq, at, tenant, call, type, data)"
    f" SELECT 'old', n, {_AT}, %(tenant)s::text, 'old-' || n, 'CallStarted', '{{}}' {_SERIES}",
)


@contextmanager
def plans() -> Iterator[dict[str, dict[str, Any]]]:
    """How PostgreSQL carries out each statement that runs inside, by its text."""
    found: dict[str, dict[str, Any]] = {}

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE")):
            with connection.cursor() as cursor:
                cursor.cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql, params)
                plan = cursor.cursor.fetchone()[0]
            found[sql] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


def assert_few(found: dict[str, dict[str, Any]]) -> None:
    """Pages of tables and indexes that are touched."""
    assert found
    pages = {sql: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for sql, plan in found.items()}
    many = {sql[:2000]: count for sql, count in pages.items() if count > FEW_PAGES}
    assert not many, "\n".join(f"{count} pages: {sql}" for sql, count in many.items())


def test_the_days_figures_are_counted_from_the_day(agent: Agent) -> None:
    with plans() as found:
        recount.count_today(moment_ms(timezone.now()), recount.read_rules())
    assert_few(found)


def test_an_agents_day_is_read_from_the_day(agent: Agent) -> None:
    with plans() as found:
        agent_day._paused(agent, agent_day.midnight(agent))
    assert_few(found)


def test_a_night_of_retention_reads_what_is_due(agent: Agent) -> None:
    """One tenant keeps its facts for ever, this one has none that are due."""
    Tenant.objects.create(code="other", name="Other Ltd", keep_facts_days=30)
    mine = next(owner for owner in owners() if owner.name == "other")
    facts = next(kind for kind in kinds.KINDS if kind.name == "facts")
    with plans() as found:
        assert facts.due(mine, before(30, timezone.now())).count() == 0
    assert_few(found)


def test_a_person_with_many_calls_is_forgotten_call_by_call(agent: Agent) -> None:
    """By a longer list than PostgreSQL looks through to find that the index of calls would do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with plans() as found:
        anonymity.anonymise([f"old-{n}" for n in range(1, 201)], {"13800001"})
    facts = next(plan for sql, plan in found.items() if sql.startswith("UPDATE calls_factrecord SET data = data ||"))
    assert "fact_of_call" in json.dumps(facts)
