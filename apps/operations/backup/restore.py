"""Bring a backup back: checked before anything is touched, all of the database or nothing of it."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from apps.operations.backup import postgres
from apps.operations.backup.make import SECRETS, Progress, count_rows
from apps.operations.backup.manifest import DUMP, RECORDINGS, Manifest, check_files, read, sha256
from apps.operations.backup.postgres import BackupError


@dataclass(slots=True)
class Outcome:
    """``behind``: migrations that this code has and the backup has not."""

    manifest: Manifest
    behind: int = 0
    recordings_right: int = 0
    recordings_missing: list[str] = field(default_factory=list)
    recordings_different: list[str] = field(default_factory=list)


def restore(
    directory: Path, progress: Progress, *, force: bool = False, secrets: bool = False, engine_runs: bool | None = None
) -> Outcome:
    """Raises ``BackupError``; until the database itself is loaded, nothing has been changed by then."""
    manifest = read(directory)
    outcome = Outcome(manifest, behind=_check_versions(manifest))
    if secrets and not manifest.secrets:
        raise BackupError("this backup has no secrets in it (it was made without --with-secrets)")
    if (_engine_runs() if engine_runs is None else engine_runs) and not force:
        raise BackupError("the engine runs and would go on writing: stop engine, web, worker and beat first")
    if (filled := _rows_there()) and not force:
        raise BackupError(f"the database is not empty ({filled} rows): --force replaces everything in it")
    check_files(directory, manifest, lambda done, total: progress("checksums", done, total))
    _load(directory, manifest, progress)
    _check_rows(manifest)
    _put_back(directory / "sounds", settings.STATE_DIR / "sounds")
    if secrets:
        _put_secrets_back(directory)
    if manifest.recordings_copied:
        _put_back(directory / "recordings", settings.RECORDINGS_DIR)
    _check_recordings(directory, outcome, progress)
    return outcome


def _check_versions(manifest: Manifest) -> int:
    """Raises ``BackupError`` for a backup from a newer Trunkline. Returns how many migrations it lacks."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if newer := sorted(set(manifest.migrations) - known):
        raise BackupError(
            f"the backup is from a newer Trunkline ({manifest.trunkline}): this one lacks {', '.join(newer[:5])}"
        )
    return len(known - set(manifest.migrations))


def _engine_runs() -> bool:
    return any(_answers(door) for door in settings.ENGINE_URL.split(","))


def _answers(door: str) -> bool:
    try:
        with urllib.request.urlopen(f"{door}/health", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # it is there, and not well
    except OSError:
        return False


def _rows_there() -> int:
    """Rows that people or calls made: a migrated database has some of Django's own."""
    own = {table: count for table, count in count_rows().items() if not table.startswith(("django_", "auth_"))}
    return sum(own.values())


def _load(directory: Path, manifest: Manifest, progress: Progress) -> None:
    seen, total = 0, len(manifest.rows)

    def told(_table: str) -> None:
        nonlocal seen
        seen += 1
        progress("database", min(seen, total), total)

    connection.close()
    postgres.load(directory / DUMP, told)
    progress("database", total, total)


def _check_rows(manifest: Manifest) -> None:
    """What was counted then is there now; tables that this code no longer has are not looked at."""
    now = count_rows()
    wrong = [
        f"{table}: {now[table]} instead of {count}"
        for table, count in manifest.rows.items()
        if table in now and now[table] != count
    ]
    if wrong:
        raise BackupError(f"the database was loaded but is not what was backed up: {'; '.join(wrong[:5])}")


def _check_recordings(directory: Path, outcome: Outcome, progress: Progress) -> None:
    """The files where they are now, by their hashes: a backup may be older or younger than they."""
    root = settings.RECORDINGS_DIR
    with (directory / RECORDINGS).open("rb") as listing:
        for number, line in enumerate(listing, 1):
            entry = orjson.loads(line)
            if entry["sha256"] is not None:
                place = root / entry["switch"] / entry["path"] if entry["switch"] else root / entry["path"]
                if not place.is_file():
                    outcome.recordings_missing.append(entry["path"])
                elif sha256(place) != entry["sha256"]:
                    outcome.recordings_different.append(entry["path"])
                else:
                    outcome.recordings_right += 1
            progress("recordings", number, outcome.manifest.recordings)


def _put_back(source: Path, target: Path) -> None:
    """Files that are there already stay: sounds and recordings never change under their name."""
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        place = target / path.relative_to(source)
        if path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def _put_secrets_back(directory: Path) -> None:
    settings.STATE_DIR.mkdir(parents=True, exist_ok=True)
    for name in SECRETS:
        source = directory / "secrets" / name
        if source.is_file():
            target = settings.STATE_DIR / name
            target.touch(mode=0o600)
            target.write_bytes(source.read_bytes())
