"""The environment: defaults that work, clear words for what does not, secrets that stay."""

from __future__ import annotations

import gettext
import io
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apps.config.env import VARIABLES, BadVariable, database, load


def test_an_empty_environment_is_enough(tmp_path: Path) -> None:
    env = load({"STATE_DIR": str(tmp_path)})
    assert not env.debug and env.secure_cookies
    assert env.engine_url == "http://127.0.0.1:8090"
    assert env.journal_dir == tmp_path / "journal"
    assert len(env.secret_key) >= 50 and env.secret_key != env.engine_token


def test_secrets_are_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    """Also when all processes of a demo start at the same moment."""
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: load({"STATE_DIR": str(tmp_path)}).engine_token, range(16)))
    assert len(tokens) == 1
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "secret_key": 0o600,
        "engine_token": 0o600,
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "postgresql://host"),
        ("DATABASE_POOL", "none"),
        ("DATABASE_POOL", "0"),
        ("UI_LANGUAGE", "fr"),
        ("LOG_LEVEL", "loud"),
        ("TURN_SERVERS", "http://turn.example.com"),
        ("TURN_SECRET", "short"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BadVariable, match=name):
        load({"STATE_DIR": str(tmp_path), name: text})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@db:5433/cc", ("cc", "u", "p@ss", "db", "5433")),
        ("postgres://u@/cc?host=/run/pg", ("cc", "u", "", "/run/pg", "")),
    ],
)
def test_database_urls(url: str, expected: tuple[str, ...]) -> None:
    settings = database(url, pool_size=3)
    assert tuple(settings[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected
    assert settings["OPTIONS"]["pool"]["max_size"] == 3


def test_celery_understands_a_unix_socket(tmp_path: Path) -> None:
    assert (
        load({"STATE_DIR": str(tmp_path), "REDIS_URL": "unix:///run/r.sock"}).celery_url == "redis+socket:///run/r.sock"
    )


def test_every_variable_says_what_it_is_for() -> None:
    assert all(meaning for _default, meaning in VARIABLES.values())


def test_the_web_process_starts_without_any_service(tmp_path: Path) -> None:
    """PostgreSQL and Redis may come later: importing the application asks for neither."""
    code = "import apps.config.asgi, apps.config.celery; print(apps.config.asgi.application.application_mapping.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "STATE_DIR": str(tmp_path),
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "PATH": "/usr/bin:/bin",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "http" in done.stdout and "websocket" in done.stdout


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
def test_every_text_of_ours_is_translated_and_compiled() -> None:
    """The compiled catalogue is committed: it must be the one of the text file."""
    catalogue = Path(__file__).parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES"
    checked = subprocess.run(
        ["msgfmt", "--check-format", "--statistics", "-o", "-", str(catalogue / "django.po")],
        capture_output=True,
        check=True,
    )
    assert b"untranslated" not in checked.stderr and b"fuzzy" not in checked.stderr
    compiled = gettext.GNUTranslations(io.BytesIO(checked.stdout))
    committed = gettext.GNUTranslations((catalogue / "django.mo").open("rb"))
    assert vars(compiled)["_catalog"] == vars(committed)["_catalog"]
