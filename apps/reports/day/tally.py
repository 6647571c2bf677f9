"""What is counted of a queue in a quarter of an hour. Pure sums: they can be added in any order.

A wait is offered in the quarter in which it began, answered or abandoned in the one in which it ended; a talk and its
holds count where they ended, wrap-up where it ended. So a quarter never changes once the next one has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from apps.reports.day.stretches import CONFERENCE, CONSULT, HOLD, QUEUE, TALK, Ended
from apps.reports.formulas.service_level import WaitCounts

QUARTER_MS = 15 * 60_000
"""Every time zone in use is off UTC by a whole number of quarters, so a day of any tenant begins with one."""


class Key(NamedTuple):
    tenant: int
    queue: int | None
    quarter: int  # since 1970

    @property
    def start_ms(self) -> int:
        return self.quarter * QUARTER_MS


@dataclass(slots=True)
class Tally:
    offered: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    flowed_out: int = 0
    waited_answered_ms: int = 0
    longest_wait_ms: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0

    def add(self, other: Tally) -> None:
        longest = max(self.longest_wait_ms, other.longest_wait_ms)
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest_wait_ms = longest

    @property
    def waits(self) -> WaitCounts:
        return WaitCounts(
            answered=self.answered, answered_in_time=self.answered_in_time, abandoned=self.abandoned,
            abandoned_in_time=self.abandoned_in_time, abandoned_short=self.abandoned_short,
            flowed_out=self.flowed_out,
        )  # fmt: skip


def count_ended(tally: Tally, ended: Ended, threshold_ms: int, short_ms: int) -> None:
    """A wait, or a stretch of an agent's talk."""
    if ended.stretch.kind == QUEUE:
        count_wait(tally, ended.outcome, ended.lasted_ms, threshold_ms, short_ms)
    else:
        _count_talk(tally, ended)


ANSWERED_WORDS = ("answered", "connected")
"""How a wait that reached an agent ended: ``connected`` where the talk began without word of the wait's end."""


def count_wait(tally: Tally, outcome: str, waited_ms: int, threshold_ms: int, short_ms: int) -> None:
    tally.longest_wait_ms = max(tally.longest_wait_ms, waited_ms)
    if outcome in ANSWERED_WORDS:
        tally.answered += 1
        tally.answered_in_time += waited_ms <= threshold_ms
        tally.waited_answered_ms += waited_ms
    elif outcome == "abandoned":
        tally.abandoned += 1
        tally.abandoned_in_time += waited_ms <= threshold_ms
        tally.abandoned_short += waited_ms <= short_ms
    else:
        tally.flowed_out += 1


GOES_ON: dict[str, tuple[str, ...]] = {
    TALK: ("held", "consulting", "merged"),
    HOLD: ("connected",),
    CONSULT: ("connected", "merged"),
    CONFERENCE: ("connected",),
}
"""How a stretch ends that its agent's conversation goes on after."""


def _count_talk(tally: Tally, ended: Ended) -> None:
    """A talk that goes on hold, and a hold that is taken back, are one conversation: handled when it is over.

    One whose telephone died was taken for over; when it is called back and the two go on, that is taken back.
    """
    goes_on = ended.outcome in GOES_ON[ended.stretch.kind]
    if ended.stretch.kind == HOLD and ended.stretch.alone:
        tally.hold_ms += ended.lasted_ms
        tally.handled -= goes_on
    elif ended.stretch.kind in (HOLD, CONSULT):
        tally.hold_ms += ended.lasted_ms
        tally.handled += not goes_on
    else:
        tally.talk_ms += ended.lasted_ms
        tally.handled += not goes_on
