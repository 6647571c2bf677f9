"""What a backup says of itself. It is written last: a directory without it is no backup."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from apps.operations.backup.postgres import BackupError

FORMAT = 1
NAME = "manifest.json"
RECORDINGS = "recordings.jsonl"
DUMP = "database.dump"
CHUNK = 1 << 20


@dataclass(slots=True, kw_only=True)
class Manifest:
    """``rows`` counts each table; ``files`` has the SHA-256 of everything else in the directory."""

    format: int = FORMAT
    made_at: str = ""
    trunkline: str = ""
    postgres: int = 0
    migrations: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    recordings: int = 0
    recordings_missing: int = 0
    recordings_bytes: int = 0
    recordings_copied: bool = False
    secrets: bool = False
    files: dict[str, str] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        draft = directory / f".{NAME}"
        draft.write_bytes(orjson.dumps(dataclasses.asdict(self), option=orjson.OPT_INDENT_2))
        draft.replace(directory / NAME)


def read(directory: Path) -> Manifest:
    """Raises ``BackupError`` for what is no backup, or one from a newer Trunkline."""
    try:
        data: dict[str, Any] = orjson.loads((directory / NAME).read_bytes())
        if data["format"] > FORMAT:
            raise BackupError(
                f"{directory} has format {data['format']}; this Trunkline knows {FORMAT}. Use a newer one."
            )
        return Manifest(**data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{directory} is no complete backup: {NAME}: {error}") from error


def check_files(directory: Path, manifest: Manifest, told: Callable[[int, int], None]) -> None:
    """Raises ``BackupError`` naming the first file that is missing or is not what it was."""
    for number, (name, digest) in enumerate(manifest.files.items(), 1):
        path = directory / name
        if not path.is_file():
            raise BackupError(f"{path} is missing")
        if sha256(path) != digest:
            raise BackupError(f"{path} is not what was backed up (its hash differs)")
        told(number, len(manifest.files))


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
