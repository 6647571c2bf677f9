"""The rows that a batch of facts touches: loaded at once, changed in memory, written at once."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, models

from apps.calls.models import AgentStateSpan, Call, Callback, CallDisposition, Decision, Leg, Segment, SegmentKind
from apps.core.facts import CallFact, Fact
from apps.recordings.models import Recording

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
LAST_MS = 253_402_300_799_000  # the end of year 9999, the last that a datetime holds


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact as the journal holds it. ``epoch`` and ``seq`` together name it for ever."""

    epoch: str
    seq: int
    fact: Fact


def storable_ms(at_ms: int) -> int:
    """Within what a timestamp can hold: a mad clock must not stop the recording."""
    return min(max(at_ms, 0), LAST_MS)


def moment(at_ms: int) -> datetime.datetime:
    return EPOCH + datetime.timedelta(milliseconds=storable_ms(at_ms))


def moment_ms(at: datetime.datetime) -> int:
    """The inverse of ``moment``, exact."""
    return (at - EPOCH) // datetime.timedelta(milliseconds=1)


def row_id(core_id: str | None) -> int | None:
    """The primary key behind a core id; None for one that is no key of ours."""
    return int(core_id) if core_id and core_id.isdecimal() and len(core_id) <= 18 else None


@dataclass(slots=True)
class Projection:
    """Rows by their natural key. Whatever is taken from here is written back."""

    calls: dict[str, Call] = field(default_factory=dict)
    legs: dict[str, Leg] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    callbacks: dict[str, Callback] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    open_segments: dict[str, Segment] = field(default_factory=dict)  # by call: at most one is open
    segments: list[Segment] = field(default_factory=list)
    open_spans: dict[int, AgentStateSpan] = field(default_factory=dict)  # by agent
    spans: list[AgentStateSpan] = field(default_factory=list)
    dispositions: list[CallDisposition] = field(default_factory=list)

    @classmethod
    def load(cls, facts: Iterable[Fact]) -> Projection:
        """What is already stored of the calls, legs and agents that the facts speak of, in seven queries."""
        calls: set[str] = set()
        legs: set[str] = set()
        recordings: set[str] = set()
        callbacks: set[str] = set()
        agents: set[int] = set()
        for fact in facts:
            if isinstance(fact, CallFact):
                calls.add(fact.call)
                legs.add(getattr(fact, "leg", ""))
                recordings.add(getattr(fact, "recording", ""))
                callbacks.add(getattr(fact, "callback", ""))
            else:
                agents |= {pk for pk in [row_id(getattr(fact, "agent", None))] if pk is not None}
        known = Call.objects.in_bulk(calls)
        legs |= {call.customer_leg_id for call in known.values()}
        segments = list(Segment.objects.filter(call_id__in=known, ended_at=None)) if known else []
        spans = list(AgentStateSpan.objects.filter(agent_id__in=agents, ended_at=None))
        return cls(
            calls=known,
            legs=Leg.objects.in_bulk(legs),
            decisions=Decision.objects.in_bulk(legs),
            recordings=Recording.objects.in_bulk(recordings),
            callbacks=Callback.objects.in_bulk(callbacks - {""}),
            open_segments={segment.call_id: segment for segment in segments},
            segments=segments,
            open_spans={span.agent_id: span for span in spans if span.agent_id is not None},
            spans=spans,
        )

    def call(self, item: StoredFact, fact: CallFact) -> Call:
        """The call of a fact. One whose start was never recorded begins with the first fact about it."""
        call = self.calls.get(fact.call)
        if call is None:
            call = Call(id=fact.call, tenant_id=row_id(fact.tenant), started_at=moment(fact.at_ms))
            self.calls[fact.call] = call
        call.last_epoch, call.last_seq = item.epoch, item.seq
        return call

    def leg(self, leg_id: str, fact: CallFact) -> Leg:
        leg = self.legs.get(leg_id)
        if leg is None:
            leg = Leg(id=leg_id, call_id=fact.call, tenant_id=row_id(fact.tenant), started_at=moment(fact.at_ms))
            self.legs[leg_id] = leg
        return leg

    def start_segment(self, call: Call, kind: SegmentKind, at_ms: int, **fields: Any) -> Segment:
        """A new stretch of the caller's time; it ends the one before."""
        self.end_segment(call, at_ms, outcome=_GIVES_WAY_TO[kind])
        call.segment_count += 1
        segment = Segment(
            tenant_id=call.tenant_id,
            call_id=call.id,
            sequence=call.segment_count,
            kind=kind,
            started_at=moment(at_ms),
            **fields,
        )
        self.open_segments[call.id] = segment
        self.segments.append(segment)
        return segment

    def end_segment(self, call: Call, at_ms: int, outcome: str) -> None:
        """End the open stretch, if there is one, and add it to the call's totals."""
        segment = self.open_segments.pop(call.id, None)
        if segment is None:
            return
        segment.ended_at = moment(at_ms)
        segment.outcome = outcome
        segment.duration_ms = max(
            0, round((segment.ended_at - segment.started_at) / datetime.timedelta(milliseconds=1))
        )
        total = _TOTALS.get(SegmentKind(segment.kind))
        if total is not None:
            setattr(call, total, getattr(call, total) + segment.duration_ms)

    def end_segment_if(self, fact: CallFact, *kinds: SegmentKind, outcome: str) -> None:
        """End the open stretch if it is of one of these kinds; another has already taken its place otherwise."""
        segment = self.open_segments.get(fact.call)
        if segment is not None and segment.kind in kinds:
            self.end_segment(self.calls[fact.call], fact.at_ms, outcome=outcome)

    def write(self) -> None:
        """Insert what is new and update what was there, one statement a table."""
        _upsert(Call, self.calls.values(), ["id"])
        _upsert(Leg, self.legs.values(), ["id"])
        _upsert(Segment, self.segments, ["call", "sequence"])
        _upsert(Decision, self.decisions.values(), ["leg_id"])
        _upsert(Recording, self.recordings.values(), ["id"])
        _upsert(Callback, self.callbacks.values(), ["id"])
        _upsert(CallDisposition, self.dispositions, ["epoch", "seq"])
        _upsert(AgentStateSpan, self.spans, ["epoch", "seq"])


