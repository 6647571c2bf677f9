"""What each fact means for history. Facts not listed here change no row; they are kept as facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.calls.models import AgentStateSpan, Callback, CallDisposition, Decision, Segment, SegmentKind
from apps.calls.projection import Projection, StoredFact, moment, row_id
from apps.core import codec, facts
from apps.core.events import LegRole
from apps.recordings.models import Recording, RecordingStatus

Fold = Callable[[Projection, StoredFact, Any], None]


def fold(rows: Projection, item: StoredFact) -> None:
    """Apply one fact to the rows."""
    if isinstance(item.fact, facts.CallFact):
        rows.call(item, item.fact)
    apply = _FOLDS.get(type(item.fact))
    if apply is not None:
        apply(rows, item, item.fact)


# --- calls and legs -----------------------------------------------------------------------------------------


def _call_started(rows: Projection, item: StoredFact, fact: facts.CallStarted) -> None:
    call = rows.calls[fact.call]
    call.started_at = moment(fact.at_ms)
    call.switch_id = row_id(fact.switch)
    call.direction = fact.direction
    call.did, call.trunk_name = fact.did, fact.trunk
    call.caller_number, call.caller_name = fact.caller_number, fact.caller_name
    call.customer_leg_id = fact.leg
    if fact.direction is facts.Direction.OUTBOUND:
        return  # its leg begins when the number is called, if it ever is
    leg = rows.leg(fact.leg, fact)
    leg.switch_id = row_id(fact.switch)
    leg.role, leg.address = LegRole.CUSTOMER, fact.caller_number
    if fact.answered:
        call.answered_at = leg.answered_at = moment(fact.at_ms)


def _call_answered(rows: Projection, item: StoredFact, fact: facts.CallAnswered) -> None:
    call = rows.calls[fact.call]
    call.answered_at = call.answered_at or moment(fact.at_ms)
    leg = rows.legs.get(call.customer_leg_id)
    if leg is not None:
        leg.answered_at = leg.answered_at or moment(fact.at_ms)


def _call_ended(rows: Projection, item: StoredFact, fact: facts.CallEnded) -> None:
    call = rows.calls[fact.call]
    rows.end_segment(call, fact.at_ms, outcome=fact.outcome)
    call.ended_at = moment(fact.at_ms)
    call.outcome, call.cause = fact.outcome, fact.cause


def _leg_started(rows: Projection, item: StoredFact, fact: facts.LegStarted) -> None:
    leg = rows.leg(fact.leg, fact)
    leg.started_at = moment(fact.at_ms)
    leg.switch_id, leg.role, leg.address = row_id(fact.switch), fact.role, fact.address
    leg.agent_id, leg.queue_id = row_id(fact.agent), row_id(fact.queue)


def _leg_rang(rows: Projection, item: StoredFact, fact: facts.LegRang) -> None:
    rows.leg(fact.leg, fact).rang_at = moment(fact.at_ms)


def _leg_connected(rows: Projection, item: StoredFact, fact: facts.LegConnected) -> None:
    leg = rows.leg(fact.leg, fact)
    leg.answered_at = leg.answered_at or moment(fact.at_ms)


def _leg_ended(rows: Projection, item: StoredFact, fact: facts.LegEnded) -> None:
    leg = rows.leg(fact.leg, fact)
    leg.ended_at = moment(fact.at_ms)
    leg.cause, leg.raw_cause = fact.cause, fact.raw


# --- the caller's time --------------------------------------------------------------------------------------


def _ivr_entered(rows: Projection, item: StoredFact, fact: facts.IvrEntered) -> None:
    rows.start_segment(rows.calls[fact.call], SegmentKind.IVR, fact.at_ms, detail=fact.version)


def _ivr_stepped(rows: Projection, item: StoredFact, fact: facts.IvrStepped) -> None:
    """The flow goes on after a queue or a talk."""
    call = rows.calls[fact.call]
    if call.id not in rows.open_segments and call.ended_at is None:
        rows.start_segment(call, SegmentKind.IVR, fact.at_ms)


def _ivr_left(rows: Projection, item: StoredFact, fact: facts.IvrLeft) -> None:
    _end(rows, fact, SegmentKind.IVR, outcome=fact.reason)


def _call_queued(rows: Projection, item: StoredFact, fact: facts.CallQueued) -> None:
    """Queued again where the caller already waits (an offer failed) is the same wait."""
    if fact.consult:
        return  # not the caller waits
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
    _end(rows, fact, SegmentKind.QUEUE, outcome=fact.reason)


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
    _end(rows, fact, SegmentKind.TALK, SegmentKind.HOLD, outcome="ended")


def _bridge_lost(rows: Projection, item: StoredFact, fact: facts.BridgeLost) -> None:
    _end(rows, fact, SegmentKind.TALK, SegmentKind.HOLD, outcome="lost")


def _rejoin_started(rows: Projection, item: StoredFact, fact: facts.RejoinStarted) -> None:
    """The agent's telephone died: the caller is held for them, with nobody's leg at the other end."""
    with_whom = {"agent_id": row_id(fact.agent), "queue_id": row_id(fact.queue)}
    rows.start_segment(rows.calls[fact.call], SegmentKind.HOLD, fact.at_ms, **with_whom)


def _rejoin_failed(rows: Projection, item: StoredFact, fact: facts.RejoinFailed) -> None:
    _end(rows, fact, SegmentKind.HOLD, outcome="ended")


def _transfer_started(rows: Projection, item: StoredFact, fact: facts.TransferStarted) -> None:
    rows.start_segment(
        rows.calls[fact.call],
        SegmentKind.TRANSFER,
        fact.at_ms,
        agent_id=row_id(fact.agent),
        detail=f"{fact.kind} {fact.target}",
    )


def _transfer_failed(rows: Projection, item: StoredFact, fact: facts.TransferFailed) -> None:
    _end(rows, fact, SegmentKind.TRANSFER, outcome=f"failed: {fact.reason}")


# --- consults and three-ways --------------------------------------------------------------------------------


def _consult_started(rows: Projection, item: StoredFact, fact: facts.ConsultStarted) -> None:
    _consulting(rows, fact, fact.agent, fact.queue, fact.leg, f"{fact.kind} {fact.target}")


def _consulting(
    rows: Projection, fact: facts.CallFact, agent: str | None, queue: str | None, leg: str, detail: str
) -> Segment:
    return rows.start_segment(
        rows.calls[fact.call],
        SegmentKind.CONSULT,
        fact.at_ms,
        agent_id=row_id(agent),
        queue_id=row_id(queue),
        leg_id=leg,
        detail=detail,
    )


def _consult_answered(rows: Projection, item: StoredFact, fact: facts.ConsultAnswered) -> None:
    segment = rows.open_segments.get(fact.call)
    if segment is not None and segment.kind == SegmentKind.CONSULT:
        segment.other_agent_id = row_id(fact.agent)


def _pair_bridged(rows: Projection, item: StoredFact, fact: facts.PairBridged) -> None:
    """Swapped: the caller talks again, or is set aside again."""
    before = rows.open_segments.get(fact.call)
    call = rows.calls[fact.call]
    if before is None or before.kind not in (SegmentKind.CONSULT, SegmentKind.TALK):
        return
    kept = {name: getattr(before, name) for name in ("agent_id", "queue_id", "leg_id", "other_agent_id", "detail")}
    if fact.with_customer and before.kind == SegmentKind.CONSULT and fact.leg == before.leg_id:
        rows.start_segment(call, SegmentKind.TALK, fact.at_ms, **kept)
    elif not fact.with_customer and before.kind == SegmentKind.TALK:
        rows.start_segment(call, SegmentKind.CONSULT, fact.at_ms, **kept)


def _consult_ended(rows: Projection, item: StoredFact, fact: facts.ConsultEnded) -> None:
    """The agent who asked has no part in it any more; otherwise the next talk begins at once."""
    if facts.leaves_the_asker(fact):
        _end(rows, fact, SegmentKind.CONSULT, SegmentKind.TALK, outcome=fact.end)


def _three_way_began(rows: Projection, item: StoredFact, fact: facts.ThreeWayBegan) -> None:
    rows.start_segment(
        rows.calls[fact.call],
        SegmentKind.CONFERENCE,
        fact.at_ms,
        agent_id=row_id(fact.agent),
        other_agent_id=row_id(fact.other_agent),
        queue_id=row_id(fact.queue),
        leg_id=fact.leg,
        detail=f"{fact.kind} {fact.target}",
    )


def _customer_left(rows: Projection, item: StoredFact, fact: facts.CustomerLeft) -> None:
    """The time of the others is not the caller's any more."""
    _end(rows, fact, SegmentKind.CONSULT, SegmentKind.CONFERENCE, outcome=facts.ConsultEnd.CUSTOMER_LEFT)


