"""What a line of the log holds, and what it never holds."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog
from django.test import Client

from apps.accounts.models import Tenant, User
from apps.config.logs import logging_config
from apps.config.masking import mask, masked_number, masked_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call from 13955501100 refused", "call from 139****1100 refused"),
        ("+8613955501100", "+86****1100"),
        ("postgresql://me:hunter2@db/trunkline", "postgresql://me:***@db/trunkline"),
        ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer ***"),
        ("agent 1001 at k7f3q-c12 after 1790000000000x", "agent 1001 at k7f3q-c12 after 1790000000000x"),
    ],
)
def test_free_text_is_masked(text: str, shown: str) -> None:
    assert masked_text(text) == shown


def test_fields_are_masked_by_their_name_at_any_depth() -> None:
    line = {
        "event": "x", "password": "hunter2", "engine_token": "t", "caller_number": "13955501100", "number": "1001",
        "data": {"api_key": "k", "callers": [{"number": "13955501100"}]}, "duration_ms": 12345678,
    }  # fmt: skip
    assert mask(None, "", line) == {
        "event": "x", "password": "***", "engine_token": "***", "caller_number": "139****1100", "number": "1001",
        "data": {"api_key": "***", "callers": [{"number": "139****1100"}]}, "duration_ms": 12345678,
    }  # fmt: skip


def test_a_number_keeps_both_ends_only() -> None:
    assert re.fullmatch(r"\d{3}\*{4}\d{4}", masked_number("13955501100"))
    assert masked_number("1234567") == "****567"


@pytest.fixture
def lines(settings: object) -> io.StringIO:
    """The process's log as it would be written in production."""
    stream = io.StringIO()
    logging_config("INFO", "json")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    logging_config("WARNING", "console")


def written(lines: io.StringIO, event: str) -> list[dict[str, object]]:
    parsed = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [line for line in parsed if line["event"] == event]


@pytest.mark.django_db
def test_each_request_is_a_line_with_who_and_how_long(story: Tenant, lines: io.StringIO) -> None:
    user = User.objects.get(username="admin")
    client = Client()
    client.force_login(user)
    answer = client.get("/admin/?q=13955501100", headers={"x-request-id": "from-the-proxy-1"})
    (line,) = written(lines, "request")
    assert answer["X-Request-ID"] == line["request_id"] == "from-the-proxy-1"
    assert (line["user"], line["tenant"], line["status"], line["path"]) == (user.pk, story.pk, 200, "/admin/")
    assert line["duration_ms"] > 0 and line["logger"] == "access" and line["level"] == "info"
    assert "13955501100" not in lines.getvalue()


@pytest.mark.django_db
def test_a_hostile_request_id_is_replaced(lines: io.StringIO) -> None:
    answer = Client().get("/nowhere/", headers={"x-request-id": 'a"}\n{"event": "forged"}'})
    assert re.fullmatch(r"[0-9a-f]{16}", answer["X-Request-ID"])
    assert not written(lines, "forged")


@pytest.mark.django_db
def test_health_is_not_logged(lines: io.StringIO) -> None:
    Client().get("/health/live")
    assert not written(lines, "request")


def test_libraries_write_the_same_lines(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("dialled %s", "13955501100")
    structlog.get_logger("ours").warning("dialled", number="13955501100")
    both = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["logger"], line["level"]) for line in both] == [("some.library", "warning"), ("ours", "warning")]
    assert "13955501100" not in lines.getvalue()
