"""The day as CSV: complete, safe in a spreadsheet, Chinese in Excel, only what one may see."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import pytest
from django.test import AsyncClient

from apps.accounts.models import Role, Tenant, User
from apps.calls.models import Call, Segment
from apps.queues.models import Queue
from apps.reports.csv_cells import cell

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime.datetime(2026, 11, 25, 16, 30, tzinfo=datetime.UTC)  # 00:30 of the 26th in Shanghai


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"), ("+8613800138000", "'+8613800138000"), ("-2", "'-2"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), (" =1", "' =1"), ("=1", "'=1"), ("a=1", "a=1"), ("", ""),
        (None, ""), (12, "12"), (-3.5, "-3.5"), ("王芳", "王芳"), ("a\x00b", "ab"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(value: object, safe: str) -> None:
    assert cell(value) == safe


async def lines(username: str, path: str) -> list[list[str]]:
    client = AsyncClient()
    await client.aforce_login(await User.objects.aget(username=username))
    reply = await client.get(path, headers={"accept-language": "zh-CN"})
    assert reply.status_code == 200 and reply["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.streaming and "attachment" in reply["Content-Disposition"]
    body = b"".join([part async for part in reply])
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


@pytest.fixture
def day() -> None:
    for pk, code in ((1, "a"), (2, "b")):
        tenant = Tenant.objects.create(pk=pk, code=code, name=code, time_zone="Asia/Shanghai")
        User.objects.create(username=f"boss-{code}", tenant=tenant, role=Role.SUPERVISOR)
        User.objects.create(username=f"agent-{code}", tenant=tenant, role=Role.AGENT)
        queue = Queue.objects.create(tenant=tenant, code="q", name=f"队列{code}", service_level_s=20)
        for number in range(3):
            _call(tenant, queue, f"{code}{number}", AT + datetime.timedelta(minutes=number), 10_000 * (number + 1))
        _call(tenant, queue, f"{code}-yesterday", AT - datetime.timedelta(hours=1), 1000)


def _call(tenant: Tenant, queue: Queue, key: str, at: datetime.datetime, waited_ms: int) -> None:
    call = Call.objects.create(
        id=key, tenant=tenant, started_at=at, ended_at=at, outcome="served", caller_number="+8613800138000",
        caller_name='=HYPERLINK("http://evil")', wait_ms=waited_ms, last_queue=queue,
    )  # fmt: skip
    ended_at = at + datetime.timedelta(milliseconds=waited_ms)
    Segment.objects.create(
        call=call, tenant=tenant, sequence=1, kind="queue", queue=queue, started_at=at, ended_at=ended_at,
        duration_ms=waited_ms, outcome="answered",
    )  # fmt: skip


async def test_every_call_of_the_tenants_day(day: None) -> None:
    rows = await lines("boss-a", "/wall/day/calls.csv?day=2026-11-26")
    assert [row[-1] for row in rows[1:]] == ["a0", "a1", "a2"]
    first = dict(zip(rows[0], rows[1], strict=True))
    assert "2026-11-26 00:30:00" in first.values() and "队列a" in first.values()
    assert "'+8613800138000" in first.values() and '\'=HYPERLINK("http://evil")' in first.values()
    assert "10.0" in first.values()


async def test_figures_of_each_queue_with_formula_and_counts(day: None) -> None:
    rows = await lines("boss-a", "/wall/day/queues.csv?day=2026-11-26")
    assert len(rows) == 3, "one queue and the total, nothing of the other tenant"
    queue = rows[1]
    assert queue[0] == "队列a" and queue[1].startswith("F3 v1: Ans≤T / (Ans + Ab)") and queue[2] == "20"
    assert queue[3:10] == ["3", "3", "0", "0", "66.67", "2", "3"]
    assert rows[2][3:10] == queue[3:10]


@pytest.mark.parametrize("path", ["/wall/day/calls.csv", "/wall/day/queues.csv"])
async def test_a_day_without_calls_is_a_head_line(day: None, path: str) -> None:
    rows = await lines("boss-a", f"{path}?day=2020-01-01")
    assert rows[0] and all(set(row[3:7]) <= {"0"} for row in rows[1:])


async def test_an_agent_gets_none(day: None) -> None:
    client: Any = AsyncClient()
    await client.aforce_login(await User.objects.aget(username="agent-a"))
    for kind in ("calls", "queues"):
        assert (await client.get(f"/wall/day/{kind}.csv")).status_code == 403


async def test_a_call_that_was_lost_is_not_told_as_live(story: Tenant) -> None:
    await Call.objects.acreate(id="lost", tenant=story, started_at=AT - datetime.timedelta(days=300))
    (row,) = (await lines("admin", "/wall/day/calls.csv?day=2026-01-30"))[1:]
    assert "丢失" in row
