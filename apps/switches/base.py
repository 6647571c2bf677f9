"""What the engine knows of a switch: it takes commands and emits events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from apps.core.commands import Command
from apps.core.events import SwitchEvent
from apps.core.ids import SwitchId

Emit = Callable[[SwitchEvent], None]


class SwitchDriver(Protocol):
    """One switch. ``emit`` may be called from any thread; every method here returns at once."""

    switch: SwitchId

    def start(self, emit: Emit) -> None:
        """Connect, and keep connecting. Emits ``LinkUp`` each time the switch is reached, then events in order."""

    def execute(self, command: Command) -> None:
        """Send a command. Never blocks and never raises; the outcome is a later event."""

    def request_snapshot(self) -> None:
        """Ask the switch for its legs; a ``SwitchSnapshot`` follows."""

    def accept_calls(self, accept: bool) -> None:
        """Take new calls, or let each go on to its dialplan's next step: the ladder, then the fallback.

        Calls that carry our id are taken either way, and those we hold stay: a full disk, for which the engine closes
        this, must not cost the callers who are with us. A hung engine lets go of them too: by ``stop``.
        """

    def stop(self) -> None:
        """Let go of the switch without touching a call."""
