"""Imports over REST, from the file to the report, for those who may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction
from django.test import Client

from apps.customers.imports import limits, running
from apps.customers.models import Customer, ImportJob
from tests.apps.customers.conftest import V1, Asker
from tests.apps.customers.files import HEADINGS, ROWS, csv_bytes
from tests.apps.customers.test_api import problem

Ask = Callable[..., Asker]
FILE = csv_bytes([HEADINGS, *ROWS, ("", "坏", "", "不是号码", "", "", "", "", "")], "gb18030")


@pytest.fixture(autouse=True)
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No worker in these tests: what it would be told is here."""
    told: list[int] = []
    monkeypatch.setattr(running, "nudge", lambda job_id: told.append(job_id) or True)
    return told


@pytest.fixture
def job(ask: Ask) -> dict[str, Any]:
    made = ask("supervisor-a").upload(FILE, "客户 名单.csv")
    assert made.status_code == 201, made.content
    data: dict[str, Any] = made.json()
    return data


def test_from_the_file_to_the_report(
    ask: Ask, job: dict[str, Any], nudged: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    asker, path = ask("supervisor-a"), f"/imports/{job['id']}"
    assert (job["status"], job["encoding"], job["rows_total"]) == ("draft", "gb18030", 4)
    assert job["headers"] == list(HEADINGS)
    assert job["mapping"] == ["external_id", "name", "company", "mobile", "work", "email", "level", "tags", "remark"]
    shown = asker.get(f"{path}/preview").json()
    assert [row["result"] for row in shown] == ["updated", "created", "created", "refused"], "王芳 is on file as C1"
    assert shown[3]["faults"] == [{"column": "手机", "reason": "Not a telephone number."}]
    with django_capture_on_commit_callbacks(execute=True):
        started = asker.ask("POST", f"{path}/start")
    assert (started.status_code, started.json()["status"], nudged) == (202, "queued", [job["id"]])
    problem(asker.ask("POST", f"{path}/start"), 409, "not_draft")  # a double click
    running.run(job["id"])
    done = asker.get(path).json()
    assert (done["status"], done["rows_done"], done["failed_count"]) == ("done", 4, 1)
    assert asker.get(f"{path}/faults").json()[0]["row"] == 5
    report = b"".join(ask("supervisor-a", "zh-hans").get(f"{path}/report")).decode("utf-8-sig")
    assert report.splitlines()[1] == "5,手机,不是号码,不是电话号码。"


def test_columns_and_reading_can_be_corrected(ask: Ask, job: dict[str, Any]) -> None:
    asker, path = ask("supervisor-a"), f"/imports/{job['id']}"
    mapping = ["", "name", "", "number", "", "", "", "", ""]
    changed = asker.ask("PATCH", path, {"mapping": mapping, "tags": [" 展会 "], "update_existing": False}).json()
    assert (changed["mapping"], changed["tags"], changed["update_existing"]) == (mapping, ["展会"], False)
    again = asker.ask("PATCH", path, {"has_headings": False}).json()
    assert again["headers"][:2] == ["A", "B"] and again["rows_total"] == 5
    assert asker.ask("PATCH", path, {"delimiter": "|"}).json()["headers"] == [",".join(HEADINGS)]
    for wrong, code in (([""] * 3, "bad_mapping"), (["", "", "x"], "invalid")):
        assert asker.ask("PATCH", path, {"mapping": wrong}).json()["code"] == code
    asker.ask("PATCH", path, {"delimiter": ",", "has_headings": True, "mapping": ["", "name", *[""] * 7]})
    problem(asker.ask("POST", f"{path}/start"), 422, "no_key_column")
    asker.ask("PATCH", path, {"mapping": ["name", "name", "", "number", *[""] * 5]})
    problem(asker.ask("POST", f"{path}/start"), 422, "field_twice")


def test_an_import_that_no_worker_takes_says_so(ask: Ask, job: dict[str, Any]) -> None:
    import datetime

    from django.utils import timezone

    asker, path = ask("supervisor-a"), f"/imports/{job['id']}"
    asker.ask("POST", f"{path}/start")
    assert asker.get(path).json()["waiting"] is False
    ImportJob.objects.update(seen_at=timezone.now() - datetime.timedelta(seconds=20))
    assert asker.get(path).json()["waiting"] is True
    cancelled = asker.ask("POST", f"{path}/cancel").json()
    assert (cancelled["status"], cancelled["waiting"]) == ("cancelled", False)
    assert asker.ask("POST", f"{path}/cancel").status_code == 200
    assert Customer.objects.count() == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("PATCH", ""), ("GET", "/preview"), ("POST", "/start"), ("POST", "/cancel"), ("GET", "/faults"),
        ("GET", "/report"),
    ],
)  # fmt: skip
def test_who_may(ask: Ask, job: dict[str, Any], method: str, path: str) -> None:
    path = f"/imports/{job['id']}{path}"
    problem(Client().generic(method, V1 + path, b"{}", "application/json"), 401, "not_authenticated")
    problem(ask("agent-a").ask(method, path, {}), 403, "permission_denied")
    problem(ask("admin-b").ask(method, path, {}), 404, "not_found")
    assert ask("admin-b").get("/imports").json()["results"] == []
    assert ImportJob.objects.get().status == "draft"


def test_an_agent_and_a_forged_page_cannot_upload(ask: Ask) -> None:
    problem(ask("agent-a").upload(FILE), 403, "permission_denied")
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = ask("admin-a").client.cookies
    problem(forged.post(f"{V1}/imports", {"file": SimpleUploadedFile("a.csv", FILE)}), 403, "csrf_failed")
    assert not ImportJob.objects.exists()


def test_hostile_uploads_end_in_words(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = ask("admin-a", "zh-hans")
    assert "空" in problem(asker.upload(b""), 422, "empty")["detail"]
    problem(asker.upload(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8, "x.csv"), 422, "not_text")
    problem(asker.client.post(f"{V1}/imports", {}), 400, "invalid")
    problem(asker.ask("POST", "/imports", {"file": "x"}), 400, "invalid")
    assert asker.upload(FILE, "../../\u202eetc/passwd\x00.csv").status_code in (201, 400)
    monkeypatch.setattr(limits, "MOST_BYTES", 100)
    assert "MB" in problem(asker.upload(FILE), 413, "too_large")["detail"]


@pytest.mark.django_db(transaction=True)
def test_what_is_started_meanwhile_is_not_made_a_draft_again(ask: Ask, job: dict[str, Any]) -> None:
    asker, answers = ask("supervisor-a"), []

    def change() -> None:
        answers.append(asker.ask("PATCH", f"/imports/{job['id']}", {"update_existing": False}))
        connections.close_all()

    changing = threading.Thread(target=change)
    with transaction.atomic():
        ImportJob.objects.filter(pk=job["id"]).update(status="queued")
        changing.start()
        wait_until_somebody_waits_for_us()
    changing.join(30)
    assert (answers[0].status_code, answers[0].json()["code"]) == (409, "not_draft")
    assert ImportJob.objects.get().status == "queued"


def wait_until_somebody_waits_for_us() -> None:
    deadline_s = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline_s:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")
