"""What must hold whatever happens, and how a breach is said."""

from __future__ import annotations

from enum import StrEnum


class Promise(StrEnum):
    NOTHING_LOST = "no waiting or talking call is lost"
    ONE_AGENT = "one call, one agent"
    NOBODY_STUCK = "no agent is stuck"
    ORDER = "the order is respected"
    ONE_OUTCOME = "every call ends in exactly one outcome"
    FAIR = "nobody is blamed for what the switch did"
    ONE_LEADER = "one engine commands"
    ONCE = "nobody is called back twice"
    DATA = "what is known of a call goes with it"
    SILENCE_ENDS = "a recording stays silent only as long as it was asked to"


class BrokenPromise(AssertionError):
    def __init__(self, promise: Promise, detail: str, *about: object) -> None:
        super().__init__(f"{promise}; {detail}: {about}")
        self.promise = promise


def hold(holds: bool, promise: Promise, detail: str, *about: object) -> None:
    if not holds:
        raise BrokenPromise(promise, detail, *about)
