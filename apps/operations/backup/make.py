"""Make a backup while everything runs.

One snapshot of the database serves the dump, the counts and the list of recordings, so they agree with each other
although calls go on. Only afterwards are the files read: for as long as a transaction is open, PostgreSQL keeps every
row that anybody deletes or replaces, and terabytes of sound take hours. Recordings are listed with their hashes;
copying them is a choice, as they are large and grow by whole files, which any tool that copies new files does better.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from apps.operations.backup import postgres
from apps.operations.backup.manifest import DUMP, RECORDINGS, Manifest, sha256
from apps.operations.backup.postgres import BackupError
from apps.operations.retention import files
from apps.recordings.models import Recording

LISTED = ".recordings.jsonl"
"""Without hashes yet; gone when the backup is whole."""
SECRETS = ("secret_key", "engine_token")
Progress = Callable[[str, int, int], None]


def make(directory: Path, progress: Progress, *, copy_recordings: bool = False, secrets: bool = False) -> Manifest:
    """Fill ``directory``, which must be new or empty. Raises ``BackupError``."""
    if directory.exists() and any(directory.iterdir()):
        raise BackupError(f"{directory} is not empty: a backup never overwrites another")
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    manifest = Manifest(made_at=timezone.now().isoformat(), trunkline=version(), postgres=postgres.server_major())
    manifest.recordings_copied, manifest.secrets = copy_recordings, secrets
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        manifest.migrations = migrations()
        manifest.rows = count_rows()
        _dump(directory, snapshot, len(manifest.rows), progress)
        _list_recordings(directory / LISTED)
    _read_recordings(directory, manifest, progress)
    _copy_sounds(directory, progress)
    if secrets:
        _copy_secrets(directory)
    written = sorted(path for path in directory.rglob("*") if path.is_file())
    for number, path in enumerate(written, 1):
        manifest.files[str(path.relative_to(directory))] = sha256(path)
        progress("checksums", number, len(written))
    manifest.write(directory)
    return manifest


def version() -> str:
    """Of the code that runs; it is not installed as a package."""
    try:
        data: dict[str, Any] = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
        return str(data["project"]["version"])
    except OSError:
        return importlib.metadata.version("trunkline")


def migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def count_rows() -> dict[str, int]:
    """Every table of ours and of the libraries."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    there = set(connection.introspection.table_names())
    counts = {}
    with connection.cursor() as cursor:
        for table in tables:
            if table in there:
                cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
                counts[table] = int(cursor.fetchone()[0])
    return counts


def _dump(directory: Path, snapshot: str, tables: int, progress: Progress) -> None:
    seen = 0

    def told(_table: str) -> None:
        nonlocal seen
        seen += 1
        progress("database", min(seen, tables), tables)

    postgres.dump(directory / DUMP, snapshot, told)
    progress("database", tables, tables)


def _list_recordings(listed: Path) -> None:
    """What rows there are in the snapshot, one a line; the files are not looked at."""
    rows = Recording.objects.order_by("pk").values_list("pk", "path", "switch__name")
    with listed.open("wb") as listing:
        for key, path, switch in rows.iterator(chunk_size=1000):
            listing.write(orjson.dumps({"id": key, "path": path, "switch": switch}) + b"\n")


def _read_recordings(directory: Path, manifest: Manifest, progress: Progress) -> None:
    """Each listed file's hash, and a copy if wanted. One that retention took since counts as missing."""
    listed = directory / LISTED
    total = manifest.rows[Recording._meta.db_table]
    with listed.open("rb") as lines, (directory / RECORDINGS).open("wb") as listing:
        for line in lines:
            entry: dict[str, Any] = {**orjson.loads(line), "sha256": None}
            try:
                entry |= _read_recording(entry, directory if manifest.recordings_copied else None)
                manifest.recordings_bytes += entry["bytes"]
            except FileNotFoundError:
                manifest.recordings_missing += 1
            listing.write(orjson.dumps(entry) + b"\n")
            manifest.recordings += 1
            progress("recordings", manifest.recordings, total)
    listed.unlink()


def _read_recording(entry: dict[str, Any], copies: Path | None) -> dict[str, Any]:
    """Raises ``FileNotFoundError``."""
    try:
        path = files.path_of(entry["switch"] or "", entry["path"])
    except files.NotMounted as error:
        raise FileNotFoundError(str(error)) from error
    if path is None or not path.is_file():
        raise FileNotFoundError(entry["path"])
    if copies is not None:
        _copy(path, copies / "recordings" / path.relative_to(settings.RECORDINGS_DIR.resolve()))
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def _copy_sounds(directory: Path, progress: Progress) -> None:
    """Prompts spoken or uploaded here; those that come with Trunkline come again with it."""
    own = settings.STATE_DIR / "sounds"
    sounds = sorted(path for path in own.rglob("*") if path.is_file()) if own.is_dir() else []
    for number, path in enumerate(sounds, 1):
        _copy(path, directory / "sounds" / path.relative_to(own))
        progress("prompts", number, len(sounds))


def _copy_secrets(directory: Path) -> None:
    (directory / "secrets").mkdir(mode=0o700)
    for name in SECRETS:
        if (source := settings.STATE_DIR / name).is_file():
            target = directory / "secrets" / name
            target.touch(mode=0o600)
            target.write_bytes(source.read_bytes())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
