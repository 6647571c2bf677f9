"""Mono 16-bit sound in memory: reading and writing wav, changing its rate and its peak. Standard library only."""

from __future__ import annotations

import array
import io
import math
import operator
import sys
import wave
from functools import lru_cache

Samples = array.array  # of "h", native byte order
PEAK = round(32767 * 10 ** (-3 / 20))  # -3 dBFS
ZERO_CROSSINGS = 12  # of the interpolating filter, each side: -70 dB of aliasing and 0.1 s for 5 s of speech


def read_wav(data: bytes) -> tuple[Samples[int], int]:
    """Samples and their rate in Hz. Raises ``ValueError`` for anything but mono 16 bit."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            shape = (file.getnchannels(), file.getsampwidth())
            rate, frames = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a wav file: {error}") from error
    if shape != (1, 2):
        raise ValueError("expected mono 16 bit")
    samples = array.array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, rate


def write_wav(samples: Samples[int], rate: int) -> bytes:
    stored = array.array("h", samples)
    if sys.byteorder == "big":
        stored.byteswap()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(stored.tobytes())
    return buffer.getvalue()


def resample(samples: Samples[int], rate: int, new_rate: int) -> Samples[int]:
    """The same sound at another rate, by a windowed sinc with one set of taps for each phase."""
    if rate == new_rate:
        return samples
    divisor = math.gcd(rate, new_rate)
    step, phases = rate // divisor, new_rate // divisor
    taps = _taps(step, phases)
    width = len(taps[0])
    margin = array.array("h", bytes(2 * width))
    padded = margin + samples + margin
    result = array.array("h")
    for index in range(len(samples) * phases // step):
        whole, phase = divmod(index * step, phases)
        start = whole + width - width // 2 + 1
        value = sum(map(operator.mul, taps[phase], padded[start : start + width]))
        result.append(max(-32768, min(32767, round(value))))
    return result


@lru_cache(maxsize=8)
def _taps(step: int, phases: int) -> list[list[float]]:
    cutoff = min(1.0, phases / step) * 0.95
    half = math.ceil(ZERO_CROSSINGS / cutoff)
    table = []
    for phase in range(phases):
        offsets = [tap - half + 1 - phase / phases for tap in range(2 * half)]
        taps = [_sinc(cutoff * offset) * _window(offset / half) for offset in offsets]
        total = sum(taps)
        table.append([tap / total for tap in taps])
    return table


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _window(x: float) -> float:
    """Blackman."""
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x) if abs(x) < 1 else 0.0


def at_peak(samples: Samples[int], peak: int = PEAK) -> Samples[int]:
    """As loud as can be without passing ``peak``. Silence stays silence."""
    loudest = max(map(abs, samples), default=0)
    if loudest == 0:
        return samples
    return array.array("h", (round(sample * peak / loudest) for sample in samples))


def rms(samples: Samples[int]) -> float:
    """Loudness, 0 to 32767."""
    return math.sqrt(sum(map(operator.mul, samples, samples)) / len(samples)) if samples else 0.0
