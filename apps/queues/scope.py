"""What a supervisor of teams is confined to. Pure; ``selectors.scope_of`` reads it."""

from __future__ import annotations

from typing import NamedTuple

from apps.core.ids import AgentId, QueueId


class Scope(NamedTuple):
    """The agents and queues that somebody's permissions are confined to, by the engine's ids.

    A queue belongs to it when an agent of the teams led serves it. Its figures, its waiting callers and its staff are
    counted whole, whoever else serves it: half a queue's service level is nobody's.
    """

    agents: frozenset[AgentId]
    queues: frozenset[QueueId]

    @property
    def agent_keys(self) -> frozenset[int]:
        """As the database numbers them."""
        return frozenset(map(int, self.agents))

    @property
    def queue_keys(self) -> frozenset[int]:
        """As the database numbers them."""
        return frozenset(map(int, self.queues))
