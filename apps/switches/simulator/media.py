"""How long a sound lasts."""

from __future__ import annotations

import re
import wave
from pathlib import Path

_TONE = re.compile(r"%\((\d+),(\d+)")
_LOOPS = re.compile(r"loops=(-?\d+)")
_OPTIONS = re.compile(r"^\{([^}]*)\}")


class SoundLibrary:
    """Durations of what ``playback`` may be given.

    Without a directory every file lasts ``default_ms``; with one, a wav lasts what it lasts and a missing file
    is missing. ``durations`` overrides single names.
    """

    def __init__(
        self, directory: Path | None = None, default_ms: int = 3000, durations: dict[str, int] | None = None
    ) -> None:
        self.directory = directory
        self.default_ms = default_ms
        self._known: dict[str, int | None] = dict(durations or {})

    def forget(self, *paths: str) -> None:
        """These files are missing."""
        self._known.update(dict.fromkeys(paths))

    def duration_ms(self, data: str) -> tuple[int | None, bool]:
        """Of one playback argument, options and all: its length (None = endless) and if it exists."""
        data = data.strip()
        limit: int | None = None
        match = _OPTIONS.match(data)
        if match:
            data = data[match.end() :]
            for option in match.group(1).split(","):
                name, _, value = option.partition("=")
                if name.strip() == "timeout" and value.strip().isdecimal():
                    limit = int(value)
        length, found = self._length(data)
        if limit is not None:
            length = limit if length is None else min(length, limit)
        return length, found

    def _length(self, path: str) -> tuple[int | None, bool]:
        scheme, _, rest = path.partition("://")
        if scheme == "file_string":
            return self._total(rest.split("!"))
        if scheme == "local_stream":
            return None, True
        if scheme == "tone_stream":
            return _tone_ms(rest), True
        if scheme == "silence_stream":
            length = int(rest.split(",")[0]) if rest.split(",")[0].lstrip("-").isdecimal() else 0
            return (None if length < 0 else length), True
        return self._file_ms(path)

    def _total(self, parts: list[str]) -> tuple[int | None, bool]:
        total, any_found = 0, False
        for part in parts:
            length, found = self._length(part)
            any_found |= found
            if length is None:
                return None, True
            total += length
        return total, any_found

    def _file_ms(self, path: str) -> tuple[int | None, bool]:
        if path not in self._known:
            self._known[path] = self._read_ms(path)
        length = self._known[path]
        return (0, False) if length is None else (length, True)

    def _read_ms(self, path: str) -> int | None:
        if self.directory is None:
            return self.default_ms
        asked = self.directory / path
        for file in (asked, asked.parent / "8000" / asked.name):  # the directory of the rate is looked into as well
            try:
                with wave.open(str(file), "rb") as sound:
                    return max(1, sound.getnframes() * 1000 // max(1, sound.getframerate()))
            except (wave.Error, EOFError):
                return self.default_ms  # there, but not a wav that we read
            except (OSError, ValueError):
                continue
        return None


def _tone_ms(spec: str) -> int | None:
    """``%(on,off,hz…);loops=n``: without loops it plays once, as the module does; -1 is for ever."""
    once = sum(int(on) + int(off) for on, off in _TONE.findall(spec))
    loops = _LOOPS.search(spec)
    count = int(loops.group(1)) if loops else 1
    return None if count < 0 else max(once, 20) * max(count, 1)
