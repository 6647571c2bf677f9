"""The projection: tallies of about a day, moved by facts. Pure; ``fold`` is all that changes it.

It begins with what history holds (``apps.reports.recount``) and follows the engine's facts from there. Folding the same
facts gives the same tallies as counting the rows that the recorder made of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from apps.core import facts as f
from apps.reports.day import work
from apps.reports.day.rules import Rules
from apps.reports.day.stretches import QUEUE, TALK, Ended, Open, Stretches, key_of
from apps.reports.day.tally import QUARTER_MS, Key, Tally, count_ended
from apps.reports.day.work import Work

RECENT_MS = 30 * 60_000
KEPT_QUARTERS = 4 * 27
"""More than the longest day (25 hours) anywhere."""

MOST_TALKS = 20_000


@dataclass(slots=True)
class Today:
    rules: Rules = field(default_factory=Rules)
    tallies: dict[Key, Tally] = field(default_factory=dict)
    calls: Stretches = field(default_factory=Stretches)
    talked: dict[tuple[str, int], int | None] = field(default_factory=dict)
    """By call and agent: the queue of their last talk, which the wrap-up is counted for."""
    recent: dict[int, deque[Ended]] = field(default_factory=dict)
    """By tenant: waits that ended in the last ``RECENT_MS``, in order."""
    works: dict[int, Work] = field(default_factory=dict)
    """By agent."""
    changed: set[int] = field(default_factory=set)
    """Tenants whose figures the last facts moved; whoever shows them takes them out."""

    def fold(self, fact: f.Fact) -> None:
        if isinstance(fact, f.CallDisposed):
            self._disposed(fact)
        elif isinstance(fact, f.AgentStateChanged):
            work.take(self.works, fact, self.rules)
        elif isinstance(fact, f.CallFact):
            ended, begun = self.calls.take(fact)
            if ended is not None:
                self._ended(ended)
            if begun is not None:
                self._begun(fact.call, begun)

    def tally(self, tenant: int, queue: int | None, at_ms: int) -> Tally:
        self.changed.add(tenant)
        return self.tallies.setdefault(Key(tenant, queue, at_ms // QUARTER_MS), Tally())

    def _begun(self, call: str, stretch: Open) -> None:
        if stretch.kind == QUEUE:
            self.tally(stretch.tenant, stretch.queue, stretch.since_ms).offered += 1
        elif stretch.kind == TALK and stretch.agent is not None:
            self.talked[call, stretch.agent] = stretch.queue

    def _ended(self, ended: Ended) -> None:
        stretch = ended.stretch
        if stretch.kind != QUEUE and stretch.agent is None:
            return  # a talk with somebody outside is nobody's work
        tally = self.tally(stretch.tenant, stretch.queue, ended.at_ms)
        short_ms = self.rules.of(stretch.tenant).short_ms
        count_ended(tally, ended, self.rules.threshold_ms(stretch.queue), short_ms)
        if stretch.kind == QUEUE:
            self.recent.setdefault(stretch.tenant, deque()).append(ended)

    def _disposed(self, fact: f.CallDisposed) -> None:
        tenant, agent = key_of(fact.tenant), key_of(fact.agent)
        if tenant is not None and agent is not None:
            queue = self.talked.get((fact.call, agent))
            self.tally(tenant, queue, fact.at_ms).wrap_up_ms += fact.wrap_up_ms

    def forget(self, now_ms: int) -> None:
        """Let go of what no figure shows any more."""
        oldest = now_ms // QUARTER_MS - KEPT_QUARTERS
        for key in [key for key in self.tallies if key.quarter < oldest]:
            del self.tallies[key]
        for waits in self.recent.values():
            while waits and waits[0].at_ms <= now_ms - RECENT_MS:
                waits.popleft()
        while len(self.talked) > MOST_TALKS:  # dicts keep the order of arrival
            del self.talked[next(iter(self.talked))]
