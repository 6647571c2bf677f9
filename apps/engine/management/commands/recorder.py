"""``manage.py recorder``: started by the engine, beside it; not by people."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.engine.database import use_plain_connections
from apps.engine.interpreter import collect_garbage_seldom
from apps.engine.recording import serve


class Command(BaseCommand):
    help = "Write the engine's facts into PostgreSQL. The engine starts this by itself; it ends with standard input."
    # It must start with the database down, as the engine does.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--journal", type=Path, required=True, help="the engine's directory")

    def handle(self, *args: Any, **options: Any) -> None:
        use_plain_connections()
        collect_garbage_seldom()
        serve(options["journal"])
