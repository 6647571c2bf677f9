from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from apps.demo.services import PrivatePostgres
from tests.engine.floor import Floor, database_url, manage
from tests.engine.rig import Host

_COPIES = count(1)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    running = Host(tmp_path / "journal")
    running.runner.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that these tests may stop and start again."""
    directory = Path(tempfile.mkdtemp(prefix="trunkline-engine-test-"))
    directory.chmod(0o755)  # the server runs as somebody else when we are root
    server = PrivatePostgres(directory / "postgres")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def story_database(own_postgres: PrivatePostgres) -> str:
    """A database with the story in it, to be copied for each test; its name."""
    url = database_url(own_postgres.url, "story")
    run_sql(own_postgres.url, "CREATE DATABASE story")
    manage(url, "migrate", "--verbosity", "0")
    manage(url, "load_story")
    # Nobody here has a page that could vouch for a browser phone's microphone.
    run_sql(url, "UPDATE agents_agent SET device_kind = 'sip'")
    return "story"


@pytest.fixture
def database(own_postgres: PrivatePostgres, story_database: str) -> Iterator[str]:
    """Its URL; a fresh copy of the story."""
    name = f"floor_{next(_COPIES)}"
    run_sql(own_postgres.url, f"CREATE DATABASE {name} TEMPLATE {story_database}")
    yield database_url(own_postgres.url, name)
    run_sql(own_postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def floor(tmp_path: Path, database: str) -> AsyncIterator[Floor]:
    running = Floor(tmp_path, database)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


def run_sql(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
