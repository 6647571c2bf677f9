"""Seeded simulation with faults, crashes and takeovers. A failure names its seed; the seed is the whole story."""

from __future__ import annotations

from apps.core import facts as f
from tests.sim.story import Story
from tests.sim.world import World

SEEDS = range(200)
CALLS = 100
REPLAY = ".venv/bin/pytest tests/sim -k promises --seed"


def run(story: Story) -> World:
    world = World(story)
    try:
        world.run()
    except Exception as error:
        raise AssertionError(f"seed {story.seed}: {error}\nreplay: {REPLAY} {story.seed}") from error
    return world


def test_promises_hold(sim_seed: int) -> None:
    world = run(Story.of(sim_seed, CALLS))
    assert len(world.auditor.calls.ended) >= CALLS


def test_a_calm_day_has_no_anomalies() -> None:
    world = run(Story.calm(1, CALLS))
    anomalies = [fact for fact in world.facts if isinstance(fact, f.Anomaly)]
    assert not anomalies, anomalies[:3]
    assert world.auditor.calls.outcomes[f.CallOutcome.FAILED] == 0


def test_same_seed_same_bytes() -> None:
    story = Story(seed=5, calls=80, crashes_per_hour=60)
    first, second = run(story), run(story)
    assert first.transcript() == second.transcript() and first.runs == second.runs > 1