# While an agent asks somebody the caller hears music, as on hold; a three-way is talk.
_TOTALS = {
    SegmentKind.QUEUE: "wait_ms",
    SegmentKind.TALK: "talk_ms",
    SegmentKind.CONFERENCE: "talk_ms",
    SegmentKind.HOLD: "hold_ms",
    SegmentKind.CONSULT: "hold_ms",
}
_GIVES_WAY_TO = {
    SegmentKind.IVR: "to_menu",
    SegmentKind.QUEUE: "queued",
    SegmentKind.TALK: "connected",
    SegmentKind.HOLD: "held",
    SegmentKind.TRANSFER: "transferred",
    SegmentKind.CONSULT: "consulting",
    SegmentKind.CONFERENCE: "merged",
    SegmentKind.CALLBACK: "callback",
}


Fold = Callable[[Projection, StoredFact, Any], None]
"""What one kind of fact does to the rows."""


def _upsert(model: type[models.Model], rows: Iterable[models.Model], key: Sequence[str]) -> None:
    """One statement with one JSON parameter. The ORM's own way of it took half of the recorder's time."""
    fields = [one for one in model._meta.concrete_fields if not isinstance(one, models.AutoField)]
    data = [{str(one.column): row.__dict__[one.attname] for one in fields} for row in rows]
    if not data:
        return
    quoted = connection.ops.quote_name
    table, columns = quoted(model._meta.db_table), [quoted(column) for column in data[0]]
    unique = [quoted(str(one.column)) for one in fields if one.name in key]
    changed = [f"{column} = EXCLUDED.{column}" for column in columns if column not in unique]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)}"
            f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
            f" ON CONFLICT ({', '.join(unique)}) DO UPDATE SET {', '.join(changed)}",
            [orjson.dumps(data).decode()],
        )
