"""Gives every prompt its sound files and tells the engine of their names."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from apps.telephony.models import Prompt
from apps.telephony.prompts.library import Library
from apps.telephony.prompts.speech import sound_name, synthesize
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
    texts = {(text, lang) for prompt in prompts for lang, text in _texts(prompt)}
    missing = sorted((text, lang) for text, lang in texts if not library.has(sound_name(text, lang)))
    for text, lang in missing:
        library.add(sound_name(text, lang), synthesize(text, lang))
    with transaction.atomic():
        changed = sum(_set_sounds(prompt) for prompt in prompts)
        if changed:
            config_changed()
    return Rendered(spoken=len(missing), changed=changed)


def _texts(prompt: Prompt) -> list[tuple[str, str]]:
    pairs = (("zh", prompt.text_zh.strip()), ("en", prompt.text_en.strip()))
    return [(lang, text) for lang, text in pairs if text]


def _set_sounds(prompt: Prompt) -> bool:
    sounds = {lang: sound_name(text, lang) for lang, text in _texts(prompt)}
    new = {"sound_zh": sounds.get("zh", prompt.sound_zh), "sound_en": sounds.get("en", prompt.sound_en)}
    if new == {"sound_zh": prompt.sound_zh, "sound_en": prompt.sound_en}:
        return False
    Prompt.objects.filter(pk=prompt.pk).update(**new)
    return True
