"""Telephone numbers as people and trunks write them, and the one form in which they are stored: E.164.

Pure: no database, no clock. A trunk delivers the same caller as +8613800138000, 008613800138000, 013800138000,
913800138000 … depending on carrier and PBX, so a text may have several readings. What it can mean is decided here, who
it is by who is on file (``selectors.match``).

A code too short for E.164 (10086, 95588, an extension) is kept as its digits, without a plus.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat

MOST_CHARACTERS = 64
MOST_PREFIXES = 2  # one for the outside line, one by the carrier
WITHHELD_WORDS = {
    "anonymous", "restricted", "private", "unavailable", "unknown", "withheld", "blocked", "noname", "asserted",
    "匿名", "未知", "无主叫", "隐藏号码",
}  # fmt: skip
_SEPARATORS = re.compile(r"[\s\-‐-―−()\[\]./·•_]+")
_EXTENSION = re.compile(r"(?:;ext=|转接?|分机号?|ext\.?|extension|x|#|,|;)+[:=.\s]*(\d{1,8})#?$", re.IGNORECASE)
_DIGITS = re.compile(r"(\+?)(\d{1,20})")
_SHORT = re.compile(r"\d{3,6}")
STORED = re.compile(r"\+[1-9]\d{6,14}|\d{3,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the numbers of one tenant are to be read.

    ``region`` is where a number without country code is at home (ISO 3166), ``area_code`` completes a local number
    (without the leading 0), ``outside_prefixes`` are digits that a PBX or trunk may have put in front.
    """

    region: str = "CN"
    area_code: str = ""
    outside_prefixes: tuple[str, ...] = ("0", "9")


@dataclass(frozen=True, slots=True)
class Reading:
    """``numbers`` are all that the text can mean, the likeliest first; none when it is withheld or no number."""

    numbers: tuple[str, ...] = ()
    extension: str = ""
    withheld: bool = False

    @property
    def number(self) -> str:
        """The likeliest, or an empty text."""
        return self.numbers[0] if self.numbers else ""


def read(text: str, plan: Plan) -> Reading:
    """What a number, as written by a person or sent by a trunk, can mean. Never raises."""
    written = _user_part(unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).strip())
    if not written or written.lower().replace(" ", "") in WITHHELD_WORDS or not written.strip("0 +-"):
        return Reading(withheld=True)
    extension = ""
    if (found := _EXTENSION.search(written)) is not None and found.start() > 2:
        written, extension = written[: found.start()], found[1]
    shape = _DIGITS.fullmatch(_SEPARATORS.sub("", written.strip(" ,;")))
    if shape is None:
        return Reading()
    numbers = dict.fromkeys(_readings(shape[2], plus=bool(shape[1]), plan=plan))
    return Reading(tuple(numbers), extension)


def spellings(number: str, plan: Plan) -> list[str]:
    """The texts in which a trunk may deliver a stored number: what to look for in the history of calls."""
    texts = [number]
    if number.startswith("+"):
        digits = number[1:]
        texts += [digits, f"00{digits}", *_home_texts(number, plan)]
    texts += [prefix + text for prefix in plan.outside_prefixes for text in texts if not text.startswith("+")]
    return [text for text in dict.fromkeys(texts) if number in read(text, plan).numbers]


def _home_texts(number: str, plan: Plan) -> list[str]:
    """As it is written at home: with and without the area code."""
    parsed = phonenumbers.parse(number)
    if parsed.country_code != phonenumbers.country_code_for_region(plan.region):
        return []
    national = phonenumbers.national_significant_number(parsed)
    local = national.removeprefix(plan.area_code)
    return [national, f"0{national}", *([local] if len(local) in (6, 7, 8) else [])]


def shown(number: str, region: str = "CN") -> str:
    """A stored number for reading: at home in the national form, else in the international one."""
    if not number.startswith("+"):
        return number
    parsed = phonenumbers.parse(number)
    home = parsed.country_code == phonenumbers.country_code_for_region(region)
    form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def _user_part(text: str) -> str:
    """``13800138000`` of ``sip:13800138000@carrier;user=phone``; a tel: URI keeps its ;ext=."""
    scheme, _, rest = text.partition(":")
    if scheme.lower() in ("sip", "sips"):
        return rest.split("@")[0].split(";")[0]
    return rest if scheme.lower() == "tel" else text


def _readings(digits: str, *, plus: bool, plan: Plan) -> Iterator[str]:
    """E.164 texts, the likeliest first; a short code as it is."""
    if plus:
        yield from _known(f"+{digits.lstrip('0')}", None, sure=False)
        return
    sure = list(_sure(digits, plan, MOST_PREFIXES))
    if sure:
        yield from sure
    elif _SHORT.fullmatch(digits):
        yield digits
    else:
        # Numbering plans grow faster than tables of them: what has a possible length is taken.
        yield from _known(digits, plan.region, sure=False)
        if not digits.startswith("0"):
            yield from _known(f"+{digits}", None, sure=False)


def _sure(digits: str, plan: Plan, prefixes_left: int) -> Iterator[str]:
    """Readings that the numbering plans of the world confirm."""
    home = list(_known(digits, plan.region))
    yield from home
    if home and not digits.startswith("00"):
        return  # a Chinese mobile is, with a plus in front, a number in North America: do not look further
    if plan.area_code and len(digits) in (6, 7, 8):
        yield from _known(f"0{plan.area_code}{digits}", plan.region)
    if prefixes_left:
        for text in _without_prefix(digits, plan):
            yield from _sure(text, plan, prefixes_left - 1)
    if not digits.startswith("0"):
        yield from _known(f"+{digits}", None)


def _without_prefix(digits: str, plan: Plan) -> Iterator[str]:
    for prefix in plan.outside_prefixes:
        if digits.startswith(prefix):
            yield digits.removeprefix(prefix)


def _known(text: str, region: str | None, *, sure: bool = True) -> Iterator[str]:
    """The number as E.164, if there are such numbers; unless ``sure``, if there could be."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return
    check = phonenumbers.is_valid_number if sure else phonenumbers.is_possible_number
    number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    if check(parsed) and STORED.fullmatch(number):
        yield number
