"""Gives every prompt its sound files and tells the engine of their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from apps.telephony.models import Prompt
from apps.telephony.prompts import phrases
from apps.telephony.prompts.library import Library
from apps.telephony.prompts.speech import RATES, sound_name, synthesize
from apps.telephony.services import config_changed


@dataclass(frozen=True)
class Rendered:
    spoken: int  # files that had to be made
    changed: int  # prompts that now name another file


def render_prompts(library: Library | None = None) -> Rendered:
    """Speak what has no file yet, then set the prompts' sounds. Raises ``SpeechUnavailable`` before any row changes.

    A prompt without text keeps the recording it names; one with text is spoken by the voice.
    """
    library = library or Library.default()
    prompts = list(Prompt.objects.order_by("pk"))
    texts = {(text, lang) for prompt in prompts for lang, text in _texts(prompt)} | set(phrases.texts())
    missing = sorted((text, lang) for text, lang in texts if not library.has(sound_name(text, lang)))
    for text, lang in missing:
        library.add(sound_name(text, lang), synthesize(text, lang))
    with transaction.atomic():
        changed = sum(_set_sounds(library, prompt) for prompt in prompts)
        if changed:
            config_changed()
    return Rendered(spoken=len(missing), changed=changed)


def ship_prompts(directory: Path) -> int:
    """For maintainers: stored prompts and our own phrases at the telephone's rate, nothing else, in ``directory``."""
    library = Library(own=directory, shipped=directory)
    texts = {(text, lang) for prompt in Prompt.objects.all() for lang, text in _texts(prompt)} | set(phrases.texts())
    wanted = {sound_name(text, lang): (text, lang) for text, lang in texts}
    for name, (text, lang) in sorted(wanted.items()):
        if not library.has(name):
            library.add(name, {RATES[0]: synthesize(text, lang)[RATES[0]]})
    for path in (directory / str(RATES[0])).glob("*.wav"):
        if path.name not in wanted:
            path.unlink()
    return len(wanted)


def _texts(prompt: Prompt) -> list[tuple[str, str]]:
    pairs = (("zh", prompt.text_zh.strip()), ("en", prompt.text_en.strip()))
    return [(lang, text) for lang, text in pairs if text]


def _set_sounds(library: Library, prompt: Prompt) -> bool:
    sounds = {lang: sound_name(text, lang) for lang, text in _texts(prompt)}
    zh, en = sounds.get("zh", prompt.sound_zh), sounds.get("en", prompt.sound_en)
    new = {"sound_zh": zh, "sound_en": en, "length_zh_ms": library.length_ms(zh), "length_en_ms": library.length_ms(en)}
    if all(getattr(prompt, name) == value for name, value in new.items()):
        return False
    Prompt.objects.filter(pk=prompt.pk).update(**new)
    return True
