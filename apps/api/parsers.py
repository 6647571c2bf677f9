"""Request bodies: strict JSON of bounded depth, and text that every store can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from apps.api.problems import Problem

MAX_DEPTH = 32
MAX_BODY = 1024 * 1024  # bytes; our largest bodies are notes


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without NaN, doubled names, NUL characters, lone surrogates or endless nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data = stream.read(MAX_BODY + 1)
        if len(data) > min(MAX_BODY, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or MAX_BODY):
            raise Problem("too_large", _("At most %(bytes)s bytes.") % {"bytes": MAX_BODY}, status=413)
        try:
            value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
        except RecursionError:
            raise _too_deep() from None
        except (UnicodeDecodeError, ValueError) as error:
            raise Problem("malformed", _("The body is not JSON in UTF-8: %(error)s") % {"error": error}) from None
        check(value)
        return value


def check(value: Any, path: str = "", depth: int = 0) -> None:
    """Raises ``Problem`` for what no part of the system could store."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        reason = unstorable(value)
        if reason:
            raise Problem("invalid", reason, errors=[{"pointer": path, "code": "characters", "detail": reason}])
    elif isinstance(value, dict):
        for name, inner in value.items():
            check(name, path, depth + 1)
            check(inner, f"{path}/{name.replace('~', '~0').replace('/', '~1')}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check(inner, f"{path}/{index}", depth + 1)


def unstorable(text: str) -> str:
    """Why neither PostgreSQL nor UTF-8 can hold this text; empty when they can."""
    if "\x00" in text:
        return _("A NUL character is not allowed.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _("Half of a surrogate pair is not allowed.")
    return ""


def _too_deep() -> Problem:
    return Problem("too_deep", _("At most %(depth)s levels of nesting.") % {"depth": MAX_DEPTH})


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a member twice")
    return found
