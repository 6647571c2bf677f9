"""The stretches of a call in which an agent asks somebody else, or three talk."""

from __future__ import annotations

from apps.calls.models import SegmentKind
from apps.calls.projection import Fold, Projection, StoredFact, row_id
from apps.core import facts


def _consult_started(rows: Projection, item: StoredFact, fact: facts.ConsultStarted) -> None:
    rows.start_segment(
        rows.calls[fact.call],
        SegmentKind.CONSULT,
        fact.at_ms,
        agent_id=row_id(fact.agent),
        queue_id=row_id(fact.queue),
        leg_id=fact.leg,
        detail=f"{fact.kind} {fact.target}",
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
        rows.end_segment_if(fact, SegmentKind.CONSULT, SegmentKind.TALK, outcome=fact.end)


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
    rows.end_segment_if(fact, SegmentKind.CONSULT, SegmentKind.CONFERENCE, outcome=facts.ConsultEnd.CUSTOMER_LEFT)


def _three_way_left(rows: Projection, item: StoredFact, fact: facts.ThreeWayLeft) -> None:
    segment = rows.open_segments.get(fact.call)
    if segment is not None and segment.leg_id == fact.leg:
        rows.end_segment_if(fact, SegmentKind.CONFERENCE, outcome="left")


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.ConsultStarted: _consult_started,
    facts.ConsultAnswered: _consult_answered,
    facts.PairBridged: _pair_bridged,
    facts.ConsultEnded: _consult_ended,
    facts.ThreeWayBegan: _three_way_began,
    facts.ThreeWayLeft: _three_way_left,
    facts.CustomerLeft: _customer_left,
}
