"""Tones to send and to find again: which voice is on which side of a recording."""

from __future__ import annotations

import math
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
