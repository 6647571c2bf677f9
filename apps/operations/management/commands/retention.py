"""``manage.py retention``: forget what is older than each tenant keeps it. Beat runs it each night."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import Tenant
from apps.operations.progress import Progress
from apps.operations.retention import sweep

COLUMNS = ("tenant", "what", "kept", "older than", "due", "on hold", "deleted")


class Command(BaseCommand):
    help = "Delete calls, recordings, facts and logs that are older than their tenant keeps them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would go, and delete nothing")
        parser.add_argument("--tenant", default="", help="code of one tenant; without it all, and what belongs to none")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = options["tenant"]
        if tenant and not Tenant.objects.filter(code=tenant).exists():
            raise CommandError(f"There is no tenant with the code {tenant!r}.")
        if options["dry_run"]:
            lines = sweep.plan(tenant)
        else:
            progress = Progress(self.stderr)
            try:
                lines = sweep.run(tenant, progress=progress.show)
            except sweep.AnotherRuns as error:
                raise CommandError(f"Nothing was deleted: {error}.") from error
            finally:
                progress.end()
        self._table([COLUMNS, *(self._row(line) for line in lines)])
        troubled = [f"{line.owner} {line.kind}: {line.trouble}" for line in lines if line.trouble]
        if troubled:
            raise CommandError("\n".join(troubled))
        if options["dry_run"]:
            self.stdout.write("Nothing was deleted (--dry-run).")

    @staticmethod
    def _row(line: sweep.Line) -> tuple[str, ...]:
        kept = f"{line.days} days" if line.days is not None else "for ever"
        older = f"{line.limit:%Y-%m-%d %H:%M}" if line.limit else ""
        return (line.owner, line.kind, kept, older, str(line.due), str(line.held), str(line.deleted))

    def _table(self, rows: list[tuple[str, ...]]) -> None:
        widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
        for row in rows:
            cells = (
                cell.rjust(width) if number > 3 else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            self.stdout.write("  ".join(cells).rstrip())
