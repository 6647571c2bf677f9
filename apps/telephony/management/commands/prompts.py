"""``manage.py prompts render``: speak the texts of prompts that have no sound yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.telephony.prompts.library import SHIPPED
from apps.telephony.prompts.rendering import render_prompts, ship_prompts
from apps.telephony.prompts.speech import SpeechUnavailable


class Command(BaseCommand):
    help = "Renders prompts' texts to sound files with espeak-ng; files that exist are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("render", help="render what is missing")
        actions.add_parser("ship", help="for maintainers: keep the sounds of all stored prompts in fixtures/sounds")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "ship":
                self.stdout.write(f"{ship_prompts(SHIPPED)} sounds in {SHIPPED}")
                return
            done = render_prompts()
        except (SpeechUnavailable, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done.spoken} spoken, {done.changed} prompts changed")
