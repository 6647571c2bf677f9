"""Keeps secrets and people out of the logs: passwords and tokens wholly, telephone numbers but for both ends.

``mask`` is the last processor before the line is rendered, so it sees what our own code and what libraries log.
Names of people and free text of calls are not logged by our code at all; this is the net below that rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
SECRET_NAMES = re.compile(
    r"pass(word|wd)?$|secret|token|authorization|cookie|api_?key|signature|private", re.IGNORECASE
)
NUMBER_NAMES = re.compile(
    r"(^|_)(number|numbers|caller|caller_number|did|target|dialled|destination|phone|ani)$", re.IGNORECASE
)
# In a URL: postgresql://user:password@host
URL_PASSWORD = re.compile(r"(?P<before>[a-z][a-z0-9+]*://[^\s:/@]*:)[^\s/@]+(?=@)")
BEARER = re.compile(r"(?P<before>\b(?:Bearer|Token|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}")
# Seven digits or more that stand alone: shorter is an extension, longer than 15 no number (E.164).
NUMBER = re.compile(r"(?<![\w.:/-])\+?\d{7,15}(?![\w-])")
PLAIN = {"timestamp", "level", "logger", "request_id", "duration_ms", "seq", "epoch", "status"}


def mask(_logger: object, _method: str, line: Mapping[str, Any]) -> dict[str, Any]:
    """structlog's signature for a processor."""
    return {name: value if name in PLAIN else _masked(name, value) for name, value in line.items()}


def _masked(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return HIDDEN if value else value
    if isinstance(value, Mapping):
        return {key: _masked(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(name, item) for item in value]
    if NUMBER_NAMES.search(name) and isinstance(value, str):
        return masked_number(value)
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """Free text: a number or a password that somebody's message carries."""
    text = URL_PASSWORD.sub(rf"\g<before>{HIDDEN}", text)
    text = BEARER.sub(rf"\g<before>{HIDDEN}", text)
    return NUMBER.sub(lambda match: masked_number(match.group()), text)


def masked_number(number: str) -> str:
    """``13955501100`` becomes ``139****1100``: enough to find a call by, not enough to ring somebody up."""
    if len(number) < 7:
        return number
    return f"{number[:3]}****{number[-4:]}" if len(number) > 8 else f"****{number[-3:]}"
