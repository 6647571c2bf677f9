"""What the messages say, version 1. Made from facts and from the rows that history keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.agents.models import Agent
from apps.calls.models import Call
from apps.calls.projection import moment, row_id
from apps.core import facts as f
from apps.queues.models import Queue
from apps.webhooks.models import EventType

VERSION = 1

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """Rows that the facts of a batch speak of."""

    calls: Mapping[str, Call]
    agents: Mapping[int, Agent]
    queues: Mapping[int, Queue]

    @classmethod
    def of(cls, facts: Iterable[f.Fact]) -> Names:
        facts = list(facts)
        agents = {row_id(getattr(fact, "agent", None)) for fact in facts}
        queues = {row_id(getattr(fact, "queue", None)) for fact in facts}
        calls = Call.objects.in_bulk({fact.call for fact in facts if isinstance(fact, f.CallFact)})
        for call in calls.values():
            agents.add(call.last_agent_id)
            queues.add(call.last_queue_id)
        return cls(
            calls=calls,
            agents=Agent.objects.in_bulk({pk for pk in agents if pk is not None}),
            queues=Queue.objects.in_bulk({pk for pk in queues if pk is not None}),
        )

    def call(self, call_id: str) -> Data:
        call = self.calls.get(call_id)
        if call is None:
            return {"id": call_id}
        return {
            "id": call.pk,
            "direction": call.direction,
            "did": call.did,
            "caller_number": call.caller_number,
            "caller_name": call.caller_name,
            "started_at": call.started_at.isoformat(),
        }

    def agent(self, core_id: str | int | None) -> Data | None:
        pk = core_id if isinstance(core_id, int) else row_id(core_id)
        agent = self.agents.get(pk) if pk is not None else None
        return {"id": pk, "name": agent.name, "number": agent.number} if agent is not None else None

    def queue(self, core_id: str | int | None) -> Data | None:
        pk = core_id if isinstance(core_id, int) else row_id(core_id)
        queue = self.queues.get(pk) if pk is not None else None
        return {"id": pk, "code": queue.code, "name": queue.name} if queue is not None else None


def event_of(fact: f.Fact) -> EventType | None:
    """The event that a fact is told as; None for most facts."""
    if isinstance(fact, f.CallStarted):
        return EventType.CALL_DIALED if fact.direction == f.Direction.OUTBOUND else EventType.CALL_ARRIVED
    if isinstance(fact, f.CallQueued) and fact.consult:
        return None  # not the caller waits
    return _EVENTS.get(type(fact))


def stream_of(fact: f.Fact) -> str:
    """What the message is about; messages about the same are sent in order."""
    if isinstance(fact, f.CallFact):
        return f"call:{fact.call}"
    return f"agent:{getattr(fact, 'agent', '')}"


def payload(fact: f.Fact, event: EventType, names: Names) -> Data:
    return envelope(event, fact.at_ms, _DATA[event](fact, names))


def envelope(event: str, at_ms: int, data: Data) -> Data:
    """As Standard Webhooks has it, and our version."""
    return {"type": event, "version": VERSION, "timestamp": moment(at_ms).isoformat(), "data": data}


def _started(fact: Any, names: Names) -> Data:
    return {"call": names.call(fact.call)}


def _queued(fact: Any, names: Names) -> Data:
    """``again``: the caller waited before and kept the place, e.g. after an agent did not answer."""
    return {
        "call": names.call(fact.call),
        "queue": names.queue(fact.queue),
        "priority": fact.priority,
        "queued_at": moment(fact.queued_ms).isoformat(),
        "again": fact.queued_ms < fact.at_ms,
    }


def _offered(fact: Any, names: Names) -> Data:
    return {
        "call": names.call(fact.call), "queue": names.queue(fact.queue), "agent": names.agent(fact.agent),
        "leg": fact.leg,
    }  # fmt: skip


def _answered(fact: Any, names: Names) -> Data:
    """``agent`` is null where somebody outside was brought in."""
    return _offered(fact, names)


def _consulted(fact: Any, names: Names) -> Data:
    """``agent`` asks; ``target`` is the id of an agent or a queue, an extension or a number, as ``kind`` says."""
    return {
        "call": names.call(fact.call), "agent": names.agent(fact.agent), "queue": names.queue(fact.queue),
        "kind": fact.kind, "target": fact.target,
    }  # fmt: skip


def _consult_ended(fact: Any, names: Names) -> Data:
    """``outcome`` is ``completed`` where the caller was connected with who was asked."""
    return {
        "call": names.call(fact.call), "agent": names.agent(fact.agent), "outcome": fact.end, "detail": fact.detail,
    }  # fmt: skip


def _ended(fact: Any, names: Names) -> Data:
    data: Data = {"call": names.call(fact.call), "outcome": fact.outcome, "cause": fact.cause}
    call = names.calls.get(fact.call)
    if call is not None:
        data |= {
            "queue": names.queue(call.last_queue_id),
            "agent": names.agent(call.last_agent_id),
            "wait_ms": call.wait_ms,
            "talk_ms": call.talk_ms,
            "hold_ms": call.hold_ms,
        }
    return data


def _wrapped_up(fact: Any, names: Names) -> Data:
    return {
        "call": names.call(fact.call),
        "agent": names.agent(fact.agent),
        "disposition": fact.disposition,
        "note": fact.note,
        "wrap_up_ms": fact.wrap_up_ms,
    }


def _callback_booked(fact: Any, names: Names) -> Data:
    return {
        "call": names.call(fact.call),
        "callback": fact.callback,
        "queue": names.queue(fact.queue),
        "number": fact.number,
        "source": fact.source,
        "due_at": moment(fact.due_ms).isoformat(),
        "until_at": moment(fact.until_ms).isoformat(),
    }


def _callback_tried(fact: Any, names: Names) -> Data:
    return {
        "call": names.call(fact.call),
        "callback": fact.callback,
        "outcome": fact.outcome,
        "counted": fact.counted,
        "next_at": moment(fact.next_ms).isoformat(),
    }


def _callback_ended(fact: Any, names: Names) -> Data:
    return {"call": names.call(fact.call), "callback": fact.callback, "outcome": fact.outcome}


def _agent_changed(fact: Any, names: Names) -> Data:
    return {
        "agent": names.agent(fact.agent) or {"id": row_id(fact.agent)},
        "state": fact.state,
        "before": fact.prior,
        "reason": fact.reason,
        "call": fact.call,
    }


def _recorded(fact: Any, names: Names) -> Data:
    return {
        "call": names.call(fact.call),
        "recording": fact.recording,
        "duration_ms": fact.duration_ms,
        "audio": f"/api/v1/recordings/{fact.recording}/audio",
    }


_EVENTS: dict[type[f.Fact], EventType] = {
    f.CallQueued: EventType.CALL_QUEUED,
    f.AgentOffered: EventType.CALL_OFFERED,
    f.CallBridged: EventType.CALL_ANSWERED,
    f.ConsultStarted: EventType.CALL_CONSULTED,
    f.ConsultEnded: EventType.CALL_CONSULT_ENDED,
    f.ThreeWayBegan: EventType.CALL_THREE_WAY,
    f.CallEnded: EventType.CALL_ENDED,
    f.CallDisposed: EventType.CALL_WRAPPED_UP,
    f.CallbackBooked: EventType.CALLBACK_BOOKED,
    f.CallbackTried: EventType.CALLBACK_TRIED,
    f.CallbackEnded: EventType.CALLBACK_ENDED,
    f.AgentStateChanged: EventType.AGENT_STATE_CHANGED,
    f.RecordingEnded: EventType.RECORDING_READY,
}
_DATA: dict[EventType, Callable[[Any, Names], Data]] = {
    EventType.CALL_ARRIVED: _started,
    EventType.CALL_DIALED: _started,
    EventType.CALL_QUEUED: _queued,
    EventType.CALL_OFFERED: _offered,
    EventType.CALL_ANSWERED: _answered,
    EventType.CALL_CONSULTED: _consulted,
    EventType.CALL_CONSULT_ENDED: _consult_ended,
    EventType.CALL_THREE_WAY: _consulted,
    EventType.CALL_ENDED: _ended,
    EventType.CALL_WRAPPED_UP: _wrapped_up,
    EventType.CALLBACK_BOOKED: _callback_booked,
    EventType.CALLBACK_TRIED: _callback_tried,
    EventType.CALLBACK_ENDED: _callback_ended,
    EventType.AGENT_STATE_CHANGED: _agent_changed,
    EventType.RECORDING_READY: _recorded,
}
