"""Seeded simulation with faults, crashes and takeovers. A failure names its seed; the seed is the whole story."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from apps.core import commands as c
from apps.core import facts as f
from apps.core.callbacks.model import CallbackSource
from apps.core.config import Strategy
from apps.core.events import TransferKind
from tests.refusals import refused
from tests.sim.story import Story
from tests.sim.world import World

SEEDS = range(200)
CALLS = 100
SEEN: set[object] = set()
"""What has happened in the days that were simulated here: facts, commands, strategies and other ways, by the way."""

RARE: set[object] = {
    ("consult", f.ConsultEnd.CUSTOMER_LEFT),  # history's word: the engine ends the whole call
    ("consult", f.ConsultEnd.FAILED), ("overflow", f.OverflowReason.NO_AGENTS), ("overflow", f.OverflowReason.REMOVED),
    ("rejoin", f.RejoinEnd.TAKEN_AWAY),
}  # fmt: skip
"""Not in every hundred days: a bridge that the switch refuses, nobody at work for long, a queue deleted in the middle
of the day. Tests of the core show these."""
REFUSED = set(refused("core")) - {"no_device", "no_trunk", "unsupported"}
"""In these centres everybody has a telephone, there is a trunk, and the switch can do all that is asked of it."""
WAYS: set[object] = {
    *(("consult", end) for end in f.ConsultEnd), *(("called back", end) for end in f.CallbackOutcome),
    *(("offer", end) for end in f.OfferOutcome), *(("call", end) for end in f.CallOutcome),
    *(("left line", reason) for reason in f.QueueExit), *(("rejoin", end) for end in f.RejoinEnd),
    *(("overflow", reason) for reason in f.OverflowReason), *(("dial", end) for end in f.DialOutcome),
    *(("refused", code) for code in REFUSED),
    "resumed", "sticky_agent", "wanted_agent", "relaxed", "tier",
    *(("booked", source) for source in CallbackSource), *(("sent to", kind) for kind in TransferKind),
} - RARE  # fmt: skip
NOT_SENT = {c.StopPlay}  # nothing asks for it: what begins next cuts short what plays

REPLAY = ".venv/bin/pytest tests/sim -k promises --seed"


def run(story: Story) -> World:
    world = World(story)
    try:
        world.run()
    except Exception as error:
        raise AssertionError(f"seed {story.seed}: {error}\nreplay: {REPLAY} {story.seed}") from error
    for effect in world.script:
        SEEN.add(type(effect))
        SEEN.update(ways(effect))
    return world


ENDS: dict[type, tuple[str, str]] = {
    f.ConsultEnded: ("consult", "end"), f.CallbackEnded: ("called back", "outcome"), f.OfferEnded: ("offer", "outcome"),
    f.CallEnded: ("call", "outcome"), f.CallDequeued: ("left line", "reason"), f.RejoinFailed: ("rejoin", "reason"),
    f.CallOverflowed: ("overflow", "reason"), f.DialEnded: ("dial", "outcome"), f.RequestRefused: ("refused", "code"),
}  # fmt: skip


def ways(effect: object) -> Iterator[object]:
    """In which a thing happened, where it can in several."""
    if isinstance(effect, f.AgentOffered):
        yield effect.rule
    elif type(effect) in ENDS:
        name, field = ENDS[type(effect)]
        yield name, getattr(effect, field)
    elif isinstance(effect, f.CallbackBooked):
        yield "booked", effect.source
    elif isinstance(effect, f.TransferStarted | f.ConsultStarted):
        yield "sent to", effect.kind
    elif isinstance(effect, f.CallQueued):
        yield from (name for name in ("resumed", "sticky_agent", "wanted_agent") if getattr(effect, name))
    elif isinstance(effect, f.OfferDecided):
        yield from ("relaxed",) * bool(effect.ring)
        yield from ("tier",) * (effect.tiers_up_to is not None)


def kinds_of(base: type, module: ModuleType) -> set[type]:
    """Those that are no base of others. By the module: a class with slots has a forerunner that only looks like it."""
    named = {kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, base)}
    return {kind for kind in named if not any(other is not kind and issubclass(other, kind) for other in named)}


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
    """What never happens breaks no promise. Mostly the days that were simulated above have shown it all."""
    whole = (kinds_of(f.Fact, f) | kinds_of(c.Command, c) | WAYS | set(Strategy)) - NOT_SENT
    for seed in SEEDS:
        if whole <= SEEN:
            return
        run(Story.short_handed(seed, CALLS))
        run(Story.of(seed, CALLS))
    assert whole <= SEEN, whole - SEEN
