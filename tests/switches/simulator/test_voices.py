"""A simulated recording holds what the caller and the agent said, each on its side, and silence while it was paused."""

from __future__ import annotations

import array
import wave
from pathlib import Path

import pytest

from apps.switches.simulator.channel import Channel
from apps.switches.simulator.clock import Scheduler
from apps.switches.simulator.model import Switch
from apps.switches.simulator.recording import Recorder
from apps.switches.simulator.voices import RATE_HZ, Voices

SHIPPED = Path(__file__).resolve().parents[3] / "fixtures" / "sounds" / "callers"


def recorded(tmp_path: Path, *, keys: str, number: str = "13800138001", masked: tuple[int, int] | None = None) -> Path:
    """A recording of 40 s; ``masked`` is from-to in ms after its beginning."""
    switch = Switch(clock=Scheduler(1_000_000), recorder=Recorder(tmp_path, Voices(SHIPPED)))
    channel = Channel("u", "sofia/x", "inbound", number, "", "4001", switch.clock.now_ms, pressed=keys)
    channel.variables["RECORD_STEREO"] = "true"
    assert switch.recorder.start(switch, channel, "a.wav").startswith("+OK")
    for end_ms, mask in ((masked[0], True), (masked[1], False)) if masked else ():
        switch.clock.run_until(1_000_000 + end_ms)
        assert switch.recorder.mask(switch, channel, "a.wav", mask).startswith("+OK")
    switch.clock.run_until(1_040_000)
    assert switch.recorder.stop(switch, channel, "a.wav").startswith("+OK")
    return tmp_path / "a.wav"


def sides(path: Path) -> tuple[array.array[int], array.array[int]]:
    with wave.open(str(path), "rb") as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (2, RATE_HZ, 40 * RATE_HZ)
        samples = array.array("h", sound.readframes(sound.getnframes()))
    return samples[::2], samples[1::2]


def spoken(name: str) -> array.array[int]:
    with wave.open(str(SHIPPED / name), "rb") as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


@pytest.mark.parametrize(
    ("keys", "number", "line"),
    [
        ("12", "13800138000", "zh-1-1.wav"),
        ("1", "13800138001", "zh-2-1.wav"),
        ("21", "1", "en-2-1.wav"),
        ("", "", "zh-1-1.wav"),
    ],
)
def test_the_caller_is_on_the_left_in_their_language(tmp_path: Path, keys: str, number: str, line: str) -> None:
    left, right = sides(recorded(tmp_path, keys=keys, number=number))
    said = spoken(line)
    assert left[: len(said)] == said
    assert not any(right[: len(said)]) and max(map(abs, right)) > 8_000


def test_a_paused_recording_is_silent_for_as_long(tmp_path: Path) -> None:
    left, right = sides(recorded(tmp_path, keys="1", masked=(1_000, 21_000)))
    first, last = RATE_HZ, 21 * RATE_HZ
    assert not any(left[first:last]) and not any(right[first:last])
    assert max(map(abs, left[:first])) > 8_000 and max(map(abs, left[last:])) > 8_000


def test_a_recording_without_voices_is_not_silent(tmp_path: Path) -> None:
    assert (telling := Voices(None).telling("1", "1")) is None, telling
    switch = Switch(clock=Scheduler(0), recorder=Recorder(tmp_path))
    channel = Channel("u", "sofia/x", "inbound", "1", "", "4001", 0)
    switch.recorder.start(switch, channel, "a.wav")
    switch.clock.run_until(3_000)
    switch.recorder.stop(switch, channel, "a.wav")
    with wave.open(str(tmp_path / "a.wav"), "rb") as sound:
        assert sound.getnchannels() == 2
        assert max(map(abs, array.array("h", sound.readframes(sound.getnframes())))) > 5_000
