"""How a call ends: the outcome is decided once, last words may play, every leg is let go, then it is history."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.calls import recording, talk
from apps.core.calls.model import Call, CallState, ThreeWay
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.ids import PlayId
from apps.core.queues import offers

LAST_WORDS_GRACE_MS = 5_000
"""A closing announcement whose end nobody reports is over so long after it should be."""
GONE_MS = 3_000
"""A leg told to hang up is gone by then, or we look."""
GIVE_UP_MS = 120_000
"""A call this long in closing, on a switch that answers, has only legs that nobody knows."""


def answer(center: Center, call: Call) -> None:
    if not call.answered:
        center.send(c.AnswerLeg(switch=call.switch, leg=call.leg))
        center.emit(f.CallAnswered(at_ms=center.now_ms, tenant=call.tenant, call=call.id))


def close(
    center: Center,
    call: Call,
    outcome: f.CallOutcome,
    sounds: tuple[str, ...] = (),
    cause: HangupCause = HangupCause.NORMAL,
) -> None:
    """Decide the outcome and hang the customer up, after ``sounds`` if there are any.

    Whoever has been talked with was served, however the call ends.
    """
    outcome = f.CallOutcome.SERVED if call.served else outcome
    play = center.mint.play() if sounds else None
    within_ms = center.state.config.lasts_ms(sounds) + LAST_WORDS_GRACE_MS if sounds else GONE_MS
    _decide(center, call, outcome, cause, within_ms, play)
    if play is not None:
        answer(center, call)
        center.send(c.PlayPrompts(switch=call.switch, leg=call.leg, play=play, sounds=sounds, barge=False))
    else:
        center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))


def drop(center: Center, call: Call, outcome: f.CallOutcome, cause: HangupCause) -> None:
    """End it at once on every leg there is: nobody is to hear anything."""
    _decide(center, call, outcome, cause, GONE_MS, None)
    for leg in list(call.legs.values()):
        ringing = leg.answered_ms is None
        said = HangupCause.CANCELLED if ringing else HangupCause.NORMAL
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id, cause=said))
    finish_if_over(center, call)


def last_words_said(center: Center, call: Call) -> None:
    center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))


def remove(center: Center, call: Call) -> None:
    """A supervisor hangs up a caller with whom no agent talks: every leg, at once."""
    _stop(center, call, f.OfferOutcome.WITHDRAWN, f.QueueExit.REMOVED, "removed", HangupCause.CANCELLED)
    drop(center, call, f.CallOutcome.SERVED if call.served else f.CallOutcome.REMOVED, HangupCause.NORMAL)


def _stop(
    center: Center,
    call: Call,
    offer: f.OfferOutcome,
    queue: f.QueueExit,
    ivr: str,
    cause: HangupCause,
) -> None:
    """Whatever the call was doing is over: each part says in its own words why."""
    if call.state is CallState.TALKING:
        talk.unbridged(center, call)
    offers.withdraw_all(center, call, offer)
    if call.dial is not None:
        states.dial_ended(center, call, f.DialOutcome.FAILED, cause)
    elif call.consult is not None:
        states.to_wrap_up(center, call.consult.agent, call, call.consult.queue)
        recording.stop(center, call)
    elif call.three_way is not None:
        _room_ends(center, call, call.three_way)
    elif call.rejoin is not None:
        states.to_wrap_up(center, call.rejoin.agent, call, call.rejoin.queue)
        recording.stop(center, call)
    elif call.state is CallState.CONNECTING and call.bridge is not None:
        states.free(center, call.bridge.agent, call)
    if call.wait is not None:
        offers.leave_line(center, call, queue)
    if call.ivr is not None and call.ivr.position is not None:
        center.emit(f.IvrLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id, reason=ivr))


def _room_ends(center: Center, call: Call, room: ThreeWay) -> None:
    """For those who are still in it."""
    for leg in list(call.legs.values()):
        if leg.agent is not None:
            states.to_wrap_up(center, leg.agent, call, room.queue_of(leg))
    talked_ms = center.now_ms - room.since_ms
    center.emit(f.ThreeWayEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, talked_ms=talked_ms))
    recording.stop(center, call)


def customer_left(center: Center, call: Call, cause: HangupCause) -> None:
    """The customer leg is gone, whatever the call was doing."""
    outcome = call.outcome or _outcome_of(call, cause)
    _stop(center, call, f.OfferOutcome.CALLER_LEFT, f.QueueExit.ABANDONED, "hung_up", cause)
    _decide(center, call, outcome, cause, GONE_MS, None)
    for leg in list(call.legs.values()):
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
    finish_if_over(center, call)


def _outcome_of(call: Call, cause: HangupCause) -> f.CallOutcome:
    if call.served:
        return f.CallOutcome.SERVED
    if cause is HangupCause.LOST:
        return f.CallOutcome.FAILED
    if call.direction is f.Direction.OUTBOUND and call.wait is None:
        return f.CallOutcome.NOT_REACHED
    if call.wait is not None or call.state in (CallState.DIALING, CallState.CONNECTING, CallState.RETURNING):
        return f.CallOutcome.ABANDONED
    return f.CallOutcome.LEFT_IN_IVR


def _decide(
    center: Center, call: Call, outcome: f.CallOutcome, cause: HangupCause, within_ms: int, play: PlayId | None
) -> None:
    center.emit(
        f.CallClosing(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            outcome=outcome,
            cause=cause,
            deadline_ms=center.now_ms + within_ms,
            play=play,
        )
    )


def finish_if_over(center: Center, call: Call) -> None:
    """The last leg is gone and the recording is closed: the call becomes history, once."""
    if call.id not in center.state.calls:
        return
    if call.state is not CallState.CLOSING or call.legs or call.recording is not None:
        return
    outcome = call.outcome or f.CallOutcome.FAILED
    center.emit(f.CallEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, outcome=outcome, cause=call.cause))


def give_up_recording(center: Center, call: Call, reason: str) -> None:
    """Its end will not be reported any more; a call that waited only for that becomes history."""
    if call.recording is not None:
        center.emit(
            f.RecordingBroken(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, recording=call.recording.id, reason=reason
            )
        )
    finish_if_over(center, call)


def closing_overdue(center: Center, call: Call) -> None:
    """Something did not go as told. Tell it again and look at the switch; what it does not know is gone."""
    if call.customer_gone:
        give_up_recording(center, call, "the switch did not say that it ended")
    overdue = call.last_words is None and center.now_ms - call.since_ms > GIVE_UP_MS
    for leg in list(call.legs.values()):
        if overdue and center.link_up(leg.switch):
            center.emit(
                f.LegEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id, cause=HangupCause.LOST)
            )
            center.phone_taken_or_free(leg.phone_of)
            if leg.agent is not None:
                states.release(center, leg.agent, call)
        else:
            center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
    finish_if_over(center, call)
    if call.id in center.state.calls:
        center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))
        _decide(center, call, call.outcome or f.CallOutcome.FAILED, call.cause, GONE_MS, None)
