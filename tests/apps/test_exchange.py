"""Lists in and out of the admin as spreadsheets: tried first, whole or not at all, never across tenants."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tablib import Dataset

from apps.accounts.models import Tenant
from apps.agents.models import Agent, AgentSkill, Disposition, PauseReason, Skill
from apps.queues.models import Queue, QueueMembership, QueueSkill
from apps.queues.refusing import problems_of
from apps.telephony.center_config import current_version
from apps.telephony.exchange import AnyXlsx, ExchangeAdmin, decoded
from apps.telephony.models import Calendar, CalendarDay, Did, SipAccount
from tests.apps.conftest import signed_in
from tests.apps.test_admin import page

LISTS = sorted((model for model, item in admin.site._registry.items() if isinstance(item, ExchangeAdmin)), key=str)
CSV, XLSX = "0", "1"


def taken_out(client: Client, model: Any, file_format: str = CSV) -> list[dict[str, str]]:
    resource = admin.site._registry[model].resource_classes[0]  # type: ignore[attr-defined]
    fields = {f"{resource.__name__.lower()}_{name}": "on" for name in resource().fields}
    reply = client.post(page(model, "export"), {"format": file_format, "resource": "0", **fields})
    assert reply.status_code == 200 and "attachment" in reply["Content-Disposition"], reply.content.decode()[-3000:]
    return list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))


def brought_in(client: Client, model: Any, data: bytes | str, *, confirm: bool = True) -> str:
    """What the person reads after the try; with ``confirm`` the import is done where the try found nothing."""
    content = data.encode() if isinstance(data, str) else data
    upload = SimpleUploadedFile("list.csv", content, "text/csv")
    reply = client.post(page(model, "import"), {"format": CSV, "resource": "0", "import_file": upload})
    text = reply.content.decode()
    form = reply.context.get("confirm_form") if reply.context else None
    if confirm and form is not None:
        done = client.post(page(model, "process_import"), form.initial)
        assert done.status_code == 302, done.content.decode()[-2000:]
    return text


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_what_is_taken_out_can_be_brought_in_again_and_changes_nothing(admin_page: Client, model: Any) -> None:
    rows = taken_out(admin_page, model)
    assert rows
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    brought_in(admin_page, model, out.getvalue())
    assert taken_out(admin_page, model) == rows


def test_the_lists_that_people_keep_in_spreadsheets_are_here() -> None:
    assert set(LISTS) == {Agent, Queue, Skill, Did, Calendar, Disposition, PauseReason}


def test_a_list_of_agents_gives_each_a_device_skills_and_queues(story: Tenant, admin_page: Client) -> None:
    before = current_version()
    text = "number,name,device_kind,skills,queues,team\n2001,新人甲,browser,lang:zh=5 network,sales service,客服组\n"
    brought_in(admin_page, Agent, text)
    agent = Agent.objects.get(number="2001")
    assert (agent.tenant, agent.name, agent.team and agent.team.name) == (story, "新人甲", "客服组")
    assert agent.sip_account is not None and len(agent.sip_account.secret) == 24
    assert {row.skill.code: row.proficiency for row in agent.agent_skills.all()} == {"lang:zh": 5, "network": 3}
    assert {queue.code for queue in agent.queues.all()} == {"sales", "service"}
    assert current_version() > before, "the engine is told"


def test_the_try_changes_nothing(admin_page: Client) -> None:
    accounts, version = SipAccount.objects.count(), current_version()
    brought_in(admin_page, Agent, "number,name,device_kind\n2001,x,browser\n", confirm=False)
    assert not Agent.objects.filter(number="2001").exists()
    assert (SipAccount.objects.count(), current_version()) == (accounts, version)


@pytest.mark.parametrize(
    ("model", "text", "reason"),
    [
        (Agent, "number,name\n20x1,x\n", "2 to 8 digits"),
        (Agent, "number,name,queues\n2001,x,nowhere\n", "There is no queue “nowhere”"),
        (Agent, "number,name,skills\n2001,x,lang:zh=9\n", "is not like lang:zh=5"),
        (Agent, "number,name,user\n2001,x,stranger\n", "There is no"),
        (
            Agent,
            "number,enabled\n1009,0\n1010,0\n1008,0\n1011,0\n1012,0\n",
            "no enabled agent serves",
        ),
        (Agent, "number,nmae\n2001,x\n", "Unknown columns: nmae"),
        (Agent, "number,name,queues\n2001,x,sales=0\n", "is not like support=2/1/9"),
        (Queue, "code,name,priority\nvip,贵宾,12\n", "9"),
        (Queue, "code,name,strategy\nvip,贵宾,best\n", "best"),
        (Queue, "code,needs\nsales,network=6\n", "is not like network=3"),
        (Queue, "code,needs\nsales,juggling\n", "There is no skill “juggling”"),
        (Queue, "code,needs\nsales,network=3\n", "none of its agents has all"),
        (Queue, "code,relaxed\nsupport,60s:-network 30s:tier=2\n", "order of time"),
        (Queue, "code,relaxed\nsupport,20s\n", "is not like 20s:network=2"),
        (Queue, "code,relaxed\nsupport,20s:network=4\n", "more would be asked"),
        (Queue, "code,overflow_kind,overflow_queue\nservice,queue,sales\n", "in a circle"),
        (Did, "number,switch,flow\n123;rm,demo,hotline\n", "Digits"),
        (Disposition, "code,name\nNot A Code,x\n", "Small letters"),
        (Calendar, "calendar,date,opens,closes\nmain,2026-10-01,09:00,12:00\n", "as both"),
        (Calendar, "calendar,date,opens,closes\nmain,2026-10-10,08:00,10:00\n", "overlap"),
    ],
)
def test_one_bad_row_keeps_the_whole_list_out_and_says_why(
    story: Tenant, admin_page: Client, model: Any, text: str, reason: str
) -> None:
    before = list(model.objects.order_by("pk").values())
    days = CalendarDay.objects.count()
    assert reason in brought_in(admin_page, model, text)
    assert list(model.objects.order_by("pk").values()) == before and CalendarDay.objects.count() == days


def test_another_tenant_neither_gives_nor_gets(story: Tenant, other_tenant: Tenant) -> None:
    theirs = signed_in("otheradmin")
    for model in LISTS:
        assert taken_out(theirs, model) == [], model
    brought_in(theirs, Skill, "code,name\nlang:zh,Ours\n")
    assert Skill.objects.get(tenant=story, code="lang:zh").name == "普通话"
    assert Skill.objects.get(tenant=other_tenant, code="lang:zh").name == "Ours"
    assert "There is no" in brought_in(theirs, Agent, "number,name,user\n2001,x,wangfang\n")
    assert "There is no queue" in brought_in(theirs, Agent, "number,name,device_kind,queues\n2001,x,pstn,sales\n") or (
        not Agent.objects.filter(number="2001").exists()
    )


def test_a_superuser_takes_out_and_brings_nothing_in(story: Tenant, root_page: Client) -> None:
    assert taken_out(root_page, Skill)
    assert root_page.get(page(Skill, "import")).status_code == 403


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_list_comes_in_whatever_encoding_it_has(admin_page: Client, encoding: str) -> None:
    brought_in(admin_page, Disposition, "code,name\nrefund,退款\n".encode(encoding))
    assert Disposition.objects.get(code="refund").name == "退款"


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"\xff\xfe\x00\xd8", b'code,name\n"unclosed', b"a" * 200_000])
def test_a_file_that_is_no_list_is_answered(admin_page: Client, data: bytes) -> None:
    before = Disposition.objects.count()
    brought_in(admin_page, Disposition, data)
    assert Disposition.objects.count() == before


def test_a_name_that_looks_like_a_formula_is_none_when_taken_out(story: Tenant, admin_page: Client) -> None:
    Disposition.objects.create(tenant=story, code="x", name="=HYPERLINK(1)")
    assert "HYPERLINK(1)" in [row["name"] for row in taken_out(admin_page, Disposition)]


def test_text_is_decoded_as_what_it_is() -> None:
    assert decoded("退款".encode("gb18030")) == decoded("退款".encode("utf-8-sig")) == "退款"


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Agent, Queue], ids=["agents", "queues"])
def test_a_long_list_is_taken_out_with_as_many_queries_as_a_short_one(admin_page: Client, model: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            taken_out(admin_page, model)
        return len(queries)

    taken_out(admin_page, model)  # content types and the like are looked up once
    before = asked()
    tenant, skill = Tenant.objects.get(code="cloudbridge"), Skill.objects.order_by("pk")[0]
    for number in range(5):
        if model is Agent:
            agent = Agent.objects.create(tenant=tenant, number=f"77{number}", name="x")
            AgentSkill.objects.create(agent=agent, skill=skill)
            QueueMembership.objects.create(agent=agent, queue=Queue.objects.filter(tenant=tenant)[0])
        else:
            queue = Queue.objects.create(tenant=tenant, code=f"q{number}", name="x")
            QueueSkill.objects.create(queue=queue, skill=skill)
    assert asked() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "rows", "why"),
    [
        (Agent, "number,name,enabled\n{only},x,0\n", "没有已启用"),
        (Agent, "number,name,calls_at_once\n{only},x,0\n", "没有已启用"),
        (Agent, "number,name,queues\n{only},x,\n", "没有已启用"),
        (Agent, "number,name,skills\n{only},x,\n", "lang:zh 1"),
        (Queue, "code,name,needs\nsales,x,network=5\n", "network 5"),
        (Queue, "code,name,needs,relaxed\nsales,x,network=1,30s:network=3\n", "30 s"),
        (Queue, "code,name,tier_wait_s\nsales,x,20\n", "第一"),
        (Queue, "code,name,overflow_kind,overflow_queue\nsales,x,queue,sales\n", "x → x"),
        (Queue, "code,name,overflow_kind,overflow_queue\nsales,x,queue,service\nservice,y,queue,sales\n", "→"),
        (Queue, "code,name,closed_kind,closed_queue\nsales,x,queue,sales\n", "x → x"),
    ],
)
def test_a_list_brings_nothing_that_can_never_work(story: Tenant, model: Any, rows: str, why: str) -> None:
    """Each kind, tried and imported past the try: the reason is told and nothing has changed."""
    sales, only = Queue.objects.get(code="sales"), Agent.objects.get(number="1002")
    sales.memberships.exclude(agent=only).delete()
    before = (current_version(), problems_of(story.pk))
    told = brought_in(signed_in("admin", "zh-hans"), model, rows.format(only=only.number), confirm=False)
    assert why in told, told[-3000:]
    assert (current_version(), problems_of(story.pk)) == before
    resource = admin.site._registry[model].resource_classes[0](tenant=story)  # type: ignore[attr-defined]
    result = resource.import_data(Dataset().load(rows.format(only=only.number), format="csv"), dry_run=False)
    assert result.has_errors() or result.has_validation_errors()
    assert (current_version(), problems_of(story.pk)) == before


def workbook(*cells: tuple[int, int, Any]) -> bytes:
    book = openpyxl.Workbook()
    for row, column, value in cells:
        book.active.cell(row, column, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_small_workbook_that_says_it_is_huge_is_read_as_what_it_holds() -> None:
    """As import-export reads it, its empty cells alone would fill the memory of any machine."""
    headings = ((1, 1, "code"), (1, 2, "name"))
    with pytest.raises(ValidationError, match="60"):
        AnyXlsx().create_dataset(workbook(*headings, (1_048_576, 16_384, "x")))
    with pytest.raises(ValidationError, match="5000"):
        AnyXlsx().create_dataset(workbook(*headings, (1_048_576, 1, "x")))
    with pytest.raises(ValidationError):
        AnyXlsx().create_dataset(b"PK\x03\x04 no workbook")
    found = AnyXlsx().create_dataset(workbook(*headings, (2, 1, "billing"), (4, 1, 7), (4, 2, True)))
    assert found.dict == [{"code": "billing", "name": ""}, {"code": "7", "name": "1"}]
