"""Health says what is wrong, at once, and takes the web away only when it cannot serve people."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.operations import health, heartbeat, tasks, web_metrics

pytestmark = pytest.mark.django_db(transaction=True)


class Engine(http.server.BaseHTTPRequestHandler):
    """What the engine's door answers; ``body`` and ``delay_s`` are set by the test."""

    body: dict[str, Any]
    delay_s = 0.0

    def do_GET(self) -> None:
        time.sleep(self.delay_s)
        self.send_response(200 if self.body["status"] != "down" else 503)
        self.end_headers()
        self.wfile.write(json.dumps(self.body).encode())

    def log_message(self, *_args: object) -> None:
        pass


WELL = {"status": "ok", "links": {"1": True}, "closed_for": [], "recorder": {"trouble": ""}, "journal": {"depth": 0}}


@pytest.fixture
def engine(settings: Any, redis_url: str, tmp_path: Path) -> Iterator[type[Engine]]:
    handler = type("Handler", (Engine,), {"body": WELL})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ENGINE_URL = f"http://127.0.0.1:{server.server_port}"
    settings.RECORDINGS_DIR, settings.RECORDINGS_FREE_MB = tmp_path, 1
    tasks.heartbeat()
    yield handler
    server.shutdown()
    server.server_close()


def ready() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/health/ready")
    return answer.status_code, answer.json()


def test_all_well(engine: type[Engine]) -> None:
    assert ready() == (
        200,
        {"status": "ok", "parts": {name: {"status": "ok", "detail": ""} for name in health.CHECKS}},
    )


def test_without_redis_it_is_degraded_only(engine: type[Engine], settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    status, data = ready()
    assert (status, data["status"]) == (200, "degraded")
    assert data["parts"]["redis"]["status"] == data["parts"]["background"]["status"] == "degraded"
    assert data["parts"]["database"]["status"] == data["parts"]["engine"]["status"] == "ok"


def test_without_an_engine_pages_stay(engine: type[Engine], settings: Any) -> None:
    settings.ENGINE_URL = "http://127.0.0.1:1"
    assert ready()[0] == 200 and ready()[1]["parts"]["engine"] == {"status": "degraded", "detail": "URLError"}


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"SSH-2.0-nothing\r\n"])
def test_an_engine_that_dies_in_the_middle_of_its_answer_is_away(
    engine: type[Engine], settings: Any, said: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.ENGINE_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

        def answer() -> None:
            peer, _address = server.accept()
            peer.recv(1000)
            peer.sendall(said)
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
        assert ready()[1]["parts"]["engine"] == {"status": "degraded", "detail": "OSError"}


def test_the_engine_s_own_words_are_passed_on(engine: type[Engine]) -> None:
    engine.body = {**WELL, "status": "down", "links": {"1": False}, "closed_for": ["disk"]}
    part = ready()[1]["parts"]["engine"]
    assert part == {"status": "degraded", "detail": "takes no calls: disk; switch 1 not reached"}


def test_an_engine_that_hangs_does_not_hang_the_answer(engine: type[Engine]) -> None:
    engine.delay_s = 20.0
    started = time.monotonic()
    status, data = ready()
    assert time.monotonic() - started < health.PATIENCE_S + 1.5
    assert status == 200 and data["parts"]["engine"]["status"] == "degraded"


def test_without_the_database_it_is_down(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.CHECKS, "database", _no_database)
    assert ready()[0] == 503
    assert Client().get("/health/live").status_code == 200


def _no_database() -> health.Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM a_table_that_is_not_there")
    raise AssertionError


def test_background_work_that_stands_still_is_noticed(engine: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(heartbeat.time, "time", lambda: now + 1000)
    assert ready()[1]["parts"]["background"]["detail"].startswith("worker or beat silent for 10")


def test_a_full_disk_is_an_alarm(engine: type[Engine], settings: Any) -> None:
    settings.RECORDINGS_FREE_MB = 1 << 40
    assert "MB free" in ready()[1]["parts"]["recordings_disk"]["detail"]


def test_metrics_need_their_token(engine: type[Engine], settings: Any) -> None:
    assert Client().get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "sesame"
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    page = Client().get("/metrics", headers={"authorization": "Bearer sesame"})
    text = page.content.decode()
    assert page.status_code == 200
    assert 'trunkline_health{part="engine"} 1.0' in text
    assert 'trunkline_web_requests_total{method="GET",status="401",view="metrics"}' in text


def test_of_several_engines_the_leader_is_asked_and_a_standby_missed(engine: type[Engine], settings: Any) -> None:
    other = type("Other", (Engine,), {"body": {"status": "ok", "role": "standing_by", "following": True}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    leading = settings.ENGINE_URL
    settings.ENGINE_URL = f"http://127.0.0.1:{server.server_port},{leading}"
    engine.body = {**WELL, "role": "leading", "standbys": ["1"]}
    assert ready()[1]["parts"]["engine"] == {"status": "ok", "detail": ""}
    engine.body = {**WELL, "role": "leading", "standbys": []}
    assert ready()[1]["parts"]["engine"] == {"status": "degraded", "detail": "1 of the engines not standing by"}
    engine.body = {**WELL, "role": "unsure", "standbys": ["1"]}
    assert ready()[1]["parts"]["engine"]["detail"].startswith("the engine that led does not know")
    settings.ENGINE_URL = f"http://127.0.0.1:{server.server_port},http://127.0.0.1:1"
    assert ready()[1]["parts"]["engine"] == {"status": "degraded", "detail": "no engine leads"}
    server.shutdown()
    server.server_close()


def test_a_method_that_somebody_made_up_makes_no_figure_of_its_own(client: Client) -> None:
    client.generic("BREW", "/health/live")
    text = web_metrics.page().decode()
    assert 'method="other"' in text and "BREW" not in text
