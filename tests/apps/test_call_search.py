"""Finding calls: each filter, and pages that neither lose nor repeat a row."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.calls.going_on import goes_on
from apps.calls.models import Call, Callback, Segment
from apps.calls.search import Search, find, page_of, read_search
from apps.calls.timeline import call_row

pytestmark = pytest.mark.django_db
AT = datetime.datetime(2026, 11, 25, 16, 0, tzinfo=datetime.UTC)  # midnight in Shanghai


def call(key: str, minutes: int, **fields: Any) -> Call:
    return Call.objects.create(id=key, tenant_id=1, started_at=AT + datetime.timedelta(minutes=minutes), **fields)


def keys(**wanted: Any) -> list[str]:
    return [row.pk for row in find(Call.objects.all(), Search(**wanted))]


@pytest.fixture
def calls() -> None:
    call("c1", 1, caller_number="+8613955501100", outcome="served", ended_at=AT, last_agent_id=7, last_queue_id=3)
    call("c2", 2, caller_number="02155550100", caller_name="王 芳", outcome="abandoned", ended_at=AT, last_queue_id=4)
    transferred = call("c3", 3, caller_number="10086", outcome="served", ended_at=AT, last_agent_id=8, last_queue_id=4)
    for sequence, (kind, agent, queue) in enumerate([("queue", None, 3), ("talk", 7, 3), ("talk", 8, 4)]):
        Segment.objects.create(
            call=transferred, tenant_id=1, sequence=sequence, kind=kind, agent_id=agent, queue_id=queue, started_at=AT
        )
    call("c4", -1, caller_number="10010", direction="outbound")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["c3", "c2", "c1", "c4"]),
        ({"text": "139 5550 1100"}, ["c1"]),
        ({"text": "芳"}, ["c2"]),
        ({"text": "c3"}, ["c3"]),
        ({"agent": 7}, ["c3", "c1"]),
        ({"queue": 3}, ["c3", "c1"]),
        ({"queue": 4}, ["c3", "c2"]),
        ({"outcome": "abandoned"}, ["c2"]),
        ({"direction": "outbound"}, ["c4"]),
        ({"since": AT}, ["c3", "c2", "c1"]),
        ({"until": AT}, ["c4"]),
    ],
)
def test_each_filter(calls: None, wanted: dict[str, Any], found: list[str]) -> None:
    assert keys(**wanted) == found


def test_a_day_is_the_tenants_day(calls: None) -> None:
    for asked in ({"day": "2026-11-26"}, {"since": "2026-11-26", "until": "2026-11-26"}, {"since": "2026-11-26T00:00"}):
        wanted = read_search(asked, "Asia/Shanghai")
        assert [row.pk for row in find(Call.objects.all(), wanted)] == ["c3", "c2", "c1"], asked


def test_pages_neither_lose_nor_repeat_also_when_calls_begin_at_one_moment() -> None:
    for number in range(23):
        call(f"c{number:02}", number // 5)
    seen, cursor = [], ""
    while True:
        page = page_of(find(Call.objects.all(), Search()), cursor, size=4)
        seen += [row.pk for row in page.calls]
        if seen[:4] == [row.pk for row in page.calls]:
            call("newer", 99)  # arrives meanwhile: later pages are not moved by it
        if not page.next_cursor:
            break
        cursor = page.next_cursor
    assert seen == sorted({f"c{number:02}" for number in range(23)}, reverse=True)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", signing.dumps(["x", 5]), signing.dumps([1], salt="calls.search")],
    ids=["empty", "no_cursor", "another_salt", "another_content"],  # signatures hold the time: no two workers agree
)
def test_a_cursor_that_is_none_of_ours_begins_at_the_start(calls: None, cursor: str) -> None:
    assert page_of(find(Call.objects.all(), Search()), cursor).calls[0].pk == "c3"


@pytest.mark.parametrize("name", ["day", "since", "until"])
@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "2026-02-30", "2026-11-26 09:30", "today", "2026"])
def test_no_date_in_an_address_is_an_error(calls: None, name: str, text: str) -> None:
    for zone in ("Asia/Shanghai", "America/Los_Angeles"):
        list(find(Call.objects.all(), read_search({name: text}, zone)))


def test_a_time_of_day_is_no_whole_day_however_it_is_written() -> None:
    ends = {read_search({"until": f"2026-11-26{between}09:30"}, "Asia/Shanghai").until for between in "T "}
    assert ends == {datetime.datetime(2026, 11, 26, 1, 30, tzinfo=datetime.UTC)}


def test_a_call_whose_end_was_never_recorded_is_not_live_for_ever_but_one_that_is_to_be_called_back_is() -> None:
    now = timezone.now()
    for key, days in (("lost", 2), ("booked", 2), ("missed", 60), ("now", 0)):
        Call.objects.create(id=key, tenant_id=1, started_at=now - datetime.timedelta(days=days, minutes=1))
    for key, until in (("booked", now + datetime.timedelta(days=5)), ("missed", now - datetime.timedelta(days=30))):
        Callback.objects.create(
            id=key, call_id=key, number="1", source="web", agent_first=True, booked_at=now, queued_at=now, due_at=until,
            until_at=until,
        )  # fmt: skip
    assert keys(outcome="live") == ["now", "booked"]
    rows = {call.pk: call for call in Call.objects.all()}
    assert {pk for pk, row in rows.items() if goes_on(row)} == {"now", "booked"}
    assert {pk: call_row(row)["outcome"] for pk, row in rows.items()} == {
        "now": "", "booked": "", "lost": "lost", "missed": "lost",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["1395550", "9955", "+8613955501100", "芳芳芳", "WANG"])
def test_a_part_of_a_number_or_name_is_found_by_an_index(text: str) -> None:
    """A handful of rows is read through more cheaply, so here that is forbidden."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    plan = find(Call.objects.all(), Search(text=text)).select_related(None).order_by().explain()
    assert "Bitmap Index Scan on call_search" in plan, plan


def test_the_admin_finds_as_the_supervisors_page_and_counts_no_rows(calls: None, root_page: Client) -> None:
    page = reverse("admin:calls_call_changelist")
    with CaptureQueriesContext(connection) as asked:
        found = root_page.get(page, {"q": "139 5550 1100"})
    assert [row.pk for row in found.context["cl"].result_list] == ["c1"]
    assert not [query["sql"] for query in asked if "COUNT(*)" in query["sql"] and "calls_call" in query["sql"]]
    assert not list(root_page.get(page, {"q": "no such"}).context["cl"].result_list)
