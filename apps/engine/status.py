"""What an engine says of itself: its health, as the door shows it, and the figures that are read when asked for."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apps.engine.drivers import Counted
from apps.engine.leadership import Role

if TYPE_CHECKING:
    from apps.engine.duty import Duty
    from apps.engine.process import EngineProcess

LAGGING_S = 1.0


def refresh_metrics(process: EngineProcess) -> None:
    metrics, recorder, duty = process.metrics, process.recorder.progress, process.duty
    leads = duty is None or duty.leads
    metrics.leading.set(role_of(process) is Role.LEADING)
    metrics.term.set(duty.term if duty is not None else 0)
    metrics.standby_behind.set(0 if duty is None or leads else duty.follower.behind)
    metrics.standbys.set(len(process.standbys.level))
    metrics.count_state(process.runner.core.state)
    counting = (driver for driver in process.dispatch.drivers() if isinstance(driver, Counted))
    metrics.count_drivers((driver.switch, asdict(driver.counters)) for driver in counting)
    metrics.inbox.set(len(process.runner.inbox))
    metrics.dropped.set(process.runner.inbox.dropped.total())
    metrics.journal_depth.set(process.journal.last_seq - recorder.cursor)
    metrics.journal_pending.set(process.journal.pending)
    metrics.journal_lost.set(process.journal.lost)
    metrics.disk_free.set(process.keeper.free_bytes)
    metrics.recorder_lag.set(recorder.lag_s(process.clock.now_ms()))
    metrics.recorder_refused.set(recorder.refused)
    metrics.gate.set(not process.dispatch.closed_for)


def role_of(process: EngineProcess) -> Role:
    return process.duty.role if process.duty is not None else Role.LEADING


def health(process: EngineProcess) -> tuple[bool, dict[str, Any]]:
    """Healthy: it leads, new calls are taken, a switch is reached and the loop keeps up. Degraded: not all is well."""
    role = role_of(process)
    if process.duty is not None and role is Role.STANDING_BY:
        return _standing_by(process, process.duty)
    state, journal, recorder = process.runner.core.state, process.journal, process.recorder.progress
    links = {switch: link.up for switch, link in state.switches.items()}
    takes_calls = role is Role.LEADING and not process.dispatch.closed_for
    healthy = takes_calls and any(links.values()) and process.runner.lag_s < LAGGING_S
    fine = healthy and all(links.values()) and not (recorder.trouble or process.config.trouble or recorder.refused)
    trouble = journal.trouble
    data = {
        "status": "ok" if fine else "degraded" if healthy else "down",
        "role": role,
        "number": process.options.number,
        "term": process.duty.term if process.duty is not None else 0,
        "standbys": process.standbys.level,
        "run": state.run,
        "epoch": journal.epoch,
        "seq": journal.last_seq,
        "closed_for": process.dispatch.closed_for,
        "links": links,
        "clock_ahead_ms": -process.clock.behind_wall_ms(),
        "loop_lag_ms": round(process.runner.lag_s * 1000, 1),
        "journal": {
            "trouble": trouble.detail if trouble is not None else "",
            "depth": journal.last_seq - recorder.cursor,
            "pending": journal.pending,
            "lost": journal.lost,
        },
        "disk": {"free_bytes": process.keeper.free_bytes, "low": process.runner.low_on_space},
        "recorder": {
            "pid": process.recorder.pid,
            "cursor": recorder.cursor,
            "lag_s": round(recorder.lag_s(process.clock.now_ms()), 1),
            "trouble": recorder.trouble,
            "refused": recorder.refused,
        },
        "config": {"version": state.config.version, "trouble": process.config.trouble},
        "alarms": sorted(state.alarms),
    }
    return healthy, data


def _standing_by(process: EngineProcess, duty: Duty) -> tuple[bool, dict[str, Any]]:
    """Healthy: it follows, or nobody leads and it is about to."""
    follower, journal = duty.follower, process.journal
    trouble = journal.trouble
    fine = follower.following and trouble is None and not process.config.trouble
    data = {
        "status": "ok" if fine else "degraded",
        "role": Role.STANDING_BY,
        "number": process.options.number,
        "term": duty.term,
        "following": follower.following,
        "behind": follower.behind,
        "epoch": journal.epoch,
        "seq": journal.last_seq,
        "journal": {"trouble": trouble.detail if trouble is not None else ""},
        "config": {"trouble": process.config.trouble},
    }
    return True, data
