"""Where sounds lie: ``<root>/8000/<name>`` and ``<root>/16000/<name>``, immutable because named by what they hold."""

from __future__ import annotations

import secrets
import shutil
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.telephony.models import MusicClass, Prompt
from apps.telephony.prompts.music import hold_music
from apps.telephony.prompts.speech import RATES

SHIPPED = settings.BASE_DIR / "fixtures" / "sounds"  # the demo's own prompts: nothing to install for them


@dataclass(frozen=True)
class Library:
    """``own`` is written to; ``shipped`` is only read."""

    own: Path
    shipped: Path

    @classmethod
    def default(cls) -> Library:
        return cls(own=settings.STATE_DIR / "sounds", shipped=SHIPPED)

    def find(self, name: str, rate: int) -> Path | None:
        paths = (root / str(rate) / name for root in (self.own, self.shipped))
        return next((path for path in paths if path.is_file()), None)

    def has(self, name: str) -> bool:
        """At the telephone's rate at least; the switch resamples from it."""
        return self.find(name, RATES[0]) is not None

    def length_ms(self, name: str) -> int | None:
        """None where there is no such sound, or one that is no wav."""
        path = self.find(name, RATES[0]) if name else None
        if path is None:
            return None
        try:
            with wave.open(str(path), "rb") as sound:
                return sound.getnframes() * 1000 // sound.getframerate()
        except (wave.Error, EOFError, ZeroDivisionError):
            return None

    def add(self, name: str, wavs: dict[int, bytes]) -> None:
        """Keep a sound; readers see the whole file or none."""
        for rate, data in wavs.items():
            path = self.own / str(rate) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
            draft.write_bytes(data)
            draft.replace(path)


def place_sounds(library: Library, target: Path, extra: Iterable[str] = ()) -> list[str]:
    """Copy all prompts, the ``extra`` sounds and the music to a switch's sounds directory.

    Returns the names that are not rendered yet.
    """
    missing = []
    for name in (*_prompt_names(), *extra):
        found = {rate: path for rate in RATES if (path := library.find(name, rate)) is not None}
        if not found:
            missing.append(name)
        for rate, path in found.items():
            _copy(path, target / str(rate) / name)
    for directory in {"music", *MusicClass.objects.values_list("directory", flat=True)}:
        _place_music(target / directory)
    return missing


def _prompt_names() -> Iterable[str]:
    names = {name for prompt in Prompt.objects.all() for name in prompt.sounds().values()}
    return sorted(names)


def _copy(source: Path, target: Path) -> None:
    """A name never changes its content, so a file that is there stays."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, draft)
    draft.replace(target)


def _place_music(directory: Path) -> None:
    """Ours where there is none: the stream of an empty directory would be silence."""
    if not directory.is_dir() or not any(directory.iterdir()):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "trunkline.wav").write_bytes(hold_music())
