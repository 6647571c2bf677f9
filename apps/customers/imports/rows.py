"""One row of a file as data for a customer, or what is wrong with it. Pure: looks nobody up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.customers import cleaning
from apps.customers.imports.columns import NUMBER_FIELDS
from apps.customers.models.people import Customer, Level
from apps.customers.numbers import Plan, read
from apps.customers.services import NumberData

MOST_FAULTS = 10
_LEVELS = {
    **dict.fromkeys(("standard", "normal", "普通", "标准"), Level.STANDARD),
    **dict.fromkeys(("silver", "银", "银卡"), Level.SILVER),
    **dict.fromkeys(("gold", "金", "金卡"), Level.GOLD),
    **dict.fromkeys(("vip", "贵宾", "重要"), Level.VIP),
}
_LANGUAGES = {
    **dict.fromkeys(("zh", "zh-cn", "zh-hans", "chinese", "中文", "汉语", "普通话", "简体中文"), "zh-hans"),
    **dict.fromkeys(("en", "en-us", "en-gb", "english", "英语", "英文"), "en"),
}
_CHOICES: dict[str, dict[str, str]] = {
    "level": {word: str(level) for word, level in _LEVELS.items()},
    "language": _LANGUAGES,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """``column`` is the file's own heading."""

    row: int
    column: str
    value: str
    code: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class RowData:
    """What a row says. ``fields`` are those of the model that had something in their cell."""

    row: int
    fields: dict[str, Any] = field(default_factory=dict)
    numbers: list[NumberData] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.fields.get("name", ""))

    @property
    def external_id(self) -> str:
        return str(self.fields.get("external_id", ""))


def read_row(
    row: int, cells: Sequence[str], mapping: Sequence[str], headers: Sequence[str], plan: Plan
) -> tuple[RowData | None, list[Fault]]:
    """The row's data, or its faults. Neither for a row in which nothing was written."""
    data, faults = RowData(row), []
    written = False
    for index, name in enumerate(mapping):
        cell = cells[index] if index < len(cells) else ""
        if not name or not cell.strip():
            continue
        written = True
        code, detail = _take(data, name, cell, plan)
        if code:
            faults.append(Fault(row, headers[index], cleaning.line(cell)[:200], code, detail))
    if not written:
        return None, []
    if not data.numbers and not data.external_id and not faults:
        faults.append(Fault(row, "", "", "no_key"))
    return (None, faults[:MOST_FAULTS]) if faults else (data, [])


def _take(data: RowData, name: str, cell: str, plan: Plan) -> tuple[str, dict[str, Any]]:
    """Put a cell into ``data``; a code and its detail when it cannot be used."""
    text = cleaning.line(cell)
    if "\ufffd" in text:
        return "undecodable", {}
    if name in NUMBER_FIELDS:
        return _take_numbers(data, name, cell, plan), {}
    if name == "tags":
        return _take_tags(data, cell), {}
    if name in _CHOICES:
        known = _CHOICES[name].get(text.lower())
        if known is None:
            return f"unknown_{name}", {}
        text = known
    most = getattr(Customer._meta.get_field(name), "max_length", None)
    if most is not None and len(text) > most:
        return "too_long", {"most": most}
    if name == "email":
        try:
            validate_email(text)
        except ValidationError:
            return "bad_email", {}
    if text:
        data.fields[name] = text
    return "", {}


def _take_numbers(data: RowData, name: str, cell: str, plan: Plan) -> str:
    """A cell may hold several, separated as people do."""
    for text in cell.replace("、", ";").replace(";", ";").replace("/", ";").replace("\n", ";").split(";"):
        written = cleaning.line(text)
        # Excel's way of keeping digits as text: a leading apostrophe, or ="0138".
        written = written.removeprefix("'").removeprefix("=").strip('"')
        if not written:
            continue
        reading = read(written, plan)
        if not reading.number:
            return "bad_number"
        label = name if name != "number" else ("mobile" if is_mobile(reading.number) else "work")
        data.numbers.append(
            NumberData(number=reading.number, extension=reading.extension, label=label, as_written=written[:64])
        )
    return ""


def is_mobile(number: str) -> bool:
    return number.startswith("+") and phonenumbers.number_type(phonenumbers.parse(number)) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )


def _take_tags(data: RowData, cell: str) -> str:
    names = cleaning.tag_names(cell)
    if any(len(name) > cleaning.MOST_TAG_CHARACTERS for name in names):
        return "tag_too_long"
    data.tags += names
    return ""
