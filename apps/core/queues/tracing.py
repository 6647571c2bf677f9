"""Puts on record why an agent is offered a call: what was asked, who could have been asked, and who not.

It is made for every offer, so it looks at a bounded number of agents however many there are.
"""

from __future__ import annotations

from itertools import islice

from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.reach import why_blocked
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.config import AgentConfig, Membership
from apps.core.ids import AgentId, LegId, SwitchId
from apps.core.queues import asking, decision
from apps.core.queues.pool import Pool, why_not
from apps.core.queues.strategies import Key, Standing, standing_of
from apps.core.queues.waiting import Requirement

MOST_ELIGIBLE = 20
MOST_UNFIT = 10
MOST_BUSY = 10
MOST_BUCKETS = 200
"""Kinds of agents looked at for those who do not fit."""

KEPT_FREE = "kept_free"
"""For a customer who is called back and whose telephone rings first."""


def decided(center: Center, call: Call, agent: AgentId, leg: LegId) -> f.OfferDecided:
    """Of a call that waits and an agent who is free, both still in the matcher."""
    matcher = center.matcher
    asked, wait = matcher.requirement_of(call.id), call.wait
    if asked is None or wait is None:
        raise RuntimeError("only who waits is offered")
    queue, pool = center.state.config.queues[asked.queue], matcher.pool(asked.queue)
    stage = asking.stage_of(center, call, wait, queue)
    eligible, waiting = matcher.counts(call.id)
    return f.OfferDecided(
        at_ms=center.now_ms,
        tenant=call.tenant,
        call=call.id,
        agent=agent,
        leg=leg,
        queue=queue.id,
        strategy=queue.strategy,
        switch=asked.switch,
        medium=asked.medium,
        cost=asked.cost,
        needs=asked.needs,
        tiers_up_to=asked.tiers_up_to,
        only=asked.only,
        ring=stage.ring,
        ring_since_ms=stage.since_ms,
        eligible=eligible,
        waiting=waiting,
        considered=_only(center, asked, agent) if asked.only is not None else _considered(pool, asked),
        passed_over=tuple(_busy(center, one) for one in islice(pool.busy, MOST_BUSY)),
    )


def _considered(pool: Pool, asked: Requirement) -> tuple[f.Considered, ...]:
    view = pool.view(asked)
    found = [
        _entry(asked, *pool.standing(agent), rank=rank)
        for rank, agent, _bucket in islice(view.in_order(), MOST_ELIGIBLE)
    ]
    left = MOST_UNFIT
    for bucket in islice(pool.buckets.values(), MOST_BUCKETS):
        if left and bucket.agents and bucket not in view.fitting:
            unfit = list(islice(bucket.agents.in_order(), left))
            left -= len(unfit)
            code = why_not(asked, bucket.kind.switch, bucket.kind.tier, bucket.levels, bucket.kind.capacity)
            found += [_entry(asked, *pool.standing(agent), why=code) for _key, agent in unfit]
    return tuple(found)


def _only(center: Center, asked: Requirement, agent: AgentId) -> tuple[f.Considered, ...]:
    config = center.state.config.agents[agent]
    membership = config.queues.get(asked.queue, Membership())
    standing = standing_of(center.state.agents[agent])
    queue = center.state.config.queues[asked.queue]
    entry = _entry(asked, config, membership, standing)
    return (entry._replace(rank=decision.rank_of(entry, asked.needs, queue.strategy)),)


def _entry(
    asked: Requirement,
    agent: AgentConfig,
    membership: Membership,
    standing: Standing,
    *,
    rank: Key = (),
    why: tuple[str, str] = ("", ""),
) -> f.Considered:
    return f.Considered(
        agent.id,
        agent.device.switch if agent.device is not None else SwitchId(""),
        agent.capacity.get(asked.medium, 0),
        membership.tier,
        membership.position,
        tuple([agent.skills.get(need.skill, 0) for need in asked.needs]),
        *standing,
        rank,
        *why,
    )


def _busy(center: Center, agent_id: AgentId) -> f.PassedOver:
    """READY and yet not free: something is in the way of ringing the telephone."""
    agent, config = center.state.agents[agent_id], center.agent_config(agent_id)
    if agent.state is AgentState.DISCONNECTED:
        return f.PassedOver(agent_id, "disconnected", agent.back_state.lower())
    if agent.state is AgentState.READY:
        return f.PassedOver(agent_id, why_blocked(center.state, agent, config) or KEPT_FREE)
    return f.PassedOver(agent_id, agent.state.lower(), agent.reason)
