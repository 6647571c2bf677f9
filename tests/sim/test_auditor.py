"""The auditor is worth its promises: each bug that is planted here breaks the one that it should."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.core import center, engine, leases, recovery
from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.model import Agent
from apps.core.callbacks import booking, readiness
from apps.core.calls import closing, pairing, recording, talk
from apps.core.calls.model import Call, Leg, Offer
from apps.core.center import Center
from apps.core.config import QueueConfig
from apps.core.events import HangupCause, SnapshotLeg
from apps.core.ids import IdMint
from apps.core.queues import asking, matching, offers, ordering, unanswered
from apps.core.queues.strategies import Standing
from tests.sim.auditor import BrokenPromise, Promise
from tests.sim.story import Story
from tests.sim.world import World

DAYS = 40  # one of these shows it, mostly one of the first


def nothing(*_args: Any, **_kwargs: Any) -> None:
    return None


def always(*_args: Any, **_kwargs: Any) -> bool:
    return True


def hang_up_whoever_is_there(center: Center, call: Call, leg: Leg, seen: SnapshotLeg, *, settled: bool) -> None:
    """As a careless look at the switch would."""
    center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))


def end_twice(center: Center, call: Call, _once: Callable[[Center, Call], None] = closing.finish_if_over) -> None:
    _once(center, call)
    if call.id not in center.state.calls:
        ended = f.CallOutcome.FAILED
        center.emit(f.CallEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, outcome=ended, cause=call.cause))


def as_if_failed(center: Center, call: Call) -> None:
    if not call.legs and call.recording is None:
        ended = f.CallOutcome.FAILED
        center.emit(f.CallEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, outcome=ended, cause=call.cause))


def last_come_first_served(self: matching.Matcher, call: Any, requirement: Any, place: int,
                           _waits: Any = matching.Matcher.caller_waits) -> None:  # fmt: skip
    _waits(self, call, requirement, -place)


def priority_for_nothing(queue: QueueConfig, priority: int, queued_ms: int) -> int:
    return queued_ms


def the_most_tired_first(agent: Agent) -> Standing:
    return Standing(-agent.idle_since_ms)


def stays_free(self: matching.Matcher, agent: Any, *, free: Standing | None, **_more: bool) -> None:
    if free is not None:
        self._move(agent, signed_in=True, free=free)


def never_back_to_the_customer(center: Center, call: Call, _once: Any = pairing.pursue) -> None:
    """The consult is over, and the customer hears music for ever."""
    if call.consult is not None and call.consult.aim is not f.Aim.RETURN:
        _once(center, call)


def taken_back_but_not_let_off(
    center: Center, call: Call, offer: Offer, outcome: f.OfferOutcome, cause: HangupCause = HangupCause.CANCELLED
) -> None:
    offers.cancel_leg(center, call, offer.leg, cause)
    offers.end_offer(center, call, offer, outcome)


def at_the_end_of_the_line(
    center: Center, call: Call, place: booking.Place, *more: Any, _once: Any = booking.book, **named: Any
) -> None:
    _once(center, call, replace(place, queued_ms=center.now_ms), *more, **named)


PLANTED: dict[str, tuple[object, str, object, Promise]] = {
    "a caller falls out of the line": (offers, "back_in_line", nothing, Promise.NOTHING_LOST),
    "a caller stuck in the gap is not fetched": (talk, "reclaim", nothing, Promise.NOTHING_LOST),
    "a talk is torn": (recovery, "_far", hang_up_whoever_is_there, Promise.NOTHING_LOST),
    "an agent stays on offer while on a call": (matching.Matcher, "agent_is", stays_free, Promise.ONE_AGENT),
    "an agent is not let off": (states, "free", nothing, Promise.NOBODY_STUCK),
    "the last caller is first": (matching.Matcher, "caller_waits", last_come_first_served, Promise.ORDER),
    "priority is forgotten": (ordering, "place", priority_for_nothing, Promise.ORDER),
    "the agent who just talked is first": (center, "standing_of", the_most_tired_first, Promise.ORDER),
    "a call never ends": (closing, "finish_if_over", nothing, Promise.ONE_OUTCOME),
    "a call ends twice": (closing, "finish_if_over", end_twice, Promise.ONE_OUTCOME),
    "a call ends as it did not": (closing, "finish_if_over", as_if_failed, Promise.ONE_OUTCOME),
    "a number is booked twice": (readiness, "open_callback", nothing, Promise.ONCE),
    "a call back loses its place": (booking, "book", at_the_end_of_the_line, Promise.ORDER),
    "a call back forgets the agent of last time": (booking, "_of_last_time", nothing, Promise.ORDER),
    "who is to be called back is still on the telephone": (asking, "in_line", always, Promise.ORDER),
    "the customer's music never ends": (pairing, "pursue", never_back_to_the_customer, Promise.NOBODY_STUCK),
    "two have one call of all who ring": (offers, "answered", nothing, Promise.ONE_AGENT),
    "one of all who rang stays on offer": (offers, "withdraw", taken_back_but_not_let_off, Promise.NOBODY_STUCK),
    "a lost end is never looked for": (recovery, "_lost", nothing, Promise.NOBODY_STUCK),
    "an agent is blamed for the switch": (
        unanswered, "DOING", dict.fromkeys(HangupCause, unanswered.Doing.MISSED), Promise.FAIR,
    ),
}  # fmt: skip


def shows(promise: Promise) -> bool:
    """One of the days breaks it; a bug may break others first in other days."""
    broken = []
    for seed in range(DAYS):
        try:
            World(replace(Story.of(seed, calls=60), web_callbacks_per_hour=200)).run()
        except BrokenPromise as error:
            if error.promise is promise:
                return True
            broken.append(error)
    pytest.fail(f"not seen: {promise}; but {broken}")


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_breaks_its_promise(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    where, name, planted, promise = PLANTED[bug]
    monkeypatch.setattr(where, name, planted)
    assert shows(promise)


def test_the_consulted_who_is_not_let_off_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the leases, which let such an agent go in time."""
    monkeypatch.setattr(states, "release", nothing)
    monkeypatch.setattr(leases, "_nothing_in_hand", nothing)
    assert shows(Promise.NOBODY_STUCK)


def test_a_recording_that_stays_masked_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(engine._CALL_DEADLINES, "mask", nothing)
    monkeypatch.setattr(recording, "LONGEST_PAUSE_MS", 1_000)  # talks are not long enough for two minutes
    assert shows(Promise.SILENCE_ENDS)


def test_what_hangs_on_chance_changes_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id from outside the seed: the comparison of two runs of one seed would show it."""
    outside = itertools.count()
    monkeypatch.setattr(IdMint, "_next", lambda mint, kind: f"{mint.run}-{kind}{next(outside)}")
    first, second = (World(Story.calm(1, calls=20)) for _ in range(2))
    first.run(), second.run()
    assert first.transcript() != second.transcript()
