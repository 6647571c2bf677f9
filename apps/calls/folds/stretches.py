"""What the caller's time was spent on: menu, queue, talk, hold, transfer; one stretch after another."""

from __future__ import annotations

from apps.calls.models import SegmentKind
from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import facts


def _ivr_entered(rows: Projection, item: StoredFact, fact: facts.IvrEntered) -> None:
    rows.start_segment(rows.calls[fact.call], SegmentKind.IVR, fact.at_ms, detail=fact.version)


def _ivr_stepped(rows: Projection, item: StoredFact, fact: facts.IvrStepped) -> None:
    """The flow goes on after a queue or a talk."""
    call = rows.calls[fact.call]
    if call.id not in rows.open_segments and call.ended_at is None:
        rows.start_segment(call, SegmentKind.IVR, fact.at_ms)


def _ivr_left(rows: Projection, item: StoredFact, fact: facts.IvrLeft) -> None:
    rows.end_segment_if(fact, SegmentKind.IVR, outcome=fact.reason)


def _call_queued(rows: Projection, item: StoredFact, fact: facts.CallQueued) -> None:
    """Queued again where the caller already waits (an offer failed) is the same wait, also that for a call back."""
    if fact.consult or fact.callback:
        return
    call = rows.calls[fact.call]
    queue_id = row_id(fact.queue)
    segment = rows.open_segments.get(call.id)
    if segment is None or segment.kind != SegmentKind.QUEUE or segment.queue_id != queue_id:
        rows.start_segment(call, SegmentKind.QUEUE, fact.at_ms, queue_id=queue_id)
    if call.first_queue_id is None:
        call.first_queue_id = queue_id
    call.last_queue_id = queue_id


def _call_dequeued(rows: Projection, item: StoredFact, fact: facts.CallDequeued) -> None:
    if fact.consult:
        return
    rows.end_segment_if(fact, SegmentKind.QUEUE, outcome=fact.reason)


def _call_bridged(rows: Projection, item: StoredFact, fact: facts.CallBridged) -> None:
    """With whom the caller talks already (who was asked has left meanwhile) it is the same talk."""
    call = rows.calls[fact.call]
    agent_id = row_id(fact.agent)
    now = rows.open_segments.get(call.id)
    if now is None or now.kind != SegmentKind.TALK or now.leg_id != fact.leg:
        rows.start_segment(
            call, SegmentKind.TALK, fact.at_ms, agent_id=agent_id, queue_id=row_id(fact.queue), leg_id=fact.leg
        )
    call.connected_at = call.connected_at or moment(fact.at_ms)
    call.answered_at = call.answered_at or moment(fact.at_ms)
    call.last_agent_id = agent_id or call.last_agent_id


def _call_held(rows: Projection, item: StoredFact, fact: facts.CallHeld) -> None:
    _change_talk(rows, fact, SegmentKind.TALK, SegmentKind.HOLD)


def _call_resumed(rows: Projection, item: StoredFact, fact: facts.CallResumed) -> None:
    _change_talk(rows, fact, SegmentKind.HOLD, SegmentKind.TALK)


def _change_talk(rows: Projection, fact: facts.CallFact, before: SegmentKind, after: SegmentKind) -> None:
    """Hold is part of a talk: the same agent and leg."""
    talk = rows.open_segments.get(fact.call)
    if talk is not None and talk.kind == before:
        with_whom = {"agent_id": talk.agent_id, "queue_id": talk.queue_id, "leg_id": talk.leg_id}
        rows.start_segment(rows.calls[fact.call], after, fact.at_ms, **with_whom)


def _call_unbridged(rows: Projection, item: StoredFact, fact: facts.CallUnbridged) -> None:
    rows.end_segment_if(fact, SegmentKind.TALK, SegmentKind.HOLD, outcome="ended")


def _bridge_lost(rows: Projection, item: StoredFact, fact: facts.BridgeLost) -> None:
    rows.end_segment_if(fact, SegmentKind.TALK, SegmentKind.HOLD, outcome="lost")


def _rejoin_started(rows: Projection, item: StoredFact, fact: facts.RejoinStarted) -> None:
    """The agent's telephone died: the caller is held for them, with nobody's leg at the other end."""
    with_whom = {"agent_id": row_id(fact.agent), "queue_id": row_id(fact.queue)}
    rows.start_segment(rows.calls[fact.call], SegmentKind.HOLD, fact.at_ms, **with_whom)


def _rejoin_failed(rows: Projection, item: StoredFact, fact: facts.RejoinFailed) -> None:
    rows.end_segment_if(fact, SegmentKind.HOLD, outcome="ended")


def _transfer_started(rows: Projection, item: StoredFact, fact: facts.TransferStarted) -> None:
    rows.start_segment(
        rows.calls[fact.call],
        SegmentKind.TRANSFER,
        fact.at_ms,
        agent_id=row_id(fact.agent),
        detail=f"{fact.kind} {fact.target}",
    )


def _transfer_failed(rows: Projection, item: StoredFact, fact: facts.TransferFailed) -> None:
    rows.end_segment_if(fact, SegmentKind.TRANSFER, outcome=f"failed: {fact.reason}")


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.IvrEntered: _ivr_entered,
    facts.IvrStepped: _ivr_stepped,
    facts.IvrLeft: _ivr_left,
    facts.CallQueued: _call_queued,
    facts.CallDequeued: _call_dequeued,
    facts.CallBridged: _call_bridged,
    facts.CallHeld: _call_held,
    facts.CallResumed: _call_resumed,
    facts.CallUnbridged: _call_unbridged,
    facts.BridgeLost: _bridge_lost,
    facts.RejoinStarted: _rejoin_started,
    facts.RejoinFailed: _rejoin_failed,
    facts.TransferStarted: _transfer_started,
    facts.TransferFailed: _transfer_failed,
}
