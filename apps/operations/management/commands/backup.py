"""``manage.py backup --output DIR``: while everything runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.operations.backup.make import make
from apps.operations.backup.postgres import BackupError
from apps.operations.progress import Progress


class Command(BaseCommand):
    help = "Back up the database, the list of recordings with hashes, and the spoken prompts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", required=True, type=Path, help="directory; must be new or empty")
        parser.add_argument(
            "--copy-recordings", action="store_true", help="copy the sound files as well, not only their hashes"
        )
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="copy the keys in STATE_DIR as well: whoever reads the backup can then sign sessions",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            manifest = make(
                options["output"], progress.show,
                copy_recordings=options["copy_recordings"], secrets=options["with_secrets"],
            )  # fmt: skip
        except (BackupError, OSError) as error:
            raise CommandError(f"No backup was made: {error}") from error
        finally:
            progress.end()
        missing = f", {manifest.recordings_missing} of them without a file" if manifest.recordings_missing else ""
        self.stdout.write(
            f"{options['output']}: {sum(manifest.rows.values())} rows in {len(manifest.rows)} tables, "
            f"{manifest.recordings} recordings{missing} ({manifest.recordings_bytes >> 20} MB, "
            f"{'copied' if manifest.recordings_copied else 'hashes only'})"
        )
