"""What is tried again and again says once that it fails, and once that it works again."""

from __future__ import annotations

from typing import Any

import structlog


class Outage:
    """Of one thing: ``lasts`` at each failure, ``over`` at each success."""

    def __init__(self, log: structlog.stdlib.BoundLogger, began: str, ended: str = "") -> None:
        """The events that are logged, as a warning and as information; without ``ended`` somebody else tells that."""
        self._log = log
        self._began, self._ended = began, ended
        self._on = False

    def lasts(self, **about: Any) -> None:
        """Said of the first failure; of those that follow only to whom looks for trouble (DEBUG)."""
        say = self._log.debug if self._on else self._log.warning
        self._on = True
        say(self._began, **about)

    def over(self) -> None:
        was_on, self._on = self._on, False
        if was_on and self._ended:
            self._log.info(self._ended)
