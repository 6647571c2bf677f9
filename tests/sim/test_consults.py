"""A day of attended transfers and three-ways under faults, crashes and restarts: nobody is lost, nobody is stuck.

A ledger of its own, since the auditor's books know of one talk a call. The switch's listener of the auditor stays: no
caller reaches the fallback, and all end by choice.
"""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from apps.core import events as e
from apps.core import facts as f
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.ids import CallId
from apps.core.state import State
from tests.sim.auditor import Auditor
from tests.sim.staff import DELAYS_MS, Staff
from tests.sim.story import Story
from tests.sim.world import World

CALLS = 60
RESTING = {AgentState.READY, AgentState.PAUSED, AgentState.NOT_RESPONDING, AgentState.LOGGED_OUT}


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


class Ledger(Auditor):
    """Counts, and looks at the end."""

    def __init__(self, world: World) -> None:
        super().__init__(world.switch)
        self.world = world
        self.said: Counter[str] = Counter()

    def fact(self, fact: f.Fact) -> None:
        self.said[type(fact).__name__] += 1
        if isinstance(fact, f.ConsultEnded):
            self.said[fact.end] += 1

    def command(self, command: Any, cause: e.Event) -> None:
        return

    def look(self, now_ms: int, engine_ms: int, *, up: bool) -> None:
        state = self.world.engine.state
        self.agents.seen = dict(state.agents)  # type: ignore[arg-type]
        self.calls = SimpleNamespace(living=set(state.calls))  # type: ignore[assignment]

    def at_the_end(self, placed: int) -> None:
        state = self.world.engine.state
        assert not state.calls, state.calls
        stuck = [agent for agent in state.agents.values() if agent.state not in RESTING]
        assert not stuck, stuck
        legs = [leg for leg in self.world.switch.channels.values() if leg.uuid not in state.kept_legs]
        left = [leg.uuid for leg in legs if leg.alive]  # but for lines that stay open
        assert not left, left


class ConsultingWorld(World):
    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self.switch.listeners.remove(self.auditor.truth.heard)
        self.auditor = Ledger(self)
        self.staff = ConsultingStaff(story.seed, self.clock, self.phones, lambda: self.engine.state, self._put)


def run(story: Story) -> tuple[ConsultingWorld, Counter[str]]:
    world = ConsultingWorld(story)
    try:
        world.run()
    except Exception as error:
        raise AssertionError(f"seed {story.seed}: {error}") from error
    folded = State()
    folded.fold(world.facts)
    assert folded == world.engine.state
    assert isinstance(world.auditor, Ledger)
    return world, world.auditor.said


def test_a_calm_day_of_consults_has_no_anomalies() -> None:
    world, said = run(Story.calm(7, CALLS))
    anomalies = [fact for fact in world.facts if isinstance(fact, f.Anomaly)]
    assert not anomalies, anomalies[:3]
    for what in ("ThreeWayBegan", "PairBridged", f.ConsultEnd.COMPLETED, f.ConsultEnd.CANCELLED, f.ConsultEnd.MERGED):
        assert said[what], (what, said)
    assert not said[f.ConsultEnd.FAILED], said


@pytest.mark.parametrize("seed", range(6))
def test_nobody_is_lost_in_a_bad_day_of_consults(seed: int) -> None:
    _world, said = run(Story.of(seed, CALLS))
    assert said["ConsultStarted"] > 5, said
