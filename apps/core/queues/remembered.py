"""What a queue remembers of callers after their call: the place of who hung up in line, and the agent of the last talk.

By queue and number. Only queues that want it remember anything; who withholds the number is not known again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.config import QueueConfig
from apps.core.ids import AgentId, QueueId

if TYPE_CHECKING:
    from apps.core.state import State

DAY_MS = 86_400_000
LONGEST_MS = 90 * DAY_MS
MOST_REMEMBERED = 50_000
"""Of either kind: then the oldest are forgotten, so that state and checkpoints stay small."""


@dataclass(slots=True, kw_only=True)
class LastTalk:
    agent: AgentId
    at_ms: int  # when it began


@dataclass(slots=True, kw_only=True)
class LeftPlace:
    queued_ms: int
    at_ms: int  # when the caller hung up


# --- look-ups --------------------------------------------------------------------------------------------------------


def place_of(state: State, queue: QueueConfig, call: Call, now_ms: int) -> int | None:
    """``queued_ms`` of the place that this number left and may have again."""
    known = state.left_places.get(_key(queue.id, call))
    if known is None or now_ms - known.at_ms > queue.resume_ms:
        return None
    return known.queued_ms


def agent_of(state: State, queue: QueueConfig, call: Call, now_ms: int) -> AgentId | None:
    """With whom this number talked last, if that is not too long ago."""
    known = state.last_talks.get(_key(queue.id, call))
    if known is None or now_ms - known.at_ms > queue.sticky_days * DAY_MS:
        return None
    return known.agent


# --- what facts change -----------------------------------------------------------------------------------------------


def place_taken(state: State, call: Call, fact: f.CallQueued) -> None:
    if fact.resumed:
        state.left_places.pop(_key(fact.queue, call), None)


def place_left(state: State, call: Call, fact: f.CallDequeued) -> None:
    queue = state.config.queues.get(fact.queue)
    if fact.reason is f.QueueExit.ABANDONED and queue is not None and queue.resume_ms and call.wait is not None:
        place = LeftPlace(queued_ms=call.wait.queued_ms, at_ms=fact.at_ms)
        _remember(state.left_places, _key(fact.queue, call), place)


def talked(state: State, call: Call, queue_id: QueueId, agent_id: AgentId) -> None:
    agent, queue = state.agents.get(agent_id), state.config.queues.get(queue_id)
    if agent is not None:
        agent.served += 1
    if queue is not None and queue.sticky_days:
        _remember(state.last_talks, _key(queue_id, call), LastTalk(agent=agent_id, at_ms=state.now_ms))


def _key(queue: QueueId, call: Call) -> str:
    return f"{queue}/{call.caller_number}" if call.caller_number.lstrip("+").isdigit() else ""


class _Dated(Protocol):
    at_ms: int


Memory = TypeVar("Memory", bound=_Dated)


def _remember(known: dict[str, Memory], key: str, memory: Memory) -> None:
    """At the end, so that the oldest are at the front."""
    if not key:
        return
    known.pop(key, None)
    known[key] = memory
    while len(known) > MOST_REMEMBERED or memory.at_ms - next(iter(known.values())).at_ms > LONGEST_MS:
        del known[next(iter(known))]
