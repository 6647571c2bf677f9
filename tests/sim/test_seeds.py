"""Seeded simulation with faults, crashes and takeovers. A failure names its seed; the seed is the whole story."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.config import Strategy
from tests.sim.story import Story
from tests.sim.world import World

SEEDS = range(200)
CALLS = 100
MUST_HAPPEN = {
    f.AnnouncementStarted, f.AgentOverruled, f.CallbackBooked, f.CallbackEnded, f.CallbackJoined, f.CallbackTried,
    f.CallHeld, f.CallOverflowed, f.ConfigApplied, f.ConsultAnswered, f.DeviceStateChanged, f.DialEnded,
    f.KeptLegOpened, f.OffersResumed,
    f.QueueClosed, f.QueueDeserted, f.QueueOpened, f.RecordingPaused, f.RequestRefused, f.SwitchDisconnected,
    f.ThreeWayBegan, f.TransferFailed, f.TransferStarted, f.WhisperStarted,
}  # fmt: skip
WAYS: set[object] = {
    f.ConsultEnd.COMPLETED, f.ConsultEnd.MERGED, f.ConsultEnd.CANCELLED, f.ConsultEnd.NOT_REACHED,
    "resumed", "sticky_agent", "wanted_agent", "relaxed", "tier",
}  # fmt: skip
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


def test_days_hold_everything_that_may_happen() -> None:
    """What never happens breaks no promise."""
    happened: set[type[f.Fact]] = set()
    strategies: set[str] = set()
    ways: set[object] = set()
    for seed in range(12):
        for fact in run(Story.of(seed, CALLS)).facts:
            happened.add(type(fact))
            if isinstance(fact, f.AgentOffered):
                strategies.add(fact.rule)
            elif isinstance(fact, f.ConsultEnded):
                ways.add(fact.end)
            elif isinstance(fact, f.CallQueued):
                ways |= {name for name in ("resumed", "sticky_agent", "wanted_agent") if getattr(fact, name)}
            elif isinstance(fact, f.OfferDecided):
                ways |= {"relaxed"} if fact.ring else set()
                ways |= {"tier"} if fact.tiers_up_to is not None else set()
    assert happened >= MUST_HAPPEN, MUST_HAPPEN - happened
    assert strategies >= set(Strategy), set(Strategy) - strategies
    assert ways >= WAYS, WAYS - ways
