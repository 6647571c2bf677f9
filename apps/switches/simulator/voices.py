"""What simulated callers and agents say: scripts rendered to wav, told over and over for as long as a talk lasts.

``voices.json`` beside the files: ``{"zh": {"key": "1", "scripts": [[{"who": "caller", "file": …, "ms": …}, …], …]}}``.
The page of the demo's phone plays the caller's lines by the same rules (frontend/src/agent/phone/voices.ts), so a
recording holds what was heard.
"""

from __future__ import annotations

import array
import json
import re
import wave
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

RATE_HZ = 8000
GAP_MS = 600
PAUSE_MS = 2_500
_LAST_DIGIT = re.compile(r"(\d)\D*$")


@dataclass(frozen=True, slots=True)
class Line:
    who: str  # caller | agent
    file: str
    ms: int


class Voices:
    """Without a directory nobody says anything. Raises ``ValueError`` when the directory holds no usable scripts."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self._tellings: dict[tuple[Line, ...], array.array[int]] = {}

    @cached_property
    def _scripts(self) -> dict[str, list[tuple[Line, ...]]]:
        """By the first key that the caller presses; the first language is also for those who press none."""
        if self.directory is None:
            return {}
        listed = json.loads((self.directory / "voices.json").read_text(encoding="utf-8"))
        scripts: dict[str, list[tuple[Line, ...]]] = {}
        for language in listed.values():
            told = [
                tuple(Line(line["who"], line["file"], int(line["ms"])) for line in script)
                for script in language["scripts"]
            ]
            scripts[language["key"]] = told
            scripts.setdefault("", told)
        return scripts

    def telling(self, number: str, keys: str) -> array.array[int] | None:
        """One telling of this caller's script: 16 bit samples, left the caller and right the agent, in turn."""
        scripts = self._scripts.get(keys[:1]) or self._scripts.get("")
        if not scripts:
            return None
        script = script_for(scripts, number)
        if script not in self._tellings:
            self._tellings[script] = self._told(script)
        return self._tellings[script]

    def _told(self, script: tuple[Line, ...]) -> array.array[int]:
        total_ms = sum(line.ms + GAP_MS for line in script) + PAUSE_MS
        samples = array.array("h", bytes(4 * (total_ms * RATE_HZ // 1000)))
        at_ms = 0
        for line in script:
            spoken = self._read(line.file)
            first = 2 * (at_ms * RATE_HZ // 1000) + (0 if line.who == "caller" else 1)
            places = range(first, min(len(samples), first + 2 * len(spoken)), 2)
            samples[first : places.stop : 2] = spoken[: len(places)]
            at_ms += line.ms + GAP_MS
        return samples

    def _read(self, name: str) -> array.array[int]:
        assert self.directory is not None
        with wave.open(str(self.directory / name), "rb") as sound:
            if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE_HZ):
                raise ValueError(f"{name}: expected mono 16 bit wav at {RATE_HZ} Hz")
            return array.array("h", sound.readframes(sound.getnframes()))


def script_for(scripts: list[tuple[Line, ...]], number: str) -> tuple[Line, ...]:
    """By the last digit of the number, so that whoever knows the number knows the voice."""
    found = _LAST_DIGIT.search(number)
    return scripts[int(found.group(1)) % len(scripts)] if found else scripts[0]
