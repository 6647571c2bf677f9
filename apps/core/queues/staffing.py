"""Who is there for each queue, kept up to date agent by agent. Derived from the state, never the other way round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum

from apps.core.agents.machine import IN_CALL, AgentState
from apps.core.ids import AgentId, QueueId


class Presence(IntEnum):
    """Each includes those below it."""

    AWAY = 0
    SIGNED_IN = 1  # on pause, not responding, or without a console
    SERVING = 2  # with a call, in wrap-up, or free
    FREE = 3


def presence(state: AgentState, free: bool) -> Presence:
    if state is AgentState.LOGGED_OUT:
        return Presence.AWAY
    if free:
        return Presence.FREE
    at_work = state in IN_CALL or state in (AgentState.READY, AgentState.OFFERED, AgentState.WRAP_UP)
    return Presence.SERVING if at_work else Presence.SIGNED_IN


class Staffing:
    def __init__(self, queues: Iterable[QueueId] = ()) -> None:
        self._known: dict[AgentId, tuple[Presence, tuple[QueueId, ...]]] = {}
        self._counts: dict[Presence, Counter[QueueId]] = {level: Counter() for level in Presence}
        self._changed: dict[QueueId, None] = dict.fromkeys(queues)

    def place(self, agent: AgentId, queues: Iterable[QueueId], level: Presence) -> None:
        """O(queues of this agent); nothing when it is as it was."""
        before, now = self._known.get(agent, (Presence.AWAY, ())), (level, tuple(queues))
        if before == now:
            return
        self._known[agent] = now
        for (level_then, queues_then), step in ((before, -1), (now, 1)):
            for queue in queues_then:
                self._changed[queue] = None
                for reached in range(Presence.SIGNED_IN, level_then + 1):
                    self._counts[Presence(reached)][queue] += step

    def signed_in(self, queue: QueueId) -> int:
        return self._counts[Presence.SIGNED_IN][queue]

    def serving(self, queue: QueueId) -> int:
        return self._counts[Presence.SERVING][queue]

    def free(self, queue: QueueId) -> int:
        return self._counts[Presence.FREE][queue]

    def look_again(self, queues: Iterable[QueueId]) -> None:
        """They are configured otherwise now."""
        self._changed.update(dict.fromkeys(queues))

    def take_changed(self) -> list[QueueId]:
        """Queues about which somebody may want to think again."""
        changed, self._changed = list(self._changed), {}
        return changed
