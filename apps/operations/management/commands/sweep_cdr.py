"""``manage.py sweep_cdr``: calls that the engine missed, from the switch's own records. Beat runs it too."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.operations.cdr.sweep import SETTLE_S, sweep
from apps.operations.health import history_is_current
from apps.operations.progress import Progress


class Command(BaseCommand):
    help = "Add calls to the history that only the switch's own call records know (CDR_DIR/<switch>/)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--settle", type=float, default=SETTLE_S, help="leave files younger than this, seconds")
        parser.add_argument(
            "--even-so", action="store_true", help="also while the engine is away or behind: it may know these calls"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["even_so"] and not history_is_current():
            raise CommandError("The engine is away or its history is behind; its own word comes first. Or: --even-so")
        progress = Progress(self.stderr)
        count = sweep(options["settle"], progress.show)
        progress.end()
        self.stdout.write(
            f"{count.imported} calls added, {count.known} known already, {count.other_legs} other legs, "
            f"{count.refused} files refused, {count.waiting} too young, {count.stuck} stuck (see the log)"
        )
