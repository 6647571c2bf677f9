"""Calls and their legs: when each rang, was answered and ended, and how."""

from __future__ import annotations

from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import facts
from apps.core.events import LegRole


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


def _dial_started(rows: Projection, item: StoredFact, fact: facts.DialStarted) -> None:
    """Whose call it is, also when the number is never reached."""
    rows.calls[fact.call].last_agent_id = row_id(fact.agent)


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.CallStarted: _call_started,
    facts.CallAnswered: _call_answered,
    facts.CallEnded: _call_ended,
    facts.LegStarted: _leg_started,
    facts.LegRang: _leg_rang,
    facts.LegConnected: _leg_connected,
    facts.LegEnded: _leg_ended,
    facts.DialStarted: _dial_started,
}
