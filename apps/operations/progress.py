"""A line on a terminal that moves; on anything else one line now and then."""

from __future__ import annotations

import time
from typing import IO, Any

BAR = 24
SELDOM_S, OFTEN_S = 10.0, 0.1


class Progress:
    def __init__(self, stream: IO[str] | Any) -> None:
        """``stream`` may be Django's wrapper of one."""
        self._stream = stream
        self._moves = bool(stream.isatty())
        self._shown_s = float("-inf")
        self._what = ""

    def show(self, what: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        news = what != self._what or done >= total
        if not news and now_s - self._shown_s < (OFTEN_S if self._moves else SELDOM_S):
            return
        if what != self._what:
            self.end()
        self._what, self._shown_s = what, now_s
        share = min(1.0, done / total) if total else 1.0
        filled = round(share * BAR)
        text = f"{what:<20} {'█' * filled}{'░' * (BAR - filled)} {share:4.0%}  {done}/{total}"
        self._write(f"\r{text}\x1b[K" if self._moves else f"{text}\n")

    def end(self) -> None:
        """Leave the line as it is."""
        if self._moves and self._what:
            self._write("\n")
        self._what = ""

    def _write(self, text: str) -> None:
        raw = getattr(self._stream, "_out", self._stream)  # Django's wrapper ends each write with a line feed
        raw.write(text)
        raw.flush()
