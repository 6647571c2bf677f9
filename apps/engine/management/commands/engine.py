"""``manage.py engine``: the process that drives the switches; ``manage.py engine step-down``: let the standby lead."""

from __future__ import annotations

import asyncio
import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.engine.database import use_plain_connections
from apps.engine.handover import NobodyTakesOver, step_down
from apps.engine.interpreter import collect_garbage_seldom, hand_over_soon
from apps.engine.journal import JournalInUse
from apps.engine.process import EngineProcess, Options


class Command(BaseCommand):
    help = "Run the engine: it decides about every call and drives the switches. Ends on SIGTERM or Ctrl-C."
    # It must start with the database down; checks and migrations are the web's and the operator's.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", nargs="?", choices=("run", "step-down"), default="run")
        host, _, port = settings.ENGINE_BIND.rpartition(":")
        parser.add_argument("--host", default=host, help="address of the door (ENGINE_BIND)")
        parser.add_argument("--port", type=int, default=int(port), help="port of the door (ENGINE_BIND)")
        parser.add_argument("--journal", type=Path, default=settings.JOURNAL_DIR, help="directory (JOURNAL_DIR)")

    def handle(self, *args: Any, **options: Any) -> None:
        doors = tuple(settings.ENGINE_URL.split(","))
        if options["action"] == "step-down":
            try:
                self.stdout.write(step_down(doors, settings.ENGINE_TOKEN))
            except NobodyTakesOver as error:
                raise CommandError(str(error)) from error
            return
        use_plain_connections()
        collect_garbage_seldom()
        hand_over_soon()
        chosen = Options(
            host=options["host"],
            port=options["port"],
            token=settings.ENGINE_TOKEN,
            journal_dir=options["journal"],
            retention_ms=settings.JOURNAL_KEEP_HOURS * 3_600_000,
            least_free_bytes=settings.JOURNAL_FREE_MB << 20,
            notify_socket=settings.NOTIFY_SOCKET,
            number=settings.ENGINE_NUMBER,
            doors=doors,
        )
        try:
            asyncio.run(_run(chosen))
        except (JournalInUse, ValueError, OSError, sqlite3.Error) as error:
            raise CommandError(str(error)) from error


async def _run(options: Options) -> None:
    """One life after another: who no longer leads stands by, with what the new leader has."""
    while await EngineProcess(options).run():
        continue
