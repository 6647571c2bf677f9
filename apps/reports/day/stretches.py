"""From facts to the stretches of a caller's time that figures are about: waits, talks and holds. Pure.

History cuts a call into segments by the same rules (``apps.calls.folds.stretches``), written there as rows. The two
are kept apart on purpose: that they agree over simulated days with faults is what the tests of the figures prove.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apps.core import facts as f

QUEUE, TALK, HOLD, CONSULT, CONFERENCE = "queue", "talk", "hold", "consult", "conference"


@dataclass(frozen=True, slots=True)
class Open:
    kind: str
    tenant: int
    queue: int | None
    agent: int | None
    since_ms: int
    leg: str = ""  # with whom: the agent's, or a telephone outside

    @property
    def alone(self) -> bool:
        """Of a hold: nobody is there. The agent's telephone died, and is called back while the caller hears music."""
        return not self.leg


@dataclass(frozen=True, slots=True)
class Ended:
    """``outcome`` is the word that history keeps for it, e.g. ``answered`` or ``held``."""

    stretch: Open
    at_ms: int
    outcome: str

    @property
    def lasted_ms(self) -> int:
        return max(0, self.at_ms - self.stretch.since_ms)


def key_of(core_id: str | None) -> int | None:
    """The primary key behind a core id; None for one that is no key of ours."""
    return int(core_id) if core_id and core_id.isdecimal() and len(core_id) <= 18 else None


@dataclass(slots=True)
class Stretches:
    """What is going on, by call. Menus and transfers only end what was before: nothing is counted of them."""

    open: dict[str, Open] = field(default_factory=dict)

    def take(self, fact: f.CallFact) -> tuple[Ended | None, Open | None]:
        """Follow one fact: the stretch that it ended and the one that it began."""
        rule = _RULES.get(type(fact))
        return rule(self, fact) if rule is not None else (None, None)

    def _begin(self, fact: f.CallFact, kind: str, queue: int | None, agent: int | None, leg: str = "") -> Change:
        tenant = key_of(fact.tenant)
        ended = self._end(fact, _GIVES_WAY_TO[kind])
        if tenant is None:
            return ended, None
        begun = self.open[fact.call] = Open(kind, tenant, queue, agent, fact.at_ms, leg)
        return ended, begun

    def _end(self, fact: f.CallFact, outcome: str, *kinds: str) -> Ended | None:
        """End what is open; with ``kinds``, only if it is one of them."""
        stretch = self.open.get(fact.call)
        if stretch is None or (kinds and stretch.kind not in kinds):
            return None
        del self.open[fact.call]
        return Ended(stretch, fact.at_ms, outcome)


Change = tuple[Ended | None, Open | None]
_GIVES_WAY_TO = {QUEUE: "queued", TALK: "connected", HOLD: "held", CONSULT: "consulting", CONFERENCE: "merged"}


def _queued(calls: Stretches, fact: f.CallQueued) -> Change:
    """Queued again where the caller already waits (an offer failed) is the same wait; a call back is none of these."""
    if fact.consult or fact.callback:
        return None, None
    queue, now = key_of(fact.queue), calls.open.get(fact.call)
    if now is not None and now.kind == QUEUE and now.queue == queue:
        return None, None
    return calls._begin(fact, QUEUE, queue, None)


def _dequeued(calls: Stretches, fact: f.CallDequeued) -> Change:
    return (calls._end(fact, fact.reason, QUEUE) if not fact.consult else None), None


def _bridged(calls: Stretches, fact: f.CallBridged) -> Change:
    now = calls.open.get(fact.call)
    if now is not None and now.kind == TALK and now.leg == fact.leg:
        return None, None
    return calls._begin(fact, TALK, key_of(fact.queue), key_of(fact.agent), fact.leg)


def _held(calls: Stretches, fact: f.CallHeld) -> Change:
    return _change(calls, fact, TALK, HOLD)


def _resumed(calls: Stretches, fact: f.CallResumed) -> Change:
    return _change(calls, fact, HOLD, TALK)


def _change(calls: Stretches, fact: f.CallFact, before: str, after: str) -> Change:
    now = calls.open.get(fact.call)
    if now is None or now.kind != before:
        return None, None
    return calls._begin(fact, after, now.queue, now.agent, now.leg)


def _consulting(calls: Stretches, fact: f.ConsultStarted) -> Change:
    return calls._begin(fact, CONSULT, key_of(fact.queue), key_of(fact.agent), fact.leg)


def _swapped(calls: Stretches, fact: f.PairBridged) -> Change:
    now = calls.open.get(fact.call)
    if now is not None and now.kind == CONSULT and (not fact.with_customer or now.leg != fact.leg):
        return None, None
    return _change(calls, fact, CONSULT, TALK) if fact.with_customer else _change(calls, fact, TALK, CONSULT)


def _consult_ended(calls: Stretches, fact: f.ConsultEnded) -> Change:
    return (calls._end(fact, fact.end, CONSULT, TALK) if f.leaves_the_asker(fact) else None), None


def _merged(calls: Stretches, fact: f.ThreeWayBegan) -> Change:
    return calls._begin(fact, CONFERENCE, key_of(fact.queue), key_of(fact.agent), fact.leg)


def _left(calls: Stretches, fact: f.ThreeWayLeft) -> Change:
    now = calls.open.get(fact.call)
    return (calls._end(fact, "left", CONFERENCE) if now is not None and now.leg == fact.leg else None), None


def _customer_left(calls: Stretches, fact: f.CustomerLeft) -> Change:
    return calls._end(fact, f.ConsultEnd.CUSTOMER_LEFT, CONSULT, CONFERENCE), None


def _unbridged(calls: Stretches, fact: f.CallUnbridged) -> Change:
    return calls._end(fact, "ended", TALK, HOLD), None


def _bridge_lost(calls: Stretches, fact: f.BridgeLost) -> Change:
    return calls._end(fact, "lost", TALK, HOLD), None


def _rejoin_started(calls: Stretches, fact: f.RejoinStarted) -> Change:
    return calls._begin(fact, HOLD, key_of(fact.queue), key_of(fact.agent))


def _rejoin_failed(calls: Stretches, fact: f.RejoinFailed) -> Change:
    return calls._end(fact, "ended", HOLD), None


def _gone_elsewhere(outcome: str) -> Callable[[Stretches, Any], Change]:
    return lambda calls, fact: (calls._end(fact, outcome), None)


def _call_ended(calls: Stretches, fact: f.CallEnded) -> Change:
    return calls._end(fact, fact.outcome), None


_RULES: dict[type[f.Fact], Callable[[Stretches, Any], Change]] = {
    f.CallQueued: _queued,
    f.CallDequeued: _dequeued,
    f.CallBridged: _bridged,
    f.CallHeld: _held,
    f.CallResumed: _resumed,
    f.CallUnbridged: _unbridged,
    f.BridgeLost: _bridge_lost,
    f.RejoinStarted: _rejoin_started,
    f.RejoinFailed: _rejoin_failed,
    f.ConsultStarted: _consulting,
    f.PairBridged: _swapped,
    f.ConsultEnded: _consult_ended,
    f.ThreeWayBegan: _merged,
    f.ThreeWayLeft: _left,
    f.CustomerLeft: _customer_left,
    f.IvrEntered: _gone_elsewhere("to_menu"),
    f.TransferStarted: _gone_elsewhere("transferred"),
    f.CallEnded: _call_ended,
}
