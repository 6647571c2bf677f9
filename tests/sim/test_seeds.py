"""Seeded simulation with faults and crashes of the engine. A failure names its seed; the seed is the whole story.

Replay one: ``.venv/bin/pytest tests/sim --seed 17``.
"""

from __future__ import annotations

import pytest

from apps.core import facts as f
from apps.core.agents import states
from apps.core.calls import closing, talk
from apps.core.events import HangupCause
from apps.core.queues import matching, offers, unanswered
from apps.switches.simulator.faults import FaultRates
from tests.sim.auditor import BrokenPromise
from tests.sim.world import Story, World

SEEDS = range(8)
CALLS = 250


def run(story: Story) -> World:
    world = World(story)
    try:
        world.run()
    except Exception as error:
        raise AssertionError(f"seed {story.seed}: {error} (replay: pytest tests/sim --seed {story.seed})") from error
    return world


def test_promises_hold(sim_seed: int) -> None:
    world = run(Story(seed=sim_seed, calls=CALLS))
    served = world.auditor.outcomes[f.CallOutcome.SERVED]
    assert len(world.auditor.ended) >= CALLS and served > CALLS / 2, world.auditor.outcomes


def test_a_calm_day_has_no_anomalies() -> None:
    world = run(Story(seed=1, calls=150, faults=FaultRates(), crashes_per_hour=0))
    anomalies = [fact for fact in world.facts if isinstance(fact, f.Anomaly)]
    assert not anomalies, anomalies[:3]
    assert world.auditor.outcomes[f.CallOutcome.FAILED] == 0


def test_same_seed_same_bytes() -> None:
    story = Story(seed=5, calls=120, crashes_per_hour=30)
    first, second = run(story), run(story)
    assert first.transcript() == second.transcript() and first.runs == second.runs > 1


@pytest.mark.parametrize(
    ("where", "name", "planted"),
    [
        (matching.Matcher, "agent_unready", lambda self, agent: None),  # an agent stays on offer while on a call
        (talk, "reclaim", lambda center, call: None),  # a customer stuck in the gap is not fetched
        (states, "free", lambda *args, **kwargs: None),  # an agent stays OFFERED for ever
        (closing, "finish_if_over", lambda center, call: None),  # calls never become history
        (offers, "back_in_line", lambda center, call: None),  # a caller falls out of the line
        (unanswered, "DOING", dict.fromkeys(HangupCause, unanswered.Doing.MISSED)),  # an agent is blamed for the switch
    ],
)
def test_the_auditor_sees_a_planted_bug(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, planted: object
) -> None:
    monkeypatch.setattr(where, name, planted)
    with pytest.raises((BrokenPromise, AssertionError, RuntimeError, KeyError)):
        for seed in range(3):
            World(Story(seed=seed, calls=120)).run()
