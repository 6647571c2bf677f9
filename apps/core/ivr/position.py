"""Where a caller stands in a flow: small plain data, stored with every step so that a fold gives it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from apps.core.ids import PlayId
from apps.core.record import record


@record
class IvrPosition:
    """``phase`` is ``playing`` (a prompt runs) or ``waiting`` (for a key); ``deadline_ms`` ends the waiting."""

    node: str
    lang: str
    phase: str = "playing"
    play: PlayId | None = None
    began_ms: int | None = None  # when the prompt was asked for
    digits: str = ""  # typed ahead or half of a longer key; in no fact (``runs``)
    attempts: int = 0  # failed tries in this node
    repeats: int = 0  # of this node's prompt
    steps: int = 0  # nodes left since the start, against limits.steps
    visits: Mapping[str, int] = field(default_factory=dict)
    deadline_ms: int | None = None
    handler: bool = False  # already inside handlers.error or handlers.limit
