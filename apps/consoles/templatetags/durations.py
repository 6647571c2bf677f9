"""Times and words of a call, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.translation import gettext as _

from apps.calls.models import WORDS

register = template.Library()


@register.filter
def clock(duration_ms: Any) -> str:
    """Milliseconds as ``m:ss`` or ``h:mm:ss``."""
    if not isinstance(duration_ms, (int, float)):
        return "–"
    seconds = max(0, int(duration_ms)) // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def since_ms(at: datetime | None, start: datetime | None) -> int | None:
    return int((at - start).total_seconds() * 1000) if at is not None and start is not None else None


@register.filter
def call_word(code: str) -> str:
    words = {
        "to_menu": _("to the menu"),
        "queued": _("queued"),
        "connected": _("connected"),
        "held": _("held"),
        "transferred": _("transferred"),
        "ended": _("ended"),
        "resumed": _("resumed"),
        "timed_out": _("timed out"),
        "removed": _("removed"),
    }
    return words.get(code) or str(WORDS.get(code, code))


@register.filter
def rule_word(code: str) -> str:
    return {"longest_idle": _("longest idle")}.get(code, code)


@register.filter
def disposition_word(code: str, names: Mapping[str, str]) -> str:
    return _("not set") if code == "UNSET" else names.get(code, code)
