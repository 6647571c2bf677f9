"""``uuid_record``: what a recording is called, how long it ran, and a file that can be played."""

from __future__ import annotations

import array
import logging
import math
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from apps.switches.simulator.channel import Channel, Recording
from apps.switches.simulator.voices import RATE_HZ, Voices

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

log = logging.getLogger(__name__)

LONGEST_MS = 3_600_000


class Recorder:
    """Without a directory recordings leave no file. Nothing is ever written outside the directory."""

    def __init__(self, directory: Path | None = None, voices: Voices | None = None) -> None:
        self.directory = directory.resolve() if directory is not None else None
        self.voices = voices or Voices(None)

    def start(self, switch: Switch, channel: Channel, path: str) -> str:
        if path in channel.recordings:
            return "+OK Success\n"  # a second start on the same file is ignored
        if self.directory is not None and self._file(path) is None:
            return "-ERR Cannot record session!\n"
        stereo = switch.variable(channel, "RECORD_STEREO") == "true"
        channel.recordings[path] = Recording(path, switch.clock.now_ms, stereo)
        switch.emit("RECORD_START", channel, {"Record-File-Path": path})
        switch.emit("MEDIA_BUG_START", channel, {"Media-Bug-Function": "session_record"})
        return "+OK Success\n"

    def stop(self, switch: Switch, channel: Channel, path: str) -> str:
        recording = channel.recordings.pop(path, None)
        if recording is None:
            return "-ERR Cannot stop record session!\n"
        length_ms = switch.clock.now_ms - recording.started_ms
        channel.variables.update(
            record_ms=str(length_ms),
            record_seconds=str(length_ms // 1000),
            record_samples=str(length_ms * RATE_HZ // 1000),
        )
        self._write(recording, channel, switch.clock.now_ms)
        headers = {"Record-File-Path": path, "Record-Completion-Cause": "success-silence"}
        switch.emit("RECORD_STOP", channel, headers)
        switch.emit("MEDIA_BUG_STOP", channel, {"Media-Bug-Function": "session_record"})
        return "+OK Success\n"

    def mask(self, switch: Switch, channel: Channel, path: str, masked: bool) -> str:
        recording = channel.recordings.get(path)
        if recording is None:
            return f"-ERR Cannot {'mask' if masked else 'unmask'} recording session!\n"
        now_ms = switch.clock.now_ms
        if masked and recording.masked_ms is None:
            recording.masked_ms = now_ms
        elif not masked and recording.masked_ms is not None:
            recording.masks.append((recording.masked_ms, now_ms))
            recording.masked_ms = None
        return "+OK Success\n"

    def stop_all(self, switch: Switch, channel: Channel) -> None:
        for path in list(channel.recordings):
            self.stop(switch, channel, path)

    def _file(self, path: str) -> Path | None:
        if self.directory is None:
            return None
        file = (self.directory / path).resolve()
        return file if file.is_relative_to(self.directory) else None

    def _write(self, recording: Recording, channel: Channel, ended_ms: int) -> None:
        file = self._file(recording.path)
        if file is None:
            return
        channels = 2 if recording.stereo else 1
        pauses = [*recording.masks, *([(recording.masked_ms, ended_ms)] if recording.masked_ms is not None else [])]
        length_ms = min(ended_ms - recording.started_ms, LONGEST_MS)
        telling = self.voices.telling(_far_end(channel), channel.pressed) or _tones()
        spoken = _repeated(telling if channels == 2 else _mixed(telling), length_ms, channels)
        for begun_ms, over_ms in pauses:
            _silence(spoken, begun_ms - recording.started_ms, over_ms - recording.started_ms, channels)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as out:
                out.setnchannels(channels)
                out.setsampwidth(2)
                out.setframerate(RATE_HZ)
                out.writeframes(spoken.tobytes())
        except OSError as error:
            log.warning("recording %s not written: %s", file, error)


def _far_end(channel: Channel) -> str:
    """The number of whoever is at the other end of the recorded leg."""
    return channel.caller_number if channel.direction == "inbound" else channel.destination


def _tones() -> array.array[int]:
    """Two voices that take turns, a second each: not speech, but not silence, and each on its side."""
    pattern = array.array("h")
    for index in range(2 * RATE_HZ):
        caller_speaks = index < RATE_HZ
        hertz = 220 if caller_speaks else 330
        swell = 0.5 + 0.5 * math.sin(2 * math.pi * 4 * index / RATE_HZ)
        sample = int(7000 * swell * math.sin(2 * math.pi * hertz * index / RATE_HZ))
        pattern.extend((sample if caller_speaks else 0, 0 if caller_speaks else sample))
    return pattern


def _mixed(stereo: array.array[int]) -> array.array[int]:
    """Both sides in one; they hardly ever speak at once."""
    both = (left + right for left, right in zip(stereo[::2], stereo[1::2], strict=True))
    return array.array("h", (max(-32768, min(32767, sample)) for sample in both))


def _repeated(pattern: array.array[int], length_ms: int, channels: int) -> array.array[int]:
    samples = length_ms * RATE_HZ // 1000 * channels
    whole, rest = divmod(samples, len(pattern))
    return pattern * whole + pattern[:rest]


def _silence(samples: array.array[int], begun_ms: int, over_ms: int, channels: int) -> None:
    first, last = (max(0, ms) * RATE_HZ // 1000 * channels for ms in (begun_ms, over_ms))
    last = min(last, len(samples))
    if first < last:
        samples[first:last] = array.array("h", bytes(2 * (last - first)))
