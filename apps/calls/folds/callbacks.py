"""Places in a queue that wait for a call back."""

from __future__ import annotations

from apps.calls.models import Callback, SegmentKind
from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import facts


def _callback_booked(rows: Projection, item: StoredFact, fact: facts.CallbackBooked) -> None:
    call, queue_id = rows.calls[fact.call], row_id(fact.queue)
    rows.callbacks[fact.callback] = Callback(
        id=fact.callback,
        tenant_id=row_id(fact.tenant),
        call_id=fact.call,
        queue_id=queue_id,
        number=fact.number,
        source=fact.source,
        agent_first=fact.agent_first,
        booked_at=moment(fact.at_ms),
        queued_at=moment(fact.queued_ms),
        due_at=moment(fact.due_ms),
        until_at=moment(fact.until_ms),
        actor=fact.actor,
        command=fact.cmd_id,
    )
    rows.start_segment(call, SegmentKind.CALLBACK, fact.at_ms, queue_id=queue_id)
    call.first_queue_id = call.first_queue_id or queue_id
    call.last_queue_id = queue_id


def _callback_dialed(rows: Projection, item: StoredFact, fact: facts.CallbackDialed) -> None:
    rows.calls[fact.call].customer_leg_id = fact.leg


def _callback_tried(rows: Projection, item: StoredFact, fact: facts.CallbackTried) -> None:
    callback = rows.callbacks.get(fact.callback)
    if callback is not None:
        callback.tried += fact.counted
        callback.last_try, callback.due_at = fact.outcome, moment(fact.next_ms)


def _callback_ended(rows: Projection, item: StoredFact, fact: facts.CallbackEnded) -> None:
    callback = rows.callbacks.get(fact.callback)
    if callback is not None:
        callback.ended_at, callback.outcome = moment(fact.at_ms), fact.outcome
    rows.end_segment_if(fact, SegmentKind.CALLBACK, outcome=fact.outcome)


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.CallbackBooked: _callback_booked,
    facts.CallbackDialed: _callback_dialed,
    facts.CallbackTried: _callback_tried,
    facts.CallbackEnded: _callback_ended,
}
