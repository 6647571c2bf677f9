"""Why an agent was offered a call, and what became of it."""

from __future__ import annotations

from apps.calls.models import Decision
from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import codec, facts


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


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.OfferDecided: _offer_decided,
    facts.AgentOffered: _agent_offered,
    facts.OfferEnded: _offer_ended,
}
