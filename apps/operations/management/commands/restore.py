"""``manage.py restore DIR``: with engine, web, worker and beat stopped."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from apps.operations.backup.postgres import BackupError
from apps.operations.backup.restore import Outcome, restore
from apps.operations.progress import Progress

FEW = 10


class Command(BaseCommand):
    help = "Bring back a backup: the whole database or nothing of it, prompts, and recordings if they were copied."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="what manage.py backup made")
        parser.add_argument("--force", action="store_true", help="replace everything in a database that is not empty")
        parser.add_argument("--with-secrets", action="store_true", help="bring back the keys in STATE_DIR as well")

    def handle(self, *args: Any, **options: Any) -> None:
        progress = Progress(self.stderr)
        try:
            outcome = restore(
                options["directory"], progress.show, force=options["force"], secrets=options["with_secrets"]
            )
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        finally:
            progress.end()
        if outcome.behind:
            self.stdout.write(f"{outcome.behind} migrations are newer than the backup: applying them")
            call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        self._report(outcome)

    def _report(self, outcome: Outcome) -> None:
        manifest = outcome.manifest
        self.stdout.write(
            f"Restored the backup of {manifest.made_at}: {sum(manifest.rows.values())} rows, "
            f"{outcome.recordings_right} recordings checked."
        )
        for word, paths in (
            ("missing", outcome.recordings_missing),
            ("different from the backup", outcome.recordings_different),
        ):
            if paths:
                self.stderr.write(f"{len(paths)} recordings {word}:")
                for path in paths[:FEW]:
                    self.stderr.write(f"  {path}")
        self.stdout.write(
            "History that the journal still has comes back with: rm JOURNAL_DIR/recorded.seq, then start."
        )
