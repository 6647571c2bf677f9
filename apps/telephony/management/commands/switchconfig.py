"""``manage.py switchconfig render --switch NAME --output DIR``: all that a FreeSWITCH needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.telephony.models import Switch, SwitchKind
from apps.telephony.prompts.library import Library, place_sounds
from apps.telephony.prompts.phrases import phrase_names
from apps.telephony.switchconfig import BadValue, render, switch_spec, write


class Command(BaseCommand):
    help = "Renders FreeSWITCH's configuration and sounds for one switch."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        action = actions.add_parser(
            "render", help="write DIR/conf (freeswitch -conf) and DIR/sounds (the switch's sounds directory)"
        )
        action.add_argument("--switch", required=True, help="name of the switch")
        action.add_argument("--output", required=True, type=Path, help="directory; made if it is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        switch = self._switch(options["switch"])
        output: Path = options["output"]
        try:
            files = render(switch_spec(switch))
        except BadValue as error:
            raise CommandError(f"{error}. Correct the row and render again; nothing was written.") from error
        write(files, output / "conf")
        missing = place_sounds(Library.default(), output / "sounds", phrase_names())
        self.stdout.write(f"{len(files)} files in {output / 'conf'}, sounds in {output / 'sounds'}")
        for name in missing:
            self.stderr.write(f"not rendered yet: {name}. Run manage.py prompts render, then this again.")

    def _switch(self, name: str) -> Switch:
        try:
            return Switch.objects.get(name=name, kind=SwitchKind.FREESWITCH)
        except Switch.DoesNotExist:
            known = ", ".join(Switch.objects.filter(kind=SwitchKind.FREESWITCH).values_list("name", flat=True))
            raise CommandError(f"There is no FreeSWITCH named {name!r}. Known: {known or 'none'}.") from None