def _three_way_left(rows: Projection, item: StoredFact, fact: facts.ThreeWayLeft) -> None:
    segment = rows.open_segments.get(fact.call)
    if segment is not None and segment.leg_id == fact.leg:
        _end(rows, fact, SegmentKind.CONFERENCE, outcome="left")


def _end(rows: Projection, fact: facts.CallFact, *kinds: SegmentKind, outcome: str) -> None:
    """End the open stretch if it is of one of these kinds; another has already taken its place otherwise."""
    segment = rows.open_segments.get(fact.call)
    if segment is not None and segment.kind in kinds:
        rows.end_segment(rows.calls[fact.call], fact.at_ms, outcome=outcome)


# --- calls back ---------------------------------------------------------------------------------------------


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
    _end(rows, fact, SegmentKind.CALLBACK, outcome=fact.outcome)


# --- decisions, recordings, agents --------------------------------------------------------------------------


def _dial_started(rows: Projection, item: StoredFact, fact: facts.DialStarted) -> None:
    """Whose call it is, also when the number is never reached."""
    rows.calls[fact.call].last_agent_id = row_id(fact.agent)


def _offer_decided(rows: Projection, item: StoredFact, fact: facts.OfferDecided) -> None:
    """The offer follows at once, yet perhaps in another batch: the row is whole without it."""
    decision = _decision(rows, fact)
    decision.rule, decision.ready_agents, decision.waiting_calls = fact.strategy, fact.eligible, fact.waiting
    decision.trace = codec.encode(fact)


