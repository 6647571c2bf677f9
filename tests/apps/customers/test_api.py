"""Customers over REST: each address for those who may, for those who may not, and for another tenant."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import Tenant
from apps.agents.models import Agent, Disposition
from apps.calls.models import Call, CallDisposition
from apps.customers.models import CallLink, Customer, Note
from apps.customers.services import add_note, link_call
from apps.recordings.models import Recording
from tests.apps.customers.conftest import V1, Asker, names

Ask = Callable[..., Asker]
Centre = dict[str, Any]
AT = datetime.datetime(2026, 11, 22, 9, 0, tzinfo=datetime.UTC)


def problem(response: Any, status: int, code: str) -> Any:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json"), response.content
    assert response.json()["code"] == code, response.content
    return response.json()


# --- who may ---------------------------------------------------------------------------------------------------------

ADDRESSES = [
    ("GET", "", None, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("POST", "", {"name": "新"}, {"agent": 201, "supervisor": 201, "admin": 201, "integrator": 201}),
    ("GET", "/{pk}", None, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("PATCH", "/{pk}", {"remark": "x"}, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("DELETE", "/{pk}", None, {"agent": 403, "supervisor": 403, "admin": 204, "integrator": 403}),
    ("GET", "/{pk}/timeline", None, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("POST", "/{pk}/notes", {"text": "x"}, {"agent": 201, "supervisor": 201, "admin": 201, "integrator": 201}),
    ("POST", "/{pk}/calls", {"call": "c1"}, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("POST", "/{pk}/merge", {"other": "{li}"}, {"agent": 403, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("POST", "/{pk}/erase", None, {"agent": 403, "supervisor": 403, "admin": 200, "integrator": 403}),
    ("GET", "/match?number=13955501100", None, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("GET", "/tags", None, {"agent": 200, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("GET", "/export", None, {"agent": 403, "supervisor": 200, "admin": 200, "integrator": 200}),
    ("GET", "/imports", None, {"agent": 403, "supervisor": 200, "admin": 200, "integrator": 200}),
]


def filled(path: str, data: Any, centre: Centre) -> tuple[str, Any]:
    if data and data.get("other"):
        data = {"other": centre["li"].pk}
    return path.format(pk=centre["wang"].pk), data


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin", "integrator"])
@pytest.mark.parametrize(("method", "path", "data", "expected"), ADDRESSES, ids=lambda item: str(item)[:24])
def test_each_role(
    ask: Ask, centre: Centre, method: str, path: str, data: Any, expected: dict[str, int], role: str
) -> None:
    path, data = filled(path, data, centre)
    response = ask(f"{role}-a").ask(method, path, data)
    assert response.status_code == expected[role], response.content
    if expected[role] == 403:
        problem(response, 403, "permission_denied")


@pytest.mark.parametrize(("method", "path", "data", "expected"), ADDRESSES, ids=lambda item: str(item)[:24])
def test_another_tenant_and_a_stranger(
    ask: Ask, centre: Centre, method: str, path: str, data: Any, expected: dict[str, int]
) -> None:
    path, data = filled(path, data, centre)
    stranger = Client().generic(method, V1 + path, b"{}", "application/json")
    problem(stranger, 401, "not_authenticated")
    before = Customer.objects.values_list("pk", "version", "removed_at")
    was = list(before)
    response = ask("admin-b").ask(method, path, data)
    if "/{pk}" in path or str(centre["wang"].pk) in path:
        problem(response, 404, "not_found")
    else:
        assert "王芳" not in b"".join(response).decode() if response.streaming else True
        assert "王芳" not in (response.content.decode() if not response.streaming else "")
    assert [row for row in before.all() if row in was] == was


def test_a_customer_cannot_be_merged_with_another_tenants(ask: Ask, centre: Centre) -> None:
    theirs = Customer.objects.create(tenant=centre["b"], name="别家")
    problem(ask("admin-a").ask("POST", f"/{centre['wang'].pk}/merge", {"other": theirs.pk}), 404, "not_found")
    owner = {"owner": centre["b"].user_set.first().pk}
    problem(ask("admin-a").ask("PATCH", f"/{centre['wang'].pk}", owner), 400, "invalid")


# --- rows ------------------------------------------------------------------------------------------------------------


def test_a_customer_is_made_with_numbers_in_any_form(ask: Ask, centre: Centre) -> None:
    data = {
        "name": " 张\u200b  敏 ", "numbers": [{"number": "021-55550111转8012"}, {"number": "013955501199"}],
        "tags": ["续费", "新"], "language": "zh-hans", "email": "z@example.com",
    }  # fmt: skip
    made = ask("agent-a").ask("POST", "", data)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert shown["name"] == "张 敏" and set(shown["tags"]) == {"续费", "新"}
    assert [(row["number"], row["extension"], row["label"], row["shown"]) for row in shown["numbers"]] == [
        ("+862155550111", "8012", "work", "021 5555 0111"),
        ("+8613955501199", "", "mobile", "139 5550 1199"),
    ]
    assert Customer.objects.get(pk=shown["id"]).numbers.first().as_written == "021-55550111转8012"  # type: ignore[union-attr]
    assert "新" in ask("agent-a").get("/tags").json()


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "\u200b"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "x", "numbers": [{"number": "one"}]}, "/numbers/0/number"),
        ({"name": "x", "numbers": [{"number": "1" * 65}]}, "/numbers/0/number"),
        ({"name": "x", "email": "nope"}, "/email"),
        ({"name": "x", "level": "king"}, "/level"),
        ({"name": "x", "tags": ["t" * 41]}, "/tags/0"),
        ({"name": "x", "owner": 999_999}, "/owner"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(ask: Ask, data: Any, pointer: str) -> None:
    response = ask("agent-a").ask("POST", "", data)
    assert response.status_code in (400, 409), response.content
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_two_editors_do_not_overwrite_each_other(ask: Ask, centre: Centre) -> None:
    path, asker = f"/{centre['wang'].pk}", ask("agent-a")
    seen = asker.get(path)["ETag"]
    changed = asker.ask("PATCH", path, {"numbers": []}, if_match=seen)
    assert changed.status_code == 200 and changed["ETag"] != seen
    problem(asker.ask("PATCH", path, {"name": "late"}, if_match=seen), 412, "changed_meanwhile")
    assert Customer.objects.get(pk=centre["wang"].pk).name == "王芳"
    taken = asker.ask("PATCH", f"/{centre['li'].pk}", {"external_id": "C1"})
    assert problem(taken, 409, "external_id_taken")["errors"][0]["pointer"] == "/external_id"


def test_lists_are_searched_and_paged(ask: Ask, centre: Centre) -> None:
    asker = ask("agent-a")
    assert names(asker.get("?q=远山")) == ["王芳"]
    assert set(names(asker.get("?q=0100"))) == {"王芳", "李伟"}
    assert names(asker.get("?tag=续费")) == names(asker.get("?level=vip")) == ["王芳"]
    assert names(asker.get("?mine=true")) == []
    first = asker.get("?limit=1").json()
    assert len(first["results"]) == 1 and first["next"]
    problem(asker.get("?cursor=x"), 400, "bad_cursor")
    problem(asker.get("?unknown=1"), 400, "invalid")


def test_whose_call_it_is(ask: Ask, centre: Centre) -> None:
    asker = ask("agent-a")
    one = asker.get("/match?number=913955501100").json()
    assert (one["result"], one["shown"], one["customers"][0]["level"]) == ("one", "139 5550 1100", "vip")
    several = asker.get("/match?number=02155550100&call=c1").json()
    assert (several["result"], len(several["customers"]), several["linked"]) == ("several", 2, False)
    assert asker.ask("POST", f"/{centre['li'].pk}/calls", {"call": "c1"}).status_code == 200
    chosen = asker.get("/match?number=02155550100&call=c1").json()
    assert (chosen["result"], chosen["linked"], chosen["customers"][0]["name"]) == ("one", True, "李伟")
    assert asker.get("/match?number=anonymous").json()["result"] == "withheld"
    new = asker.get("/match?number=13900000000").json()
    assert (new["result"], new["number"]) == ("none", "+8613900000000")
    problem(asker.ask("POST", f"/{centre['li'].pk}/calls", {"call": "../x"}), 400, "invalid")


def test_notes(ask: Ask, centre: Centre) -> None:
    path = f"/{centre['wang'].pk}/notes"
    note = ask("agent-a").ask("POST", path, {"text": "<b>x</b>\u202e\nzwei", "call": "c1"})
    assert note.status_code == 201 and note.json()["text"] == "<b>x</b>\nzwei"
    assert note.json()["mine"] and Note.objects.get().author_name == "agent-a"
    assert ask("agent-a").ask("POST", path, {"text": " \u200b "}).status_code in (400, 409)
    one = f"{path}/{note.json()['id']}"
    problem(ask("supervisor-a").ask("DELETE", one), 403, "permission_denied")
    problem(ask("admin-b").ask("DELETE", one), 404, "not_found")
    assert ask("agent-a").ask("DELETE", one).status_code == 204
    problem(ask("agent-a").ask("DELETE", one), 404, "not_found")


def test_merging_keeps_everything(ask: Ask, centre: Centre) -> None:
    wang, li = centre["wang"], centre["li"]
    add_note(li, "from li", None)
    link_call(li, "c9", None)
    merged = ask("supervisor-a").ask("POST", f"/{wang.pk}/merge", {"other": li.pk}).json()
    assert [row["number"] for row in merged["numbers"]] == ["+8613955501100", "+862155550100"]
    assert Note.objects.get().customer == wang and CallLink.objects.get().customer == wang
    assert names(ask("agent-a").get("")) == ["王芳"]
    problem(ask("agent-a").get(f"/{li.pk}"), 404, "not_found")
    problem(ask("supervisor-a").ask("POST", f"/{wang.pk}/merge", {"other": wang.pk}), 409, "cannot_merge")


def test_erasing_leaves_nothing_of_the_person(ask: Ask, centre: Centre) -> None:
    wang = centre["wang"]
    add_note(wang, "secret", None)
    link_call(wang, "c1", None)
    assert ask("admin-a").ask("POST", f"/{wang.pk}/erase").status_code == 200
    row = Customer.objects.get(pk=wang.pk)
    assert (row.name, row.company, row.external_id, row.level) == ("—", "", "", "standard")
    assert row.erased_at and row.removed_at and not row.numbers.exists() and not row.tags.exists()
    assert not Note.objects.exists() and CallLink.objects.get().customer == wang
    assert names(ask("admin-a").get("")) == ["李伟"]


# --- contacts --------------------------------------------------------------------------------------------------------


def call(tenant: Tenant, call_id: str, minutes: int, number: str = "013955501100", **fields: Any) -> Call:
    start = AT + datetime.timedelta(minutes=minutes)
    values = {"ended_at": start, "outcome": "served", **fields}
    return Call.objects.create(id=call_id, tenant=tenant, started_at=start, caller_number=number, did="4001", **values)


@pytest.fixture
def contacts(centre: Centre) -> Centre:
    a = centre["a"]
    agent = Agent.objects.create(tenant=a, name="陈静", number="1001")
    Disposition.objects.create(tenant=a, code="done", name="已解决")
    call(a, "in", 1, last_agent=agent, talk_ms=61_000)
    call(a, "missed", 2, "+8613955501100", outcome="abandoned")
    call(a, "out", 3, "8613955501100", direction="outbound")
    call(a, "home", 4, "02155550100")
    call(a, "home-of-li", 5, "02155550100")
    call(a, "borrowed-phone", 6, "13700000000")
    call(a, "somebody-else", 7, "13700000001")
    call(centre["b"], "other-tenant", 8)
    link_call(centre["li"], "home-of-li", None)
    link_call(centre["wang"], "borrowed-phone", None)
    CallDisposition.objects.create(
        call_id="in", tenant=a, agent=agent, at=AT, epoch="e", seq=1, disposition="done", note="账单", wrap_up_ms=1
    )
    Recording.objects.create(id="rec", call_id="in", tenant=a, leg_id="l", path="x.wav", asked_at=AT, status="done")
    note = add_note(centre["wang"], "回电", None)
    Note.objects.filter(pk=note.pk).update(created_at=AT + datetime.timedelta(minutes=2, seconds=30))
    return centre


def test_the_contacts_of_a_customer(ask: Ask, contacts: Centre) -> None:
    shown = ask("supervisor-a").get(f"/{contacts['wang'].pk}/timeline").json()["results"]
    assert [row["id"] for row in shown if row["kind"] == "call"] == ["borrowed-phone", "home", "out", "missed", "in"]
    assert shown[3]["kind"] == "note" and shown[3]["text"] == "回电"
    assert [row["missed"] for row in shown] == [False, False, False, False, True, False]
    served = shown[-1]
    assert (served["agent"], served["disposition"], served["text"], served["talk_ms"]) == (
        "陈静", "已解决", "账单", 61_000,
    )  # fmt: skip
    assert [row["id"] for row in served["recordings"]] == ["rec"]
    assert shown[0]["linked"] and not shown[1]["linked"]
    of_li = ask("agent-a").get(f"/{contacts['li'].pk}/timeline").json()["results"]
    assert [row["id"] for row in of_li] == ["home-of-li", "home"]


def test_an_agent_sees_that_there_was_a_call_but_not_its_recording(ask: Ask, contacts: Centre) -> None:
    shown = ask("agent-a").get(f"/{contacts['wang'].pk}/timeline").json()["results"]
    assert all(row["recordings"] == [] for row in shown)


def test_contacts_come_in_pages_without_gap_or_repeat(ask: Ask, contacts: Centre) -> None:
    with connection.cursor() as cursor:  # 98, 99, 100 …: as numbers, not as texts
        cursor.execute("SELECT setval(pg_get_serial_sequence('customers_note', 'id'), 97)")
    for index in range(5):  # of one moment
        call(contacts["a"], f"same-{index}", 20)
        note = add_note(contacts["wang"], f"same {index}", None)
        Note.objects.filter(pk=note.pk).update(created_at=AT + datetime.timedelta(minutes=20))
    asker, path = ask("agent-a"), f"/{contacts['wang'].pk}/timeline"
    whole = [(row["kind"], row["id"]) for row in asker.get(path).json()["results"]]
    assert len(whole) == 16
    paged, following = [], f"{V1}{path}?limit=3"
    while following:
        page = asker.client.get(following).json()
        paged += [(row["kind"], row["id"]) for row in page["results"]]
        following = page["next"]
    assert paged == whole
    problem(asker.get(f"{path}?cursor=abc"), 400, "bad_cursor")
    of_others = asker.get(f"{path}?limit=1").json()["next"].split("cursor=")[1]
    problem(asker.get(f"/{contacts['li'].pk}/timeline?cursor={of_others}"), 400, "bad_cursor")


def test_an_export_is_safe_to_open_and_comes_back(ask: Ask, centre: Centre) -> None:
    Customer.objects.filter(pk=centre["li"].pk).update(name="=cmd|'/C calc'!A0", remark="+1")
    response = ask("admin-a", "zh-hans").get("/export")
    text = b"".join(response).decode("utf-8-sig")
    assert response["Content-Disposition"].startswith("attachment")
    assert "'=cmd|" in text and "\n=cmd" not in text and ",'+1" in text and "'+8613955501100" in text
    again = ask("admin-a").upload(text.encode("utf-8-sig"))
    assert again.status_code == 201 and "" not in again.json()["mapping"], again.content
