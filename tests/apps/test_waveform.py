"""The shape of a recording: right, computed once, and never in the way."""

from __future__ import annotations

import array
import math
import wave
from pathlib import Path

import pytest

from apps.recordings import waveform as module
from apps.recordings.waveform import NoShape, waveform

RATE = 8000


def record(path: Path, left: list[float], right: list[float] | None = None, second: int = RATE) -> Path:
    """A file with a tone of the given loudness in each second of each channel."""
    channels = [left] if right is None else [left, right]
    samples = array.array("h")
    for at in range(len(left)):
        for frame in range(second):
            tone = math.sin(2 * math.pi * 440 * frame / RATE)
            samples.extend(int(32767 * channel[at] * tone) for channel in channels)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(len(channels))
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())
    return path


def test_each_side_has_a_lane_of_its_own(tmp_path: Path) -> None:
    shape = waveform(record(tmp_path / "a.wav", [1, 0, 0.5, 0], [0, 0.25, 0, 0]), tmp_path)
    assert shape["duration_ms"] == 4000
    left, right = shape["channels"]
    assert len(left) == len(right) == 100
    second = [lane[at * 25 + 12] for lane in (left, right) for at in range(4)]
    assert second == pytest.approx([254, 0, 127, 0, 0, 63, 0, 0], abs=2)


def test_mono_and_empty(tmp_path: Path) -> None:
    assert len(waveform(record(tmp_path / "mono.wav", [0.5] * 10), tmp_path)["channels"]) == 1
    assert waveform(record(tmp_path / "none.wav", [], []), tmp_path) == {
        "version": 1, "duration_ms": 0, "channels": [[], []],
    }  # fmt: skip


def test_an_hour_has_no_more_points_than_a_screen(tmp_path: Path) -> None:
    shape = waveform(record(tmp_path / "long.wav", [0.5] * 3600, second=80), tmp_path)
    assert len(shape["channels"][0]) <= 2000


def test_it_is_computed_once_and_anew_when_the_file_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "a.wav", [1])
    first = waveform(path, tmp_path / "cache")
    assert (tmp_path / "a.wav.peaks.json").exists()
    with monkeypatch.context() as patched:
        patched.setattr(module, "_computed", lambda path: pytest.fail("computed again"))
        assert waveform(path, tmp_path / "cache") == first
    record(path, [0, 0])
    assert waveform(path, tmp_path / "cache")["duration_ms"] == 2000


def test_where_the_recordings_are_read_only_the_shape_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "a.wav", [1])
    write_text = Path.write_text

    def refused_there(place: Path, text: str) -> int:
        if place.parent == tmp_path:
            raise PermissionError("read only")
        return write_text(place, text)

    monkeypatch.setattr(Path, "write_text", refused_there)
    shape = waveform(path, tmp_path / "cache")
    assert not (tmp_path / "a.wav.peaks.json").exists()
    assert (tmp_path / "cache" / "a.wav.peaks.json").exists() and waveform(path, tmp_path / "cache") == shape


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF" + bytes(96), b"ID3\x03 mp3"])
def test_what_is_no_wav_has_no_shape(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(NoShape):
        waveform(path, tmp_path)


def test_a_spoilt_cache_is_computed_again(tmp_path: Path) -> None:
    path = record(tmp_path / "a.wav", [1])
    good = waveform(path, tmp_path)
    for spoilt in ("", "{", "[]", '{"stamp":1}', "null"):
        (tmp_path / "a.wav.peaks.json").write_text(spoilt)
        assert waveform(path, tmp_path) == good
