"""What Trunkline says by itself to people in line: place, wait, call back. Texts, and how numbers are put together.

Names are the core's (``apps/core/queues/announcements.py``); ``#`` stands for a number. They are spoken and shipped
like a tenant's prompts, and belong to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from apps.telephony.prompts.library import Library
from apps.telephony.prompts.reader import en_number, zh_number
from apps.telephony.prompts.speech import sound_name

LARGEST_NUMBER = 99
Phrases = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Language -> name -> sound files."""

PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "zh": {
        "position": ("您现在排在第", "#", "位。"),
        "position.far": ("您前面等待的人较多。",),
        "wait": ("预计等待时间约", "#", "分钟。"),
        "wait.2": ("预计等待时间约两分钟。",),  # 两, not 二, before a measure word
        "wait.minute": ("预计一分钟内为您接通。",),
        "wait.long": ("预计等待时间超过一小时。",),
        "callback.confirm": ("我们将回拨的号码是：",),
        "callback.keys": ("确认请按1，更换号码请按2，继续等待请按星号键。",),
        "callback.number": ("请输入电话号码，按井号键结束。",),
        "callback.invalid": ("无法呼叫这个号码。",),
        "callback.already": ("这个号码已经预约了回拨。",),
        "callback.booked": ("已为您预约回拨，您的排队位置为您保留。感谢来电，再见。",),
        "callback.greeting": ("您好，这是您预约的回拨，正在为您接通座席。",),
        "callback.offer": ("如需挂机并保留排队位置，由我们回拨给您，请按", "#"),
        **{f"digit.{digit}": (word,) for digit, word in enumerate("零幺二三四五六七八九")},
    },
    "en": {
        "position": ("You are number", "#", "in line."),
        "position.far": ("There are many callers before you.",),
        "wait": ("The expected wait is about", "#", "minutes."),
        "wait.minute": ("We expect to connect you within a minute.",),
        "wait.long": ("The expected wait is more than an hour.",),
        "callback.confirm": ("We will call you back on:",),
        "callback.keys": ("To confirm, press 1. For another number, press 2. To keep waiting, press star.",),
        "callback.number": ("Please enter the telephone number, then press pound.",),
        "callback.invalid": ("We cannot call this number.",),
        "callback.already": ("This number has a call back booked already.",),
        "callback.booked": ("Your call back is booked, and your place in line is kept. Thank you, goodbye.",),
        "callback.greeting": ("Hello. This is the call back that you asked for. We are connecting you.",),
        "callback.offer": ("To hang up and be called back in your turn, press", "#"),
        **{f"digit.{digit}": tuple(en_number(digit)) for digit in range(10)},
    },
}  # fmt: skip


def _words(number: int) -> dict[str, tuple[str, ...]]:
    """By words, which are few: 27 is "twenty" and "seven", 二 十 七."""
    english = (word for part in en_number(number) for word in part.split("-"))
    return {"zh": tuple(zh_number(number)), "en": tuple(english)}


NUMBERS: dict[str, dict[str, tuple[str, ...]]] = {
    lang: {**{str(number): _words(number)[lang] for number in range(LARGEST_NUMBER + 1)}, **keys}
    for lang, keys in {
        "zh": {"*": ("星号键",), "#": ("井号键",)},
        "en": {"*": ("star",), "#": ("pound",)},
    }.items()
}
"""Keys of a telephone among them."""


def texts() -> Iterator[tuple[str, str]]:
    """Everything to be spoken, with its language, each once."""
    for lang in PHRASES:
        spoken = [text for items in (*PHRASES[lang].values(), *NUMBERS[lang].values()) for text in items]
        yield from ((text, lang) for text in dict.fromkeys(spoken) if text != "#")


def phrase_names() -> list[str]:
    """Their files, for the switch's sound directory."""
    return sorted({sound_name(text, lang) for text, lang in texts()})


def phrase_sounds(library: Library) -> tuple[Phrases, Phrases]:
    """Phrases and numbers as sound files, as far as all the files of one are there."""
    return _sounds(library, PHRASES), _sounds(library, NUMBERS)


def phrase_lengths(library: Library) -> dict[str, int]:
    lengths = {name: _length_ms(library, name) for name in (sound_name(text, lang) for text, lang in texts())}
    return {name: length_ms for name, length_ms in lengths.items() if length_ms is not None}


def _sounds(library: Library, spoken: Phrases) -> Phrases:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for lang, phrases in spoken.items():
        files = {name: tuple(_file(text, lang) for text in items) for name, items in phrases.items()}
        complete = {
            name: sounds
            for name, sounds in files.items()
            if all(sound == "#" or _length_ms(library, sound) is not None for sound in sounds)
        }
        if complete:
            found[lang] = complete
    return found


def _file(text: str, lang: str) -> str:
    return "#" if text == "#" else sound_name(text, lang)


@lru_cache(maxsize=2_000)
def _known_length_ms(library: Library, name: str) -> int:
    """A name never changes its content. What is missing may come: that is not remembered."""
    length_ms = library.length_ms(name)
    if length_ms is None:
        raise LookupError(name)
    return length_ms


def _length_ms(library: Library, name: str) -> int | None:
    try:
        return _known_length_ms(library, name)
    except LookupError:
        return None
