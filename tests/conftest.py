"""Django for the tests, on the environment's PostgreSQL and Redis or on private ones, started when first needed.

Tests of the core and of drivers need no database and start none: only the addresses are fixed beforehand. Under xdist
every worker has its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.test import TransactionTestCase

from apps.demo.services import PrivatePostgres, PrivateRedis

_HOME = Path(tempfile.mkdtemp(prefix="trunkline-test-"))
_HOME.chmod(0o755)  # the services run as somebody else when we are root


def _given(name: str) -> str:
    """What was in the environment before us. A worker of xdist inherits what its parent has written over it."""
    return os.environ.setdefault(f"TESTS_WERE_GIVEN_{name}", os.environ.get(name, ""))


_POSTGRES = None if _given("DATABASE_URL") else PrivatePostgres(_HOME / "postgres")
_REDIS = None if _given("REDIS_URL") else PrivateRedis(_HOME / "redis")


def _set_up_django() -> None:
    """Now, not in ``pytest_configure``: conftests in folders below import models."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "apps.config.settings"
    os.environ.update(STATE_DIR=str(_HOME / "state"), RECORDINGS_DIR=str(_HOME / "recordings"), DEBUG="false")
    os.environ.update(SECURE_COOKIES="false", LOG_FORMAT="console", LOG_LEVEL="WARNING", UI_LANGUAGE="zh-hans")
    if _POSTGRES is not None:
        os.environ["DATABASE_URL"] = _POSTGRES.url
    if _REDIS is not None:
        os.environ["REDIS_URL"] = _REDIS.url
    django.setup()
    admin.autodiscover()  # as the web does: tests go through the pages while they are collected
    # A worker of xdist that inherited this would have its settings read before it gets here.
    del os.environ["DJANGO_SETTINGS_MODULE"]


_set_up_django()


def pytest_unconfigure(config: pytest.Config) -> None:
    for service in (_POSTGRES, _REDIS):
        if service is not None:
            service.stop()
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A running PostgreSQL."""
    if _POSTGRES is not None and _POSTGRES.process is None:
        _POSTGRES.start()
    return os.environ["DATABASE_URL"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A running Redis."""
    if _REDIS is not None and _REDIS.process is None:
        _REDIS.start()
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres_url: str) -> Iterator[None]:
    """pytest-django asks for this before it makes the test database."""
    yield


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """A private server goes as a whole: PostgreSQL would wait for sessions to end before it drops the database."""
    return _POSTGRES is not None


MADE_BY_MIGRATE = {"django_content_type", "auth_permission"}


def _empty_tables(case: TransactionTestCase) -> None:
    """What Django's flush does after a test that commits, in a tenth of its second.

    That truncates all of a hundred tables, most of them empty, and makes content types and permissions anew.
    """
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    having = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in sorted(tables - MADE_BY_MIGRATE)
    )
    with transaction.atomic(), connection.cursor() as cursor:  # references are looked at when all is gone
        cursor.execute(having)
        for (table,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{table}"')


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]
