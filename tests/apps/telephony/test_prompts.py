"""Sound: what a machine without a voice does, and what comes out of one with."""

from __future__ import annotations

import array
import math
import shutil
from pathlib import Path

import pytest

from apps.demo.story import load_story
from apps.telephony.center_config import compile_center_config, current_version
from apps.telephony.models import Prompt
from apps.telephony.prompts import audio, music, speech
from apps.telephony.prompts.library import SHIPPED, Library, place_sounds
from apps.telephony.prompts.phrases import NUMBERS, PHRASES, phrase_lengths, phrase_names, phrase_sounds
from apps.telephony.prompts.rendering import render_prompts

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="SKIPPED: no espeak-ng on this machine")


def tone(hertz: int, rate: int, seconds: float = 1.0) -> array.array[int]:
    return array.array(
        "h", (round(20000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(rate * seconds)))
    )


def test_a_tone_survives_resampling_and_what_lies_above_the_new_band_does_not() -> None:
    kept = audio.resample(tone(1000, 22050), 22050, 8000)
    wanted = tone(1000, 8000)
    assert max(abs(a - b) for a, b in zip(kept[200:-200], wanted[200:-200], strict=True)) < 20
    assert audio.rms(audio.resample(tone(5500, 22050), 22050, 8000)[200:-200]) < 20


def test_peak_is_minus_three_decibels_and_silence_stays() -> None:
    assert max(map(abs, audio.at_peak(tone(440, 8000)))) == audio.PEAK == 23197
    silence = array.array("h", [0] * 80)
    assert audio.at_peak(silence) == silence


def test_wav_there_and_back_and_no_other_shape() -> None:
    samples = tone(440, 8000, 0.1)
    assert audio.read_wav(audio.write_wav(samples, 8000)) == (samples, 8000)
    with pytest.raises(ValueError, match="wav"):
        audio.read_wav(b"RIFF nonsense")


def test_hold_music_is_heard_and_loops_without_a_click() -> None:
    samples, rate = audio.read_wav(music.hold_music())
    assert rate == 8000 and len(samples) == 16 * 8000
    assert audio.rms(samples) > 500
    assert abs(samples[0] - samples[-1]) < 1500
    assert music.hold_music() == music.hold_music()


def test_names_follow_the_text_the_language_and_nothing_else() -> None:
    assert speech.sound_name("你好", "zh") == speech.sound_name("你好", "zh") != speech.sound_name("你好", "en")
    assert len(speech.sound_name("x", "en")) == 68


def test_without_a_voice_the_error_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(speech.SpeechUnavailable, match="apt install espeak-ng"):
        speech.synthesize("hello", "en")


@needs_voice
@pytest.mark.parametrize(("text", "lang"), [("普通话请按 1", "zh"), ("--help is no option", "en"), ("<speak>&", "en")])
def test_speech_is_heard_at_both_rates(text: str, lang: str) -> None:
    wavs = speech.synthesize(text, lang)
    lengths = []
    for rate in (8000, 16000):
        samples, found = audio.read_wav(wavs[rate])
        assert found == rate and max(map(abs, samples)) == audio.PEAK and audio.rms(samples) > 300
        lengths.append(len(samples) / rate)
    assert abs(lengths[0] - lengths[1]) < 0.01 and lengths[0] > 0.5


@needs_voice
def test_silence_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to hear"):
        speech.synthesize("   ", "en")


def test_the_library_prefers_its_own_and_falls_back_to_what_is_shipped(tmp_path: Path) -> None:
    library = Library(own=tmp_path / "own", shipped=tmp_path / "shipped")
    shipped = tmp_path / "shipped" / "8000" / "a.wav"
    shipped.parent.mkdir(parents=True)
    shipped.write_bytes(b"1")
    assert library.find("a.wav", 8000) == shipped and library.has("a.wav") and not library.has("b.wav")
    library.add("a.wav", {8000: b"2"})
    found = library.find("a.wav", 8000)
    assert found is not None and found.read_bytes() == b"2"


@pytest.mark.django_db
def test_the_storys_sounds_are_shipped_so_the_demo_needs_no_voice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After a change of its texts: ``manage.py load_story && manage.py prompts ship``."""
    load_story()
    version = current_version()
    monkeypatch.setenv("PATH", str(tmp_path))
    library = Library(own=tmp_path / "own", shipped=SHIPPED)
    done = render_prompts(library)
    assert done.spoken == 0 and done.changed == Prompt.objects.count() > 10
    assert current_version() == version + 1
    assert render_prompts(library).changed == 0
    assert place_sounds(library, tmp_path / "sounds", phrase_names()) == []
    for prompt in Prompt.objects.all():
        for name in prompt.sounds().values():
            samples, rate = audio.read_wav((tmp_path / "sounds" / "8000" / name).read_bytes())
            assert rate == 8000 and audio.rms(samples) > 300
            assert compile_center_config(1).lasts_ms([name]) == len(samples) * 1000 // rate
    assert (tmp_path / "sounds" / "music" / "trunkline.wav").stat().st_size > 100_000


def test_what_we_say_ourselves_is_shipped_whole_in_both_languages() -> None:
    """After a change of its texts: ``manage.py load_story && manage.py prompts ship``."""
    library = Library(own=SHIPPED, shipped=SHIPPED)
    phrases, numbers = phrase_sounds(library)
    lengths = phrase_lengths(library)
    for lang in ("zh", "en"):
        assert phrases[lang].keys() == PHRASES[lang].keys() and numbers[lang].keys() == NUMBERS[lang].keys()
        spoken = [name for files in (*phrases[lang].values(), *numbers[lang].values()) for name in files if name != "#"]
        assert set(spoken) <= set(phrase_names()) and min(lengths[name] for name in spoken) > 100
    assert set(PHRASES["zh"]) - set(PHRASES["en"]) == {"wait.2"}


def test_what_has_no_sound_is_left_out(tmp_path: Path) -> None:
    library = Library(own=tmp_path, shipped=tmp_path)
    assert phrase_sounds(library) == ({}, {}) and phrase_lengths(library) == {}


def test_numbers_are_put_together_from_few_words() -> None:
    assert NUMBERS["zh"]["12"] == ("十", "二") and NUMBERS["zh"]["40"] == ("四", "十")
    assert NUMBERS["en"]["27"] == ("twenty", "seven") and NUMBERS["en"]["12"] == ("twelve",)
    assert len({word for words in NUMBERS["en"].values() for word in words}) == 30