def _agent_offered(rows: Projection, item: StoredFact, fact: facts.AgentOffered) -> None:
    decision = _decision(rows, fact)
    decision.rule, decision.ready_agents, decision.waiting_calls = fact.rule, fact.ready_agents, fact.waiting_calls
    decision.idle_since = moment(fact.idle_since_ms)


def _decision(rows: Projection, fact: facts.OfferDecided | facts.AgentOffered) -> Decision:
    decision = rows.decisions.get(fact.leg)
    if decision is None:
        decision = rows.decisions[fact.leg] = Decision(
            leg_id=fact.leg,
            tenant_id=row_id(fact.tenant),
            call_id=fact.call,
            at=moment(fact.at_ms),
            queue_id=row_id(fact.queue),
            agent_id=row_id(fact.agent),
        )
    return decision


def _offer_ended(rows: Projection, item: StoredFact, fact: facts.OfferEnded) -> None:
    decision = rows.decisions.get(fact.leg)
    if decision is not None:
        decision.ended_at = moment(fact.at_ms)
        decision.outcome, decision.cause = fact.outcome, fact.cause or ""


def _recording_asked(rows: Projection, item: StoredFact, fact: facts.RecordingAsked) -> None:
    rows.recordings[fact.recording] = Recording(
        id=fact.recording,
        tenant_id=row_id(fact.tenant),
        call_id=fact.call,
        leg_id=fact.leg,
        switch_id=row_id(fact.switch),
        path=fact.path,
        asked_at=moment(fact.at_ms),
    )


