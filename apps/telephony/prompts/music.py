"""Music on hold of our own making, so that no licence is owed: slow chords, soft tones, an endless loop."""

from __future__ import annotations

import array
import math

from apps.telephony.prompts import audio

RATE = 8000
CHORD_S = 4
# Frequencies in Hz: C, A minor, F, G, each as root, fifth, octave, third above.
CHORDS = (
    (130.81, 196.00, 261.63, 329.63),
    (110.00, 164.81, 261.63, 329.63),
    (87.31, 174.61, 261.63, 349.23),
    (98.00, 196.00, 246.94, 293.66),
)
NOTE_S = CHORD_S / 4
QUIET = round(32767 * 10 ** (-12 / 20))  # announcements must stand out


def hold_music() -> bytes:
    """16 s of wav, 8 kHz mono, the same bytes every time. Every note is over before the loop ends."""
    total = len(CHORDS) * CHORD_S * RATE
    mix = [0.0] * total
    for bar, chord in enumerate(CHORDS):
        for beat, frequency in enumerate(chord):
            start = int((bar * CHORD_S + beat * NOTE_S) * RATE)
            for index, value in enumerate(_note(frequency * 2)):
                mix[(start + index) % total] += value
    loudest = max(map(abs, mix))
    return audio.write_wav(array.array("h", (round(value / loudest * QUIET) for value in mix)), RATE)


def _note(frequency: float, seconds: float = 3.0) -> list[float]:
    """A soft attack and a long decay; two partials."""
    samples = int(seconds * RATE)
    turn = 2 * math.pi * frequency / RATE
    envelope = [min(1.0, n / (0.06 * RATE)) * math.exp(-1.6 * n / RATE) * (1 - n / samples) for n in range(samples)]
    return [level * (math.sin(turn * n) + 0.25 * math.sin(2 * turn * n)) for n, level in enumerate(envelope)]
