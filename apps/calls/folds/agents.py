"""Agents' time by state, and what they said a call came to."""

from __future__ import annotations

from apps.calls.models import AgentStateSpan, CallDisposition
from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import facts


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


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.AgentStateChanged: _agent_state_changed,
    facts.CallDisposed: _call_disposed,
}
