"""``manage.py environment``: what each variable means, as Markdown. docs/environment.md is its output."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.config.env import VARIABLES

HEAD = """# Environment variables

Made by `manage.py environment > docs/environment.md` from `apps/config/env.py`, the only place that reads them. All
have a default that works on one host. A value that cannot be used stops the process with a message that names it. What
operators tune day by day (queues, trunks, texts, how long things are kept) is a row in the admin, not a variable.

| variable | default | meaning |
|---|---|---|
"""


class Command(BaseCommand):
    help = "Print docs/environment.md."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    return HEAD + "".join(_row(name, default, meaning) for name, (default, meaning) in VARIABLES.items())


def _row(name: str, default: str, meaning: str) -> str:
    meaning = meaning[0].upper() + meaning[1:]
    shown = f"`{default}`" if default else ""
    return f"| `{name}` | {shown} | {meaning.replace('|', chr(92) + '|')} |\n"
