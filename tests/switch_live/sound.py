"""Tones to send and to find again: which voice is on which side of a recording."""

from __future__ import annotations

import contextlib
import math
import socket
import time
import wave
from array import array
from pathlib import Path

RATE = 8000
CALLER_HZ = 440
AGENT_HZ = 950


def write_alaw_tone(path: Path, hertz: int, seconds: float = 2.0) -> Path:
    """Raw A-law, what ``rtp_stream`` of SIPp sends. Whole periods, so a loop has no click."""
    samples = (round(8000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(RATE * seconds)))
    path.write_bytes(bytes(map(_alaw, samples)))
    return path


def _alaw(sample: int) -> int:
    """ITU-T G.711."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(abs(sample) >> 4, 0x7FF)
    if magnitude < 32:
        code = magnitude >> 1
    else:
        exponent = magnitude.bit_length() - 5
        code = (exponent << 4) | ((magnitude >> exponent) & 0x0F)
    return (code | sign) ^ 0x55


def channels(path: Path) -> list[array[int]]:
    """The samples of each channel of a 16-bit wav file."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        count, frames = file.getnchannels(), array("h", file.readframes(file.getnframes()))
    return [frames[channel::count] for channel in range(count)]


def rms(samples: array[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) if samples else 0.0


def strength(samples: array[int], hertz: int) -> float:
    """The share of a tone in the sound's power, 0 to 1 (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = before**2 + last**2 - turn * before * last
    total = sum(sample * sample for sample in samples)
    return 2 * power / (len(samples) * total) if total else 0.0


TELEPHONE_EVENT = 101
KEYS = "0123456789*#ABCD"


class Ears:
    """A UDP port that gets a call's RTP, and the keys among it (RFC 4733, one event each, by its timestamp)."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self._events: dict[int, str] = {}

    def keys(self, count: int, timeout_s: float = 10.0) -> str:
        """Once so many keys were heard, or the time is up."""
        deadline = time.monotonic() + timeout_s
        while len(self._events) < count and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                self._take(self._socket.recv(2048))
        return "".join(key for _, key in sorted(self._events.items()))

    def _take(self, packet: bytes) -> None:
        if len(packet) >= 16 and packet[1] & 0x7F == TELEPHONE_EVENT:
            timestamp, event = int.from_bytes(packet[4:8]), packet[12]
            self._events[timestamp] = KEYS[event] if event < len(KEYS) else "?"

    def close(self) -> None:
        self._socket.close()
