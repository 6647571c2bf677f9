"""What the host of the core tells it."""

from __future__ import annotations

from apps.core.config import CenterConfig
from apps.core.events.base import Event
from apps.core.record import record


@record
class ConfigChanged(Event):
    config: CenterConfig


@record
class DeadlinePassed(Event):
    """The timer fired: ``now_ms`` has reached ``next_deadline_ms``. Early or late firing is harmless."""


@record
class EngineRestarted(Event):
    """First event after a fold of the journal: state may be ahead of or behind every switch."""

    run: str
