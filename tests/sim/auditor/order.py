"""Whose turn it is, found by looking at everybody: the plain reading of the rules, to hold the matcher's heaps against.

Callers before an agent: the agent's own priority of the queue, then the place (priority as so many seconds of waiting),
then the call. Agents before a caller: the tier, the preferred skills, the queue's strategy, then the agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from zlib import crc32

from apps.core import facts as f
from apps.core.config import AgentConfig, QueueConfig, SkillNeed, Strategy
from tests.sim.auditor.agents import SERVING, AgentBook, AgentSeen
from tests.sim.auditor.book import Book
from tests.sim.auditor.calls import CallBook, Place
from tests.sim.auditor.promises import Promise, hold

ROUTED = True
SLACK_MS = 2_000
"""Rings and tiers open by a timer, and after a gap of the link only when its snapshot has come."""

IDLE_MS = 5_000
"""So long an agent may be free while somebody waits whom the agent could serve."""

SEVERAL = frozenset({Strategy.RING_ALL, Strategy.RING_PROGRESSIVELY})
BEFORE_ALL_QUEUES = 10
STRICT_STEP_MS = 10_000_000_000

Key = tuple[int, ...]

STRATEGY_KEYS: dict[Strategy, Callable[[AgentSeen, int], Key]] = {
    Strategy.LONGEST_IDLE: lambda agent, position: (agent.idle_since_ms,),
    Strategy.LEAST_TALK_TIME: lambda agent, position: (agent.talked_ms, agent.idle_since_ms),
    Strategy.FEWEST_CALLS: lambda agent, position: (agent.served, agent.idle_since_ms),
    Strategy.ROUND_ROBIN: lambda agent, position: (agent.offered_ms, agent.idle_since_ms),
    Strategy.TOP_DOWN: lambda agent, position: (position, agent.idle_since_ms),
    Strategy.RANDOM: lambda agent, position: (crc32(f"{agent.id}/{agent.idle_since_ms}".encode()),),
    Strategy.RING_ALL: lambda agent, position: (agent.idle_since_ms,),
    Strategy.RING_PROGRESSIVELY: lambda agent, position: (position, agent.idle_since_ms),
    Strategy.BEST_SKILL: lambda agent, position: (agent.idle_since_ms,),
}


def asked_of(queue: QueueConfig, place: Place, at_ms: int) -> dict[str, SkillNeed]:
    """What is left of the needs after the rings that have passed: by skill, the stricter of two."""
    needs: dict[str, SkillNeed] = {}
    for need in (*queue.needs, *place.needs):
        known = needs.get(need.skill)
        if known is None or (need.required, need.level) > (known.required, known.level):
            needs[need.skill] = need
    for ring in queue.rings:
        if at_ms - place.entered_ms >= ring.after_ms:
            for skill in ring.drop:
                needs.pop(skill, None)
            for skill, level in ring.lower.items():
                if skill in needs and needs[skill].level > level:
                    needs[skill] = SkillNeed(skill=skill, level=level, required=needs[skill].required)
    return needs


class OrderBook(Book):
    def __init__(self, calls: CallBook, agents: AgentBook) -> None:
        self.calls, self.agents = calls, agents
        self.sticky: dict[str, tuple[str, int]] = {}  # call -> (agent of the last talk, until)
        self.talked: dict[tuple[str, str], str] = {}  # (queue, number) -> agent of the last talk
        self.closed: set[str] = set()
        self.checked = 0

    def _on_CallQueued(self, fact: f.CallQueued) -> None:
        agent = getattr(fact, "sticky_agent", None)
        if agent is not None:
            self.sticky[fact.call] = (agent, fact.sticky_until_ms)  # type: ignore[attr-defined]
        else:
            self.sticky.pop(fact.call, None)

    def _on_CallbackBooked(self, fact: f.CallbackBooked) -> None:
        queue, number = self.agents.config.queues.get(fact.queue), self.calls.started[fact.call].caller_number
        known = self.talked.get((fact.queue, number)) if queue is not None and queue.sticky_days else None
        if fact.call in self.calls.kept_places and fact.call in self.sticky:
            known = self.sticky[fact.call][0]
        hold(known == fact.sticky_agent, Promise.ORDER, "the agent of last time is the first to call back", fact, known)
        self._alone(fact.call, fact.sticky_agent, fact.sticky_until_ms)

    def _on_CallbackTried(self, fact: f.CallbackTried | f.CallbackJoined) -> None:
        self._alone(fact.call, self.sticky.get(fact.call, (None, 0))[0], fact.sticky_until_ms)

    _on_CallbackJoined = _on_CallbackTried

    def _on_CallBridged(self, fact: f.CallBridged) -> None:
        queue = self.agents.config.queues.get(fact.queue) if fact.queue is not None else None
        number = self.calls.started[fact.call].caller_number
        if fact.agent is not None and queue is not None and queue.sticky_days and number.lstrip("+").isdigit():
            self.talked[queue.id, number] = fact.agent

    def _alone(self, call: str, agent: str | None, until_ms: int) -> None:
        if agent is None:
            self.sticky.pop(call, None)
        else:
            self.sticky[call] = agent, until_ms

    def _on_QueueClosed(self, fact: f.QueueClosed) -> None:
        self.closed.add(fact.queue)

    def _on_QueueOpened(self, fact: f.QueueOpened) -> None:
        self.closed.discard(fact.queue)

    # --- who could serve whom ---

    def _queue(self, place: Place) -> QueueConfig | None:
        return self.agents.config.queues.get(place.queue)  # type: ignore[call-overload, no-any-return]

    def _only(self, place: Place, queue: QueueConfig, at_ms: int) -> tuple[str | None, bool]:
        """(the one agent who is asked, whether only for a while)."""
        if place.wanted_agent is not None:
            return place.wanted_agent, False
        agent, until_ms = self.sticky.get(place.call, ("", 0))
        config = self.agents.config.agents.get(agent)  # type: ignore[call-overload]
        if at_ms >= until_ms or config is None or self.agents.agent(agent).doing not in SERVING:
            return None, False
        needs = asked_of(queue, place, place.entered_ms)
        whole = place.queue in config.queues and _meets(config, needs) and _reaches(config, place)
        return (agent, True) if whole else (None, False)

    def could_serve(self, agent: AgentConfig, place: Place, at_ms: int) -> Key | None:
        """The agent's rank before this caller, smaller first; None: not asked."""
        queue = self._queue(place)
        if queue is None or not _reaches(agent, place):
            return None
        only, kept = self._only(place, queue, at_ms)
        if only is not None and not kept:
            return (0,) if agent.id == only else None
        membership, needs = agent.queues.get(queue.id), asked_of(queue, place, at_ms)
        if membership is None or only not in (None, agent.id) or not _meets(agent, needs):
            return None
        if kept:
            return (0,)
        if membership.tier > self._tiers_up_to(queue, at_ms - place.entered_ms):
            return None
        by_strategy = STRATEGY_KEYS[queue.strategy](self.agents.agent(agent.id), membership.position)
        return membership.tier, -_score(agent, needs, queue.strategy), *by_strategy

    def _tiers_up_to(self, queue: QueueConfig, waited_ms: int) -> int:
        rule = queue.tier_rule
        by_rings = [(ring.tiers_up_to, ring.after_ms) for ring in queue.rings if ring.tiers_up_to is not None]
        if not rule.wait_ms and not by_rings:
            return 1_000
        staffed = {
            agent.queues[queue.id].tier
            for agent in self.agents.config.agents.values()
            if queue.id in agent.queues and self.agents.agent(agent.id).doing in SERVING
        }
        members = (
            agent.queues[queue.id].tier for agent in self.agents.config.agents.values() if queue.id in agent.queues
        )
        opened_ms, last = 0, 1
        for before, tier in pairwise(sorted({1, *members})):
            if before in staffed or not rule.skip_empty:
                ways = [after_ms for up_to, after_ms in by_rings if up_to >= tier]
                if rule.wait_ms:
                    ways.append(rule.wait_ms * (tier - 1 if rule.multiply else 1))
                opened_ms = max(opened_ms, min(ways, default=1 << 53))
            if waited_ms >= opened_ms:
                last = tier
        return last

    # --- whose turn ---

    def _caller_key(self, agent: AgentConfig, place: Place, at_ms: int) -> Key:
        queue = self._queue(place)
        assert queue is not None
        only, kept = self._only(place, queue, at_ms)
        own = agent.queues.get(queue.id)
        first = BEFORE_ALL_QUEUES if only is not None and not kept else own.priority if own is not None else 0
        step_ms = queue.ageing_s * 1000 or STRICT_STEP_MS
        if not ROUTED:
            first = 0
        return -first, place.queued_ms - (place.priority - 5) * step_ms

    def _waits(self, place: Place, now_ms: int) -> bool:
        """For an agent, and nobody is asked yet. Who waits without a telephone waits until it is due."""
        asked = self.agents.offers.get(place.call)
        if asked or place.call in self.calls.connecting or place.switch not in self.agents.up:
            return False
        back = self.calls.backs.get(place.call)
        if back is None or back.state == "on_line":
            return True
        return back.state == "booked" and place.due_ms <= now_ms - SLACK_MS and place.queue not in self.closed

    def _may_be_called(self, place: Place, at_ms: int) -> bool:
        """Who waits without a telephone: has let go of it, is due, and the queue is open."""
        back = self.calls.backs.get(place.call)
        if back is None or back.state == "on_line":
            return True
        return back.state == "booked" and place.due_ms <= at_ms and place.queue not in self.closed

    def _surely(self, agent: AgentConfig, place: Place, now_ms: int) -> bool:
        """Now and some time ago."""
        return all(self.could_serve(agent, place, at_ms) is not None for at_ms in (now_ms, now_ms - SLACK_MS))

    def _on_CallbackDialed(self, fact: f.CallbackDialed) -> None:
        """Before the agent: it is that agent's turn all the same."""
        hold(self.calls.backs[fact.call].state == "booked", Promise.ONCE, "one call back at a time", fact)
        if fact.call not in self.agents.agent(fact.agent).offers.values():
            self._on_AgentOffered(fact)

    def _on_AgentOffered(self, fact: f.AgentOffered | f.CallbackDialed) -> None:
        """Before the other books take it: who is free, and who waits, is as it was for the decision."""
        hold(fact.call not in self.calls.talks, Promise.ONE_AGENT, "who is talked with is offered to nobody", fact)
        place, agent = self.calls.line.get(fact.call), self.agents.config.agents.get(fact.agent)
        hold(place is not None and agent is not None, Promise.ORDER, "who is offered waits", fact)
        assert place is not None and agent is not None
        hold(self._may_be_called(place, fact.at_ms), Promise.ORDER, "nobody is called back too early", fact, place)
        rank = self.could_serve(agent, place, fact.at_ms)
        if rank is None:  # the time of who is asked alone may have run out while the engine got no turn
            rank = self.could_serve(agent, place, fact.at_ms - SLACK_MS)
        hold(rank is not None, Promise.ORDER, "who is asked could serve", fact, place, agent)
        assert rank is not None
        self.checked += 1
        self._first_caller(fact, place, agent)
        self._first_agent(fact, place, agent, rank)

    def _first_caller(self, fact: f.AgentOffered | f.CallbackDialed, place: Place, agent: AgentConfig) -> None:
        mine = self._caller_key(agent, place, fact.at_ms)
        for other in self.calls.line.values():
            if other.call != place.call and self._waits(other, fact.at_ms) and self._surely(agent, other, fact.at_ms):
                theirs = self._caller_key(agent, other, fact.at_ms)
                if mine > theirs and not self._has_a_better(other, agent, fact.at_ms):
                    hold(False, Promise.ORDER, "the first caller is served", fact, place, other)

    def _has_a_better(self, place: Place, than: AgentConfig, at_ms: int) -> bool:
        """Another is free whom this caller is to be given first: when many come free at once, choices may run in a
        circle, and nobody is wronged by whom who would rather have each other both."""
        mine = self.could_serve(than, place, at_ms)
        others = (self.could_serve(other, place, at_ms) for other in self._free() if other.id != than.id)
        return mine is not None and any(theirs is not None and theirs < mine for theirs in others)

    def _first_agent(
        self, fact: f.AgentOffered | f.CallbackDialed, place: Place, agent: AgentConfig, rank: Key
    ) -> None:
        queue = self._queue(place)
        assert queue is not None
        if asked_of(queue, place, fact.at_ms) != asked_of(queue, place, fact.at_ms - SLACK_MS):
            return
        for other in self._free():
            if other.id != agent.id and self._surely(other, place, fact.at_ms):
                theirs = self.could_serve(other, place, fact.at_ms)
                assert theirs is not None
                better = (theirs, other.id) < (rank, agent.id)
                hold(not better, Promise.ORDER, "the first agent is asked", fact, rank, other, theirs)

    def _free(self) -> Iterator[AgentConfig]:
        for agent in self.agents.config.agents.values():
            if self.agents.is_free(agent.id):
                yield agent

    def look(self, now_ms: int) -> None:
        """Nobody is idle for long while somebody waits who could be served."""
        if now_ms - self.agents.up_since_ms < IDLE_MS:
            return
        long_here = [place for place in self.calls.line.values() if now_ms - place.entered_ms > IDLE_MS]
        waiting = [place for place in long_here if self._waits(place, now_ms)]
        for agent in self._free() if waiting else ():
            if now_ms - self.agents.agent(agent.id).since_ms > IDLE_MS:
                for place in waiting:
                    could = all(self.could_serve(agent, place, now_ms - ms) is not None for ms in (0, IDLE_MS))
                    hold(not could, Promise.ORDER, "nobody waits before an idle agent", place, agent)


def _reaches(agent: AgentConfig, place: Place) -> bool:
    device = agent.device
    return device is not None and device.switch == place.switch and agent.capacity.get("voice", 0) >= 1


def _meets(agent: AgentConfig, needs: dict[str, SkillNeed]) -> bool:
    return all(agent.skills.get(need.skill, 0) >= need.level for need in needs.values() if need.required)


def _score(agent: AgentConfig, needs: dict[str, SkillNeed], strategy: Strategy) -> int:
    if strategy is Strategy.BEST_SKILL:
        return sum(agent.skills.get(need.skill, 0) for need in needs.values())
    return sum(min(need.level, agent.skills.get(need.skill, 0)) for need in needs.values() if not need.required)
