"""One call as a drawing over time: what the page shows, as plain data. Times in ms, lanes in the order of the story."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.models import QuerySet

from apps.agents.models import Agent
from apps.calls.decisions import names_in, told, trace_of
from apps.calls.going_on import goes_on
from apps.calls.models import Call, CallDisposition, Decision, FactRecord, Leg, Segment, SegmentKind
from apps.calls.projection import moment_ms, row_id
from apps.core.ivr.flow import node_title
from apps.ivr.models import FlowVersion

Data = dict[str, Any]
LOST = "lost"
"""The "outcome" of a call whose end nobody recorded."""


def ms(at: datetime.datetime | None) -> int | None:
    return None if at is None else moment_ms(at)


def call_row(call: Call) -> Data:
    """A line of the list. ``last_queue`` and ``last_agent`` are selected along."""
    return {
        "id": call.pk,
        "number": call.caller_number,
        "name": call.caller_name,
        "did": call.did,
        "direction": call.direction,
        "outcome": call.outcome if call.ended_at is not None or goes_on(call) else LOST,
        "cause": call.cause,
        "started_ms": ms(call.started_at),
        "answered_ms": ms(call.answered_at),
        "connected_ms": ms(call.connected_at),
        "ended_ms": ms(call.ended_at),
        "queue": _name(call.last_queue),
        "agent": _name(call.last_agent),
        "trunk": call.trunk_name,
        "wait_ms": call.wait_ms,
        "talk_ms": call.talk_ms,
        "hold_ms": call.hold_ms,
        "wrap_up_ms": call.wrap_up_ms,
    }


def timeline(call: Call, agents: QuerySet[Agent]) -> Data:
    """Everything that is known of a call, in order. ``agents`` are those whom the reader may see."""
    steps, attached = _told(call)
    offers = [(row, trace_of(row)) for row in call.decisions.select_related("queue", "agent").order_by("at")]
    names = names_in((trace for _row, trace in offers), agents)
    marked = FactRecord.objects.filter(call=call.pk, type="CallMarked").order_by("at", "seq")
    segments = call.segments.select_related("queue", "agent", "other_agent")
    return {
        "segments": [_segment(row) for row in segments.order_by("sequence")],
        "steps": steps,
        "offers": [_offer(row, told(trace, names) if trace is not None else []) for row, trace in offers],
        "legs": [_leg(row) for row in call.legs.select_related("agent").order_by("started_at", "pk")],
        "wrap_ups": [_wrap_up(row) for row in call.dispositions.select_related("agent").order_by("at")],
        "attached": attached,
        "marks": [{"at_ms": ms(row.at)} for row in marked],
    }


def _name(row: Any) -> str:
    return row.name if row is not None else ""


def _segment(row: Segment) -> Data:
    return {
        "kind": row.kind, "queue": _name(row.queue), "agent": _name(row.agent), "started_ms": ms(row.started_at),
        "ended_ms": ms(row.ended_at), "outcome": row.outcome, "detail": row.detail,
        "other": _other(row),
    }  # fmt: skip


def _other(row: Segment) -> str:
    """Who was asked, or was the third: an agent by name, else what was called."""
    if row.other_agent is not None:
        return str(row.other_agent.name)
    asked = row.kind in (SegmentKind.CONSULT, SegmentKind.CONFERENCE)
    return row.detail.partition(" ")[2] if asked else ""


def _offer(row: Decision, why: list[str]) -> Data:
    return {
        "at_ms": ms(row.at), "ended_ms": ms(row.ended_at), "agent": _name(row.agent), "queue": _name(row.queue),
        "rule": row.rule, "ready_agents": row.ready_agents, "waiting_calls": row.waiting_calls,
        "idle_since_ms": ms(row.idle_since), "outcome": row.outcome, "cause": row.cause, "why": why,
    }  # fmt: skip


def _leg(row: Leg) -> Data:
    return {
        "id": row.pk, "role": row.role, "agent": _name(row.agent), "address": row.address,
        "started_ms": ms(row.started_at), "rang_ms": ms(row.rang_at), "answered_ms": ms(row.answered_at),
        "ended_ms": ms(row.ended_at), "cause": row.cause, "raw_cause": row.raw_cause,
    }  # fmt: skip


def _wrap_up(row: CallDisposition) -> Data:
    return {
        "at_ms": ms(row.at), "agent": _name(row.agent), "disposition": row.disposition, "note": row.note,
        "wrap_up_ms": row.wrap_up_ms,
    }  # fmt: skip


def _told(call: Call) -> tuple[list[Data], dict[str, str]]:
    """From the facts themselves, as long as they are kept: the menu's steps with their keys, and attached data."""
    facts = FactRecord.objects.filter(call=call.pk, type__in=("IvrEntered", "IvrStepped", "CallStarted"))
    steps: list[Data] = []
    attached: dict[str, str] = {}
    nodes: dict[str, Any] = {}
    for fact in facts.order_by("at", "seq"):
        if fact.type == "CallStarted":
            attached.update(fact.data.get("attached") or {})
        elif fact.type == "IvrEntered":
            nodes = _nodes(call, fact.data.get("flow"), fact.data.get("version"))
        else:
            steps.append(_step(fact, nodes))
    return steps, attached


def _step(fact: FactRecord, nodes: dict[str, Any]) -> Data:
    node = nodes.get(fact.data["node"], {})
    return {
        "at_ms": ms(fact.at), "node": fact.data["node"], "title": node_title(node),
        "type": str(node.get("type", "")), "port": fact.data.get("port", ""),
        "digits": fact.data.get("digits", ""),
    }  # fmt: skip


def _nodes(call: Call, flow: object, version: object) -> dict[str, Any]:
    """The menu as it was then."""
    flow_id = row_id(str(flow))
    if flow_id is None or call.tenant_id is None or not version:
        return {}
    versions = FlowVersion.objects.filter(flow_id=flow_id, tenant_id=call.tenant_id, sha256__startswith=str(version))
    row = versions.order_by("-number").first()
    nodes: dict[str, Any] = row.document.get("nodes", {}) if row is not None else {}
    return nodes
