"""What the engine knows of a switch: it takes commands and emits events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from apps.core.commands import Command
from apps.core.events import SwitchEvent
from apps.core.ids import SwitchId

Emit = Callable[[SwitchEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this switch can do, so that the screens offer nothing else."""

    answer_device: bool  # can make a device pick up
    hold: bool
    record: bool


class SwitchDriver(Protocol):
    """One switch. ``emit`` may be called from any thread; every method here returns at once."""

    switch: SwitchId
    capabilities: Capabilities

    def start(self, emit: Emit) -> None:
        """Connect, and keep connecting. Emits ``LinkUp`` each time the switch is reached, then events in order."""

    def execute(self, command: Command) -> None:
        """Send a command. Never blocks and never raises; the outcome is a later event."""

    def request_snapshot(self) -> None:
        """Ask the switch for its legs; a ``SwitchSnapshot`` follows."""

    def accept_calls(self, accept: bool) -> None:
        """Open or close the door for arriving calls. Closed, the switch takes its next ladder step or its fallback.

        The engine closes it when its own loop has not beaten for 3 s, and when the journal's disk is full.
        """

    def stop(self) -> None:
        """Let go of the switch without touching a call."""
