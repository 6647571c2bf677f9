"""Texts from people, files and programs, made fit to keep: what cannot be seen or turns a line around is taken out.

Markup is left as it is: it is data, and every page shows it as text.
"""

from __future__ import annotations

import re
import unicodedata

# Controls, and marks that change the direction of what follows (a name must not rewrite its neighbour on the page).
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SPACES = re.compile(r"\s+")
_TAG_BREAKS = re.compile(r"[,,;;、|\n]+")
MOST_TAG_CHARACTERS = 40


def line(text: object) -> str:
    """One line: composed characters, single spaces."""
    return _SPACES.sub(" ", block(text)).strip()


def block(text: object) -> str:
    """Several lines, as they were written."""
    seen = unicodedata.normalize("NFC", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", seen).strip()


def tag_names(text: str) -> list[str]:
    """Tags written in one cell: ``VIP;续费、投诉``. Each once, in their order."""
    return list(dict.fromkeys(name for part in _TAG_BREAKS.split(text) if (name := line(part))))
