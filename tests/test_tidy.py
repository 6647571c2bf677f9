"""House rules that no linter knows: names, lengths, where settings are read, what Django apps may do."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FUNCTION, MAX_FILE = 70, 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}


def sources(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not {"migrations", "node_modules", "__pycache__"} & set(path.parts)
    ]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_vague_names() -> None:
    assert not [path for path in sources("apps", "tests") if path.stem in VAGUE or path.parent.name in VAGUE]


def test_no_long_functions() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in sources("apps", "tests")
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > MAX_FUNCTION
    ]
    assert not too_long, too_long


def test_no_long_files() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources("apps", "tests")}
    assert not {str(path): count for path, count in lengths.items() if count > MAX_FILE}


def test_the_environment_is_read_in_one_place() -> None:
    """The demo and the tests set it up for the processes they start; only ``config/env.py`` reads settings from it."""
    # asgi and celery only name the settings module.
    allowed = {"apps/config/env.py", "apps/config/asgi.py", "apps/config/celery.py"}
    readers = [
        str(path.relative_to(ROOT))
        for path in sources("apps")
        if ("os.environ" in path.read_text() or "getenv" in path.read_text())
        and str(path.relative_to(ROOT)) not in allowed
        and path.parts[len(ROOT.parts) + 1] != "demo"
    ]
    assert readers == []


def test_no_signals_and_no_clever_saves() -> None:
    for path in sources("apps"):
        text = path.read_text()
        assert "post_save" not in text and "pre_save" not in text, path
        if path.name == "models.py" or path.parent.name == "models":
            assert not [node.name for node in functions(path) if node.name == "save"], path


def test_tenant_on_every_row() -> None:
    """Every model of ours belongs to a tenant, by its own column or through its parent, but the few listed here."""
    from django.apps import apps as registry

    shared = {"Tenant", "User", "ConfigVersion", "Switch"}
    missing = []
    for model in registry.get_models():
        if not model.__module__.startswith("apps.") or model.__name__ in shared:
            continue
        names = {field.name for field in model._meta.get_fields()}
        parents = {
            field.related_model for field in model._meta.get_fields() if field.many_to_one and field.related_model
        }
        through_parent = any("tenant" in {f.name for f in parent._meta.get_fields()} for parent in parents)
        if "tenant" not in names and not through_parent:
            missing.append(model.__name__)
    assert missing == []


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["lint-imports", "--no-cache"],
        ["mypy", "apps"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_linters_agree(command: list[str]) -> None:
    program = ROOT / ".venv/bin" / command[0]
    run = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
