"""What a switch reports of a single leg, and what that means for its call."""

from __future__ import annotations

from collections.abc import Callable

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.callbacks import attempts
from apps.core.calls import after_talk, closing, conferencing, consulting, dialing, pairing, rejoining, transfers
from apps.core.calls.machine import leg_may
from apps.core.calls.model import Call, CallState, Leg, LegState
from apps.core.center import Center
from apps.core.events import HangupCause, LegRole
from apps.core.ids import LegId
from apps.core.queues import offers, unanswered, whisper
from apps.core.texts import LONGEST_RAW


def awaited(call: Call, leg: Leg) -> bool:
    """This leg's answer is what the call waits for."""
    if call.dial is not None and call.state is CallState.DIALING:
        return leg.id in (call.dial.leg, call.leg)
    if attempts.rings(call, leg.id):
        return True
    if call.consult is not None:
        return consulting.expected(call, leg) or offers.offered_in(call, leg.id)
    if leg.role is LegRole.EXTERNAL:
        return call.state is CallState.DIALING and leg.id == call.dialed
    return offers.offered_in(call, leg.id) or rejoining.expected(call, leg)


def ringing(center: Center, call: Call, leg: Leg) -> None:
    center.emit(f.LegRang(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id))
    offer = call.offers.get(leg.id)
    if offer is not None and offer.answer_asked:
        center.send(c.AnswerDevice(switch=leg.switch, leg=leg.id))


def answered(center: Center, call: Call, leg: Leg) -> None:
    center.emit(f.LegConnected(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id))
    offers.answered(center, call, leg.id)
    if leg.role is LegRole.CUSTOMER:
        center.emit(f.CallAnswered(at_ms=center.now_ms, tenant=call.tenant, call=call.id))


def parked(center: Center, call: Call, leg: Leg) -> None:
    """Answered and idle: bridge it, or let it go if nobody waits for it any more."""
    center.emit(f.LegIdled(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id))
    unanswered.rung(center, leg)
    offers.answered(center, call, leg.id)
    if call.dial is not None and call.state is CallState.DIALING:
        dialing.parked(center, call, leg)
    elif attempts.rings(call, leg.id):
        attempts.greeted(center, call)
    elif rejoining.expected(call, leg):
        rejoining.connect(center, call)
    elif awaited(call, leg):
        if leg.role is LegRole.AGENT and whisper.begin(center, call, leg):
            return
        if leg.id in call.offers:
            offers.end_offer(center, call, call.offers[leg.id], f.OfferOutcome.ANSWERED)
        whisper.connect(center, call, leg)
    elif call.consult is not None and leg.id in (call.consult.leg, call.consult.other):
        pairing.parked(center, call, leg)
    elif not _in_talk(call, leg):
        center.send(offers.hang_up(leg))


def _in_talk(call: Call, leg: Leg) -> bool:
    """It may pass through a park on the way from one bridge or room to the next."""
    room = call.three_way
    if room is not None:
        return leg.id in (room.leg, room.other)
    return call.bridge is not None and call.bridge.leg == leg.id


def ended(center: Center, leg_id: LegId, cause: HangupCause, raw: str) -> None:
    """The first report counts; of a leg that we do not hold there is nothing to say."""
    call = center.call_of(leg_id)
    kept = center.state.lent_legs.get(leg_id, leg_id)
    if call is None:
        kept_open.ended(center, kept, cause, raw)
        return
    _gone(center, call, leg_id, cause, raw, of_itself=kept)


def give_back(center: Center) -> None:
    """Kept legs that their calls hung up: to the calls they have ended."""
    while center.given_back:
        leg = center.given_back.pop(0)
        call = center.call_of(leg)
        if call is not None:
            _gone(center, call, leg, HangupCause.NORMAL, "")


def _gone(
    center: Center, call: Call, leg_id: LegId, cause: HangupCause, raw: str, *, of_itself: LegId | None = None
) -> None:
    """``of_itself``: the switch said so, of this leg of its own."""
    leg = call.legs[leg_id]
    center.emit(
        f.LegEnded(
            at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg_id, cause=cause, raw=raw[:LONGEST_RAW]
        )
    )
    center.phone_taken_or_free(leg.phone_of)
    if of_itself is not None:
        kept_open.ended(center, of_itself, cause, raw)
    if call.dial is not None and call.state is CallState.DIALING:
        dialing.leg_ended(center, call, leg_id, cause, raw)
        return
    _take_leave(center, call, leg, cause, raw)
    if leg.agent is not None:
        states.release(center, leg.agent, call)
    closing.finish_if_over(center, call)


def _take_leave(center: Center, call: Call, leg: Leg, cause: HangupCause, raw: str) -> None:
    """What its end means for the others."""
    if offers.offered_in(call, leg.id):
        unanswered.leg_ended(center, call, leg, cause, raw)
    elif call.consult is not None:
        consulting.leg_ended(center, call, leg, cause)
    elif call.three_way is not None:
        conferencing.leg_ended(center, call, leg)
    elif leg.id == call.leg:
        if not attempts.leg_gone(center, call, cause, raw):
            closing.customer_left(center, call, cause)
    elif rejoining.expected(call, leg):
        return  # its page asks again
    elif awaited(call, leg):
        transfers.dial_failed(center, call, cause)
    elif not rejoining.died(center, call, leg, cause):
        after_talk.far_leg_gone(center, call, leg.id)


Rule = Callable[[Center, Call, Leg], None]
_MOVES: dict[type[e.SwitchEvent], tuple[LegState, Rule]] = {
    e.LegRinging: (LegState.RINGING, ringing),
    e.LegAnswered: (LegState.ANSWERED, answered),
    e.LegParked: (LegState.IDLE, parked),
}


def moved(center: Center, event: e.LegRinging | e.LegAnswered | e.LegParked) -> None:
    """Ringing, answered, parked: legal ones by the leg's table, others are anomalies."""
    call = center.call_of(event.leg)
    if call is None and event.leg in center.state.kept_legs:
        if isinstance(event, e.LegParked):
            kept_open.parked(center, event.leg)
        return
    if call is None:
        center.anomaly(event, event.leg, "unknown", "no such leg")
        return
    leg = call.legs[event.leg]
    if leg.role is LegRole.CUSTOMER and call.dial is None and not attempts.rings(call, leg.id):
        return  # we answered it ourselves, and CallAnswered said so
    following, rule = _MOVES[type(event)]
    if call.consult is not None and leg.state is following is LegState.IDLE:
        pairing.parked(center, call, leg)  # out of a room that came to nothing, say: as idle as before
        return
    if leg.lent is not None and leg.state is following:
        return  # it stood by already when the call got it
    if not leg_may(leg.state, following):
        center.anomaly(event, event.leg, leg.state, f"{following} may not follow {leg.state}", call)
        return
    rule(center, call, leg)
