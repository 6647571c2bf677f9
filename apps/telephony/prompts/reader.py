"""How a person reads numbers, money, dates and times aloud, as tokens that a voice can speak or recordings can supply.

espeak-ng reads 10500 as 十千五百, so nothing numeric is left to the voice.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import TypeVar

ZH_DIGITS = "零一二三四五六七八九"
ZH_WEEKDAYS = "一二三四五六日"
ZH_GROUPS = ("", "万", "亿", "兆")
# fmt: off
EN_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
EN_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
EN_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]
EN_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
# fmt: on
EN_GROUPS = ("", "thousand", "million", "billion", "trillion")
EN_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LIMIT = 10**15
T = TypeVar("T")


def zh_number(value: int) -> list[str]:
    """1010 -> 一千零一十, 22000 -> 两万两千, 100020000 -> 一亿零两万. Raises ``ValueError`` from 10**15 on."""
    _limit(value)
    if value < 0:
        return ["负", *zh_number(-value)]
    if value == 0:
        return ["零"]
    tokens: list[str] = []
    for power in range(len(ZH_GROUPS) - 1, -1, -1):
        group = value // 10 ** (4 * power) % 10_000
        if group == 0:
            continue
        skipped = bool(tokens) and (
            group < 1000 or (value // 10 ** (4 * power + 4) % 10 == 0 and tokens[-1] != ZH_GROUPS[power + 1])
        )
        if skipped:
            tokens.append("零")
        tokens += _zh_group(group, leading=not tokens, unit=ZH_GROUPS[power])
    return tokens


def _zh_group(group: int, *, leading: bool, unit: str) -> list[str]:
    """One group of four digits. 两 stands before 千 and before the group's own unit, 二 elsewhere."""
    tokens: list[str] = []
    gap = False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = group // place % 10
        if digit == 0:
            gap = bool(tokens)
            continue
        if gap:
            tokens.append("零")
            gap = False
        bare_ten = place == 10 and digit == 1 and leading and not tokens
        if not bare_ten:
            two = "两" if place == 1000 or (group == 2 and unit) else "二"
            tokens.append(two if digit == 2 else ZH_DIGITS[digit])
        if name:
            tokens.append(name)
    return [*tokens, unit] if unit else tokens


def zh_counted(value: int) -> list[str]:
    """A number before a measure word: 2 is 两 there."""
    return ["两"] if value == 2 else zh_number(value)


def zh_digits(text: str) -> list[str]:
    """An account number, digit by digit; 1 is 幺, so that it is not heard as 七."""
    return ["幺" if digit == "1" else ZH_DIGITS[int(digit)] for digit in text if digit.isdecimal()]


def zh_phone(text: str) -> list[str]:
    """Digits with a pause after the third and the seventh of a mobile number (3-4-4)."""
    digits = zh_digits(text)
    return [*digits[:3], "，", *digits[3:7], "，", *digits[7:]] if len(digits) == 11 else digits


def zh_money(cents: int) -> list[str]:
    """10005 -> 一百元零五分."""
    yuan, rest = divmod(abs(cents), 100)
    jiao, fen = divmod(rest, 10)
    tokens = ["负"] if cents < 0 else []
    if yuan or not rest:
        tokens += [*zh_counted(yuan), "元"]
    if jiao:
        tokens += [*zh_counted(jiao), "角"]
    if fen:
        tokens += [*(["零"] if yuan and not jiao else []), *zh_counted(fen), "分"]
    return tokens


def zh_date(date: datetime.date) -> list[str]:
    year = [ZH_DIGITS[int(digit)] for digit in f"{date.year}"]
    return [*year, "年", *zh_number(date.month), "月", *zh_number(date.day), "日", "星期" + ZH_WEEKDAYS[date.weekday()]]


def zh_time(time: datetime.time) -> list[str]:
    """14:05 -> 下午两点零五分."""
    parts = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(name for end, name in parts if time.hour < end)
    hour = time.hour if time.hour <= 12 else time.hour - 12
    tokens = [part, *zh_counted(hour), "点"]
    if time.minute == 0:
        return [*tokens, "整"]
    return [*tokens, *(["零"] if time.minute < 10 else []), *zh_number(time.minute), "分"]


def zh_ordinal(value: int) -> list[str]:
    return ["第", *zh_number(value)]


def zh_duration(seconds: int) -> list[str]:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = ((hours, "小时"), (minutes, "分钟"), (rest, "秒"))
    return [token for count, unit in parts if count for token in (*zh_counted(count), unit)] or ["零", "秒"]


def en_number(value: int) -> list[str]:
    """10500 -> ten thousand five hundred. Raises ``ValueError`` from 10**15 on."""
    _limit(value)
    if value < 0:
        return ["minus", *en_number(-value)]
    if value == 0:
        return ["zero"]
    tokens: list[str] = []
    for power in range(len(EN_GROUPS) - 1, -1, -1):
        group = value // 1000**power % 1000
        if group:
            tokens += [*_en_group(group), *([EN_GROUPS[power]] if power else [])]
    return tokens


