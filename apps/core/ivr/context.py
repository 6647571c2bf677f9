"""What a node may know: the document, the sounds, the time, and where the caller stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.config import CalendarConfig, FlowConfig
from apps.core.ids import PlayId
from apps.core.ivr.actions import Action
from apps.core.ivr.position import IvrPosition

Node = Mapping[str, Any]
KEY = "key:"
"""A port of a menu: the key follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    flow: FlowConfig
    calendars: Mapping[str, CalendarConfig]
    tenant: str
    now_ms: int
    new_play: Callable[[], PlayId]
    lasts_ms: Callable[[Iterable[str]], int]  # of sound files

    def languages(self) -> tuple[str, ...]:
        return tuple(self.flow.document["langs"])

    def sounds(self, items: Iterable[Mapping[str, Any]], lang: str) -> tuple[str, ...]:
        """Prompt items as sound files. Without audio in a language: the default one's, else it is skipped."""
        files: list[str] = []
        default = str(self.flow.document["default_lang"])
        for item in items:
            recorded = self.flow.sounds.get(str(item.get("p", "")), {})
            wanted = item.get("lang") or lang
            for one in self.languages() if wanted == "*" else (str(wanted),):
                sound = recorded.get(one) or recorded.get(default)
                if sound:
                    files.append(sound)
        return tuple(files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node's answer: stay (``port`` empty) at ``position``, or leave by ``port``; actions first."""

    position: IvrPosition
    actions: tuple[Action, ...] = ()
    port: str = ""
    digits: str = ""
    over: bool = False  # the flow has handed the caller on or hung up
