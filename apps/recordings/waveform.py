"""The shape of a recording: peaks of each channel, computed once and kept beside the file.

A switch writes 16-bit PCM, stereo: left the customer, right whom they talk with (docs/recordings.md).
"""

from __future__ import annotations

import array
import json
import os
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

VERSION = 1
POINT_MS = 50
FEWEST, MOST = 100, 2000
LOUDEST = 32_768


class NoShape(ValueError):
    """Not a file whose shape we can read; the message says why."""


def waveform(path: Path, cache: Path) -> dict[str, Any]:
    """``{"version", "duration_ms", "channels": [[0..255, …], …]}``, one list a channel, all of the same length.

    Kept beside the file, or under ``cache`` where that may not be written. A file that has changed since is read anew.
    Raises ``NoShape``.
    """
    stat = path.stat()
    stamp = [VERSION, stat.st_size, stat.st_mtime_ns]
    places = [path.with_name(f"{path.name}.peaks.json"), cache / f"{path.name}.peaks.json"]
    for place in places:
        kept = _kept(place, stamp)
        if kept is not None:
            return kept
    shape = _computed(path)
    for place in places:
        if _keep(place, {"stamp": stamp, "shape": shape}):
            break
    return shape


def _kept(place: Path, stamp: list[int]) -> dict[str, Any] | None:
    try:
        data = json.loads(place.read_bytes())
        shape: dict[str, Any] = data["shape"]
        return shape if data["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):  # not there, or not whole: it is computed again
        return None


def _keep(place: Path, data: dict[str, Any]) -> bool:
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(data, separators=(",", ":")))
        draft.replace(place)
    except OSError as error:  # read only, or full: the next reader computes it again
        log.info("waveform_not_kept", path=str(place), error=str(error))
        return False
    return True


def _computed(path: Path) -> dict[str, Any]:
    try:
        with wave.open(str(path), "rb") as sound:
            if sound.getsampwidth() != 2 or sound.getframerate() <= 0:
                raise NoShape(f"{sound.getsampwidth() * 8} bit")
            frames, rate, channels = sound.getnframes(), sound.getframerate(), sound.getnchannels()
            points = min(MOST, max(FEWEST, frames * 1000 // rate // POINT_MS))
            peaks: list[list[int]] = [[] for _ in range(channels)]
            for samples in _pieces(sound, max(1, -(-frames // points))):
                for channel, found in enumerate(peaks):
                    found.append(_peak(samples[channel::channels]))
    except (wave.Error, EOFError) as error:
        raise NoShape(str(error)) from error
    return {"version": VERSION, "duration_ms": frames * 1000 // rate, "channels": peaks}


def _pieces(sound: wave.Wave_read, frames: int) -> Iterator[array.array[int]]:
    while raw := sound.readframes(frames):
        samples = array.array("h")
        samples.frombytes(raw[: len(raw) // 2 * 2])
        if sys.byteorder == "big":
            samples.byteswap()
        yield samples


def _peak(samples: array.array[int]) -> int:
    loudest = max(max(samples), -min(samples)) if samples else 0
    return min(255, loudest * 255 // LOUDEST)
