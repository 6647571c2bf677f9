from hypothesis import given
from hypothesis import strategies as st

from apps.engine.clock import SLEW, EngineClock


class Times:
    def __init__(self, wall_s: float = 1_700_000_000.0, mono_s: float = 50.0) -> None:
        self.wall_s, self.mono_s = wall_s, mono_s

    def clock(self, at_least_ms: int = 0) -> EngineClock:
        return EngineClock(at_least_ms, wall_s=lambda: self.wall_s, monotonic_s=lambda: self.mono_s)

    def pass_s(self, seconds: float) -> None:
        self.wall_s += seconds
        self.mono_s += seconds


def test_follows_the_wall_clock() -> None:
    times = Times()
    clock = times.clock()
    times.pass_s(12.5)
    assert clock.now_ms() == 1_700_000_012_500


def test_resumes_at_the_journals_last_time_when_the_wall_is_behind() -> None:
    times = Times()
    clock = times.clock(at_least_ms=1_700_000_060_000)
    assert clock.now_ms() == 1_700_000_060_000
    times.pass_s(1)
    assert clock.now_ms() == 1_700_000_060_900  # runs slower until the wall has caught up
    times.pass_s(600)
    clock.now_ms()
    assert clock.behind_wall_ms() == 0


def test_who_stood_by_for_an_hour_does_not_count_that_hour_twice() -> None:
    """Else every deadline of every caller would pass at once when it takes over."""
    times = Times()
    clock = times.clock()
    times.pass_s(3600)
    clock.not_before(1_700_003_599_000)  # the last fact that it followed
    assert clock.now_ms() == 1_700_003_600_000
    clock.not_before(1_700_003_600_400)  # the other engine's clock was a little ahead
    assert clock.now_ms() == 1_700_003_600_400


def test_a_step_of_the_wall_is_made_up_gently() -> None:
    times = Times()
    clock = times.clock()
    before = clock.now_ms()
    times.wall_s += 3600
    times.pass_s(10)
    assert clock.now_ms() - before == 10_000 * (1 + SLEW)


def test_heals_a_small_step_completely() -> None:
    times = Times()
    clock = times.clock()
    times.wall_s += 0.5
    for _ in range(100):
        times.pass_s(0.1)
        clock.now_ms()
    assert clock.behind_wall_ms() == 0


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-5, 1e4)), max_size=50))
def test_never_goes_back(steps: list[tuple[float, float]]) -> None:
    times = Times()
    clock = times.clock()
    last = clock.now_ms()
    for wall, mono in steps:
        times.wall_s += wall
        times.mono_s += mono
        now = clock.now_ms()
        assert now >= last
        last = now
