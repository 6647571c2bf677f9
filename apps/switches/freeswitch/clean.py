"""The edge: nothing leaves for the switch, and no caller's text goes on to the core, but through here.

Why each rule: a line break starts a new Event Socket command; ``${`` and a leading ``%[`` are expanded by the
switch, ``::`` separates its packed arrays, and ``{}[]<>|,^'`` are dial-string syntax.
"""

from __future__ import annotations

import re
import unicodedata

TEXT_LIMIT = 128

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
_IDENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_EXPANDED = re.compile(r"\$\{|::|\A%\[")
_SYNTAX = str.maketrans(dict.fromkeys("'\"\\{}[]<>|,;^$%:&=`", " "))


class Unsafe(ValueError):
    """A value that must not reach the switch. The message names the rule, never the value."""


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """A caller's free text for the core: one line, no control or formatting characters, at most ``limit`` long."""
    head = value[: limit * 8]  # a 64 KB name need not be walked to its end
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in head)
    return " ".join(kept.split())[:limit].rstrip()


def dial_text(value: str) -> str:
    """Free text for a dial-string variable: ``text`` without any character of the dial-string's syntax."""
    return text(text(value).translate(_SYNTAX))


def _whole(pattern: re.Pattern[str], value: str, rule: str) -> str:
    if not pattern.fullmatch(value):
        raise Unsafe(rule)
    return value


def number(value: str) -> str:
    return _whole(_NUMBER, value, "a number is an optional + and 1 to 32 of 0-9 * #")


def digits(value: str) -> str:
    return _whole(_DIGITS, value, "tones are 1 to 32 of 0-9 * # A-D")


def ident(value: str) -> str:
    """Ids of ours and of the switch, gateway, context and music names."""
    return _whole(_IDENT, value, "an id is 1 to 64 of A-Z a-z 0-9 _ - .")


def account(value: str) -> str:
    return _whole(_ACCOUNT, value, "an account is 1 to 64 of A-Z a-z 0-9 _ . + -")


def host(value: str) -> str:
    return _whole(_HOST, value, "a host is a name or an address")


def relative_path(value: str) -> str:
    """A file below one of the switch's directories; no way up, no space, nothing the switch would expand."""
    _whole(_FILE, value, "a path is relative and of A-Z a-z 0-9 _ - . /")
    if len(value) > 255 or any(set(part) <= {"."} for part in value.split("/")):
        raise Unsafe("a path has at most 255 characters and no . or .. parts")
    return value


def line(value: str) -> str:
    """One line of a command, as it stands on the wire."""
    if "\r" in value or "\n" in value or "\0" in value:
        raise Unsafe("a line break or NUL would start another command")
    return value


def argument(value: str) -> str:
    """What the switch parses after the command's name: one line that it will not expand."""
    if _EXPANDED.search(line(value)):
        raise Unsafe("${, :: and a leading %[ are expanded by the switch")
    return value
