"""``uuid_record``: what a recording is called, how long it ran, and a file that can be played."""

from __future__ import annotations

import array
import logging
import math
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from apps.switches.simulator.channel import Channel, Recording

if TYPE_CHECKING:
    from apps.switches.simulator.model import Switch

log = logging.getLogger(__name__)

RATE_HZ = 8000
LONGEST_MS = 3_600_000


class Recorder:
    """Without a directory recordings leave no file. Nothing is ever written outside the directory."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory.resolve() if directory is not None else None

    def start(self, switch: Switch, channel: Channel, path: str) -> str:
        if path in channel.recordings:
            return "+OK Success\n"  # a second start on the same file is ignored
        if self.directory is not None and self._file(path) is None:
            return "-ERR Cannot record session!\n"
        stereo = channel.flag("RECORD_STEREO")
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
        self._write(recording, length_ms)
        headers = {"Record-File-Path": path, "Record-Completion-Cause": "success-silence"}
        switch.emit("RECORD_STOP", channel, headers)
        switch.emit("MEDIA_BUG_STOP", channel, {"Media-Bug-Function": "session_record"})
        return "+OK Success\n"

    def mask(self, channel: Channel, path: str, masked: bool) -> str:
        recording = channel.recordings.get(path)
        if recording is None:
            return f"-ERR Cannot {'mask' if masked else 'unmask'} recording session!\n"
        recording.masked = masked
        return "+OK Success\n"

    def stop_all(self, switch: Switch, channel: Channel) -> None:
        for path in list(channel.recordings):
            self.stop(switch, channel, path)

    def _file(self, path: str) -> Path | None:
        if self.directory is None:
            return None
        file = (self.directory / path).resolve()
        return file if file.is_relative_to(self.directory) else None

    def _write(self, recording: Recording, length_ms: int) -> None:
        file = self._file(recording.path)
        if file is None:
            return
        channels = 2 if recording.stereo else 1
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as out:
                out.setnchannels(channels)
                out.setsampwidth(2)
                out.setframerate(RATE_HZ)
                out.writeframes(_talk(min(length_ms, LONGEST_MS), channels))
        except OSError as error:
            log.warning("recording %s not written: %s", file, error)


def _talk(length_ms: int, channels: int) -> bytes:
    """Two voices that take turns, a second each: not speech, but not silence, and each on its side."""
    frames = length_ms * RATE_HZ // 1000
    pattern = array.array("h")
    for index in range(2 * RATE_HZ):
        caller_speaks = index < RATE_HZ
        hertz = 220 if caller_speaks else 330
        swell = 0.5 + 0.5 * math.sin(2 * math.pi * 4 * index / RATE_HZ)
        sample = int(7000 * swell * math.sin(2 * math.pi * hertz * index / RATE_HZ))
        pattern.extend((sample if caller_speaks else 0, 0 if caller_speaks else sample) if channels == 2 else (sample,))
    whole, rest = divmod(frames, 2 * RATE_HZ)
    return (pattern * whole + pattern[: rest * channels]).tobytes()
