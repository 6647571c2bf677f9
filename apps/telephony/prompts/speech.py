"""Text to speech with espeak-ng, offline."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from apps.telephony.prompts import audio
from apps.telephony.prompts.reader import spell

# cmn reads pinyin as if it were English.
VOICES = {"zh": "cmn-latn-pinyin", "en": "en-us"}
WORDS_PER_MINUTE = {"zh": 165, "en": 155}
RATES = (8000, 16000)  # Hz; trunks and browsers
READER = 1  # raise when ``reader`` or ``audio`` speaks the same text differently: names change, files are made anew
TIMEOUT_S = 60


class SpeechUnavailable(RuntimeError):
    """No voice on this machine; the message says what to install."""


def sound_name(text: str, lang: str) -> str:
    """The file's name, from all that makes its content, so it can be known without speaking."""
    inputs = {
        "engine": "espeak-ng",
        "reader": READER,
        "voice": VOICES[lang],
        "wpm": WORDS_PER_MINUTE[lang],
        "text": text,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode()).hexdigest() + ".wav"


def synthesize(text: str, lang: str, *, voice: str | None = None) -> dict[int, bytes]:
    """Rate in Hz -> wav, mono 16 bit, peak -3 dBFS. ``voice``: espeak-ng's name of another one than the prompts'.

    Raises ``SpeechUnavailable``, or ``ValueError`` for silence.
    """
    spoken, rate = audio.read_wav(_espeak(spell(text, lang), voice or VOICES[lang], WORDS_PER_MINUTE[lang]))
    if audio.rms(spoken) < 1:
        raise ValueError(f"nothing to hear in {text[:40]!r}")
    return {new: audio.write_wav(audio.at_peak(audio.resample(spoken, rate, new)), new) for new in RATES}


def _espeak(text: str, voice: str, words_per_minute: int) -> bytes:
    """The text goes by standard input: whatever it begins with is no option."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpeechUnavailable("espeak-ng is not installed: apt install espeak-ng")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "speech.wav"
        command = [program, "-v", voice, "-s", str(words_per_minute), "-b", "1", "-w", str(path), "--stdin"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=False)
        if done.returncode or not path.exists():
            raise SpeechUnavailable(
                f"espeak-ng failed with voice {voice}: {done.stderr.decode(errors='replace')[:200]}"
            )
        return path.read_bytes()