def _recording_began(rows: Projection, item: StoredFact, fact: facts.RecordingBegan) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.started_at, recording.status = moment(fact.at_ms), RecordingStatus.RUNNING


def _recording_ended(rows: Projection, item: StoredFact, fact: facts.RecordingEnded) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.ended_at, recording.status = moment(fact.at_ms), RecordingStatus.DONE
        recording.duration_ms = fact.duration_ms


def _recording_broken(rows: Projection, item: StoredFact, fact: facts.RecordingBroken) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.ended_at, recording.status = moment(fact.at_ms), RecordingStatus.BROKEN
        recording.reason = fact.reason


def _agent_state_changed(rows: Projection, item: StoredFact, fact: facts.AgentStateChanged) -> None:
    agent_id = row_id(fact.agent)
    if agent_id is None:
        return
    before = rows.open_spans.pop(agent_id, None)
    if before is not None:
        before.ended_at = moment(fact.at_ms)
    if fact.state == "LOGGED_OUT":
        return
    span = AgentStateSpan(
        tenant_id=row_id(fact.tenant),
        agent_id=agent_id,
        epoch=item.epoch,
        seq=item.seq,
        state=fact.state,
        reason=fact.reason,
        call_id=fact.call or "",
        started_at=moment(fact.at_ms),
    )
    rows.open_spans[agent_id] = span
    rows.spans.append(span)


def _call_disposed(rows: Projection, item: StoredFact, fact: facts.CallDisposed) -> None:
    rows.calls[fact.call].wrap_up_ms += fact.wrap_up_ms
    rows.dispositions.append(
        CallDisposition(
            tenant_id=row_id(fact.tenant),
            call_id=fact.call,
            agent_id=row_id(fact.agent),
            epoch=item.epoch,
            seq=item.seq,
            at=moment(fact.at_ms),
            disposition=fact.disposition,
            note=fact.note,
            wrap_up_ms=fact.wrap_up_ms,
        )
    )


_FOLDS: dict[type[facts.Fact], Fold] = {
    facts.CallStarted: _call_started,
    facts.CallAnswered: _call_answered,
    facts.CallEnded: _call_ended,
    facts.LegStarted: _leg_started,
    facts.LegRang: _leg_rang,
    facts.LegConnected: _leg_connected,
    facts.LegEnded: _leg_ended,
    facts.IvrEntered: _ivr_entered,
    facts.IvrStepped: _ivr_stepped,
    facts.IvrLeft: _ivr_left,
    facts.CallQueued: _call_queued,
    facts.CallDequeued: _call_dequeued,
    facts.CallbackBooked: _callback_booked,
    facts.CallbackDialed: _callback_dialed,
    facts.CallbackTried: _callback_tried,
    facts.CallbackEnded: _callback_ended,
    facts.CallBridged: _call_bridged,
    facts.CallHeld: _call_held,
    facts.CallResumed: _call_resumed,
    facts.CallUnbridged: _call_unbridged,
    facts.BridgeLost: _bridge_lost,
    facts.RejoinStarted: _rejoin_started,
    facts.RejoinFailed: _rejoin_failed,
    facts.TransferStarted: _transfer_started,
    facts.TransferFailed: _transfer_failed,
    facts.ConsultStarted: _consult_started,
    facts.ConsultAnswered: _consult_answered,
    facts.PairBridged: _pair_bridged,
    facts.ConsultEnded: _consult_ended,
    facts.ThreeWayBegan: _three_way_began,
    facts.ThreeWayLeft: _three_way_left,
    facts.CustomerLeft: _customer_left,
    facts.DialStarted: _dial_started,
    facts.OfferDecided: _offer_decided,
    facts.AgentOffered: _agent_offered,
    facts.OfferEnded: _offer_ended,
    facts.RecordingAsked: _recording_asked,
    facts.RecordingBegan: _recording_began,
    facts.RecordingEnded: _recording_ended,
    facts.RecordingBroken: _recording_broken,
    facts.AgentStateChanged: _agent_state_changed,
    facts.CallDisposed: _call_disposed,
}
