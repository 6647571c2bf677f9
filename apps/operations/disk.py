"""Room for recordings. A full disk loses what customers and agents say, so it is announced while there is time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import structlog
from django.conf import settings

from apps.operations.retention import files

log = structlog.get_logger(__name__)

ORPHAN_AFTER_S = 86_400.0  # a file is there before its row: the recorder may be behind


def free_mb() -> int | None:
    """None: the directory is not there."""
    directory = settings.RECORDINGS_DIR
    return shutil.disk_usage(directory).free >> 20 if directory.is_dir() else None


def look() -> None:
    """An alarm in the log where it is short."""
    free = free_mb()
    if free is not None and free < settings.RECORDINGS_FREE_MB:
        log.error("recordings_disk_low", free_mb=free, least_mb=settings.RECORDINGS_FREE_MB)


def look_for_unknown() -> list[Path]:
    """Files that no row knows. They are counted in the log and left: only a person can say what they are."""
    old_s = time.time() - ORPHAN_AFTER_S
    unknown, size = [], 0
    for path in files.orphans():
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # gone since it was listed
        if status.st_mtime < old_s:
            unknown.append(path)
            size += status.st_size
    if unknown:
        log.warning("recordings_unknown", count=len(unknown), size_mb=size >> 20, first=str(unknown[0]))
    return unknown
