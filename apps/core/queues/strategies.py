"""Whom to ask first of the agents who could serve a caller: one small function for each strategy.

Each gives the key by which the agents of one queue stand in line, smaller first; equal keys go by the agent's id.
Before it come the tier and how well the agent meets what is asked for (``needs.score``): those depend on the caller.
A key is made when an agent becomes ready and holds as long as that lasts, so all lines are heaps and nothing is
searched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from apps.core.agents.model import Agent
from apps.core.config import Strategy
from apps.core.ids import AgentId

Key = tuple[int, ...]


class Standing(NamedTuple):
    """What the order goes by. Talks are counted since the agent's shift began (``agents/model.py``)."""

    idle_since_ms: int
    talked_ms: int = 0
    served: int = 0
    offered_ms: int = 0  # last, by any queue


def standing_of(agent: Agent) -> Standing:
    return Standing(agent.idle_since_ms, agent.talked_ms, agent.served, agent.offered_ms)


Order = Callable[[AgentId, Standing, int], Key]


def longest_idle(agent: AgentId, standing: Standing, position: int) -> Key:
    return (standing.idle_since_ms,)


def least_talk_time(agent: AgentId, standing: Standing, position: int) -> Key:
    return standing.talked_ms, standing.idle_since_ms


def fewest_calls(agent: AgentId, standing: Standing, position: int) -> Key:
    return standing.served, standing.idle_since_ms


def round_robin(agent: AgentId, standing: Standing, position: int) -> Key:
    """Who was not offered anything for the longest time, answered or not."""
    return standing.offered_ms, standing.idle_since_ms


def top_down(agent: AgentId, standing: Standing, position: int) -> Key:
    """Always from the first position."""
    return position, standing.idle_since_ms


def by_chance(agent: AgentId, standing: Standing, position: int) -> Key:
    """A new lot each time an agent becomes ready; drawn from what is on record, so that a replay draws the same."""
    return (crc32(f"{agent}/{standing.idle_since_ms}".encode()),)


ORDERS: dict[Strategy, Order] = {
    Strategy.LONGEST_IDLE: longest_idle,
    Strategy.LEAST_TALK_TIME: least_talk_time,
    Strategy.FEWEST_CALLS: fewest_calls,
    Strategy.ROUND_ROBIN: round_robin,
    Strategy.TOP_DOWN: top_down,
    Strategy.RANDOM: by_chance,
    Strategy.RING_ALL: longest_idle,
    Strategy.RING_PROGRESSIVELY: top_down,
    Strategy.BEST_SKILL: longest_idle,
}

SEVERAL_AT_ONCE = frozenset({Strategy.RING_ALL, Strategy.RING_PROGRESSIVELY})
"""Strategies that ring more than one telephone for one caller."""

MOST_AT_ONCE = 50
"""Telephones that ring for one caller at a time. More would not shorten the wait, and all but one ring for nothing."""
