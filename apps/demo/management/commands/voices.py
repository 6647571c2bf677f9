"""``manage.py voices``: speak the lines of the demo's callers and agents anew, for maintainers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.demo.voices import FOLDER, render
from apps.telephony.prompts.speech import SpeechUnavailable


class Command(BaseCommand):
    help = "Speaks what simulated callers and agents say into fixtures/sounds/callers."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = render()
        except SpeechUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} lines in {FOLDER}")
