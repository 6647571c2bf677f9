"""Days of attended transfers and three-ways, before the same auditor: nobody is lost, nobody is stuck."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.ids import CallId
from apps.core.state import State
from tests.sim.staff import DELAYS_MS, Staff
from tests.sim.story import Story
from tests.sim.world import World

CALLS = 60


class ConsultingStaff(Staff):
    """Who talks mostly asks somebody, and then does one thing after another."""

    def _see_state(self, fact: f.AgentStateChanged) -> None:
        super()._see_state(fact)
        if fact.state in (AgentState.CONSULTING, AgentState.CONFERENCING):
            self._after((300, 6_000), self._go_on, fact.agent, fact.call)

    def _act_in_call(self, agent: Agent, call: CallId) -> None:
        talks = agent.state in (AgentState.TALKING, AgentState.HOLDING)
        if talks and not self.going_home and self.rng.random() < 0.7:
            kind, target = self._transfer_target()
            if self.rng.random() < 0.2:
                kind, target = e.TransferKind.EXTENSION, self.rng.choice(tuple(self.phones.phones))
            self.ask(e.ConsultRequested, agent.id, call=call, kind=kind, target=target)
            self._after(DELAYS_MS[AgentState.TALKING], self._hang_up, agent.id, call)
        else:
            super()._act_in_call(agent, call)

    def _hang_up(self, agent: Any, call: CallId) -> None:
        self.ask(e.HangUpRequested, agent, call=call)

    def _go_on(self, agent: Any, call: CallId) -> None:
        now = self._state().agents.get(agent)
        if now is None or now.call != call or now.state not in (AgentState.CONSULTING, AgentState.CONFERENCING):
            return
        choices = (
            e.ConsultSwapRequested, e.ConsultCompleteRequested, e.ThreeWayRequested, e.ConsultCancelRequested,
            e.HangUpRequested,
        ) if not self.going_home else (e.HangUpRequested,)  # fmt: skip
        self.ask(self.rng.choice(choices), agent, call=call)
        soon = (5, 150) if self.rng.random() < 0.3 else (300, 6_000)  # some press before the last thing has settled
        self._after(soon, self._go_on, agent, call)


class ConsultingWorld(World):
    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self.staff = ConsultingStaff(story.seed, self.clock, self.phones, lambda: self.engine.state, self._put)


def run(story: Story) -> tuple[ConsultingWorld, Counter[object]]:
    """With how often each kind of fact, and each end of a consult, was there."""
    world = ConsultingWorld(story)
    try:
        world.run()
    except Exception as error:
        raise AssertionError(f"seed {story.seed}: {error}") from error
    folded = State()
    folded.fold(world.facts)
    assert folded == world.engine.state
    said: Counter[object] = Counter(type(fact) for fact in world.facts)
    said.update(fact.end for fact in world.facts if isinstance(fact, f.ConsultEnded))
    return world, said


def test_calm_days_of_consults_have_no_anomalies() -> None:
    said: Counter[object] = Counter()
    for seed in (7, 8, 9):
        world, today = run(Story.calm(seed, CALLS))
        anomalies = [fact for fact in world.facts if isinstance(fact, f.Anomaly)]
        assert not anomalies, anomalies[:3]
        said += today
    for what in (f.ThreeWayBegan, f.PairBridged, *map(f.ConsultEnd, ("completed", "cancelled", "merged"))):
        assert said[what], (what, said)
    assert not said[f.ConsultEnd.FAILED], said


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_lost_in_a_bad_day_of_consults(seed: int) -> None:
    _world, said = run(Story.of(seed, CALLS))
    assert said[f.ConsultStarted] > 5, said
