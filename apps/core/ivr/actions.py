"""What a flow asks of the call it runs for. The run (runs.py) carries it out; nodes only name it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.config import SkillNeed
from apps.core.ids import PlayId, QueueId


@dataclass(frozen=True, slots=True)
class Action:
    pass


@dataclass(frozen=True, slots=True)
class Answer(Action):
    pass


@dataclass(frozen=True, slots=True)
class Play(Action):
    play: PlayId
    sounds: tuple[str, ...]
    barge: bool


@dataclass(frozen=True, slots=True)
class StopPlay(Action):
    pass


@dataclass(frozen=True, slots=True)
class Enqueue(Action):
    queue: QueueId
    priority: int | None
    needs: tuple[SkillNeed, ...]
    max_wait_ms: int | None


@dataclass(frozen=True, slots=True)
class AskCallback(Action):
    queue: QueueId
    needs: tuple[SkillNeed, ...]


@dataclass(frozen=True, slots=True)
class Dial(Action):
    number: str


@dataclass(frozen=True, slots=True)
class HangUp(Action):
    sounds: tuple[str, ...]