def _en_group(group: int) -> list[str]:
    hundreds, rest = divmod(group, 100)
    tokens = [EN_ONES[hundreds], "hundred"] if hundreds else []
    if 0 < rest < 20:
        tokens.append(EN_ONES[rest])
    elif rest:
        tens, ones = EN_TENS[rest // 10], EN_ONES[rest % 10]
        tokens.append(tens if rest % 10 == 0 else f"{tens}-{ones}")
    return tokens


def en_ordinal(value: int) -> list[str]:
    """22 -> twenty-second."""
    *head, last = en_number(value)
    stem, dash, final = last.rpartition("-")
    regular = final[:-1] + "ieth" if final.endswith("y") else final + "th"
    return [*head, stem + dash + EN_ORDINALS.get(final, regular)]


def en_digits(text: str) -> list[str]:
    return [EN_ONES[int(digit)] for digit in text if digit.isdecimal()]


def en_phone(text: str) -> list[str]:
    digits = en_digits(text)
    return [*digits[:3], ",", *digits[3:7], ",", *digits[7:]] if len(digits) == 11 else digits


def en_money(cents: int) -> list[str]:
    """1050000 -> ten thousand five hundred yuan."""
    yuan, fen = divmod(abs(cents), 100)
    tokens = ["minus"] if cents < 0 else []
    if yuan or not fen:
        tokens += [*en_number(yuan), "yuan"]
    if fen:
        tokens += [*(["and"] if yuan else []), *en_number(fen), "fen"]
    return tokens


def en_date(date: datetime.date) -> list[str]:
    year = (
        en_number(date.year)
        if date.year % 1000 < 10
        else [*_en_group(date.year // 100), *_en_year_end(date.year % 100)]
    )
    return [EN_WEEKDAYS[date.weekday()], EN_MONTHS[date.month - 1], *en_ordinal(date.day), *year]


def _en_year_end(years: int) -> list[str]:
    if years == 0:
        return ["hundred"]
    return ["oh", EN_ONES[years]] if years < 10 else _en_group(years)


def en_time(time: datetime.time) -> list[str]:
    """14:05 -> two oh five p.m."""
    half = "a.m." if time.hour < 12 else "p.m."
    minutes = ["oh", EN_ONES[time.minute]] if 0 < time.minute < 10 else en_number(time.minute) if time.minute else []
    return [*en_number((time.hour - 1) % 12 + 1), *minutes, half]


def en_duration(seconds: int) -> list[str]:
    parts = ((seconds // 3600, "hour"), (seconds // 60 % 60, "minute"), (seconds % 60, "second"))
    spoken = [[*en_number(count), unit + ("" if count == 1 else "s")] for count, unit in parts if count]
    return [token for part in spoken for token in part] or ["zero", "seconds"]


def _limit(value: int) -> None:
    if abs(value) >= LIMIT:
        raise ValueError(f"numbers from {LIMIT} on are read as digits")


# What a prompt's own text may hold, most special first. Dates and times that do not exist are read number by number.
_NUMERIC = re.compile(
    r"(?P<date>(?<!\d)\d{4}-\d{2}-\d{2}(?!\d))|(?P<time>(?<!\d)\d{1,2}:\d{2}(?!\d))"
    r"|(?P<money>(?<!\d)\d{1,12}\.\d{1,2}(?=\s*(元|yuan)))\s*(元|yuan)|(?P<decimal>\d+\.\d+)|(?P<digits>\d[\d-]*\d|\d)"
)


def spell(text: str, lang: str) -> str:
    """A prompt's text with everything numeric in words. ``lang`` is zh or en."""
    words = _zh_words if lang == "zh" else _en_words
    return _NUMERIC.sub(lambda match: words(match), text)


def _moment(build: Callable[..., T], match: re.Match[str], kind: str, separator: str) -> T | None:
    found = match[kind]
    try:
        return build(*map(int, found.split(separator))) if found else None
    except ValueError:
        return None


def _is_number(text: str) -> bool:
    """Short, and neither grouped nor led by zero; the others are numbers of accounts and telephones."""
    return text.isdecimal() and len(text) <= 6 and (text == "0" or not text.startswith("0"))


def _cents(text: str) -> int:
    yuan, _, rest = text.partition(".")
    return int(yuan) * 100 + int(rest.ljust(2, "0"))


def _zh_words(match: re.Match[str]) -> str:
    if date := _moment(datetime.date, match, "date", "-"):
        return "".join(zh_date(date))
    if time := _moment(datetime.time, match, "time", ":"):
        return "".join(zh_time(time))
    if match["money"]:
        return "".join(zh_money(_cents(match["money"])))
    if match["decimal"]:
        whole, _, fraction = match["decimal"].partition(".")
        return "".join([_zh_run(whole), "点", *(ZH_DIGITS[int(digit)] for digit in fraction)])
    return _zh_run(match[0]) if match["digits"] else re.sub(r"\d+", lambda run: _zh_run(run[0]), match[0])


def _zh_run(digits: str) -> str:
    return "".join(zh_number(int(digits)) if _is_number(digits) else zh_phone(digits))


def _en_words(match: re.Match[str]) -> str:
    if date := _moment(datetime.date, match, "date", "-"):
        return " ".join(en_date(date))
    if time := _moment(datetime.time, match, "time", ":"):
        return " ".join(en_time(time))
    if match["money"]:
        return " ".join(en_money(_cents(match["money"])))
    if match["decimal"]:
        whole, _, fraction = match["decimal"].partition(".")
        return " ".join([_en_run(whole), "point", *en_digits(fraction)])
    return _en_run(match[0]) if match["digits"] else re.sub(r"\d+", lambda run: _en_run(run[0]), match[0])


def _en_run(digits: str) -> str:
    return " ".join(en_number(int(digits)) if _is_number(digits) else en_phone(digits))
