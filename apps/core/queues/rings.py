"""What a caller asks for by now: first the agent of last time, then more and more of the others."""

from __future__ import annotations

from typing import NamedTuple

from apps.core.calls.model import Wait
from apps.core.config import QueueConfig
from apps.core.ids import AgentId
from apps.core.queues import needs, tiers


class Stage(NamedTuple):
    """Holds from ``since_ms`` until ``until_ms`` (None: to the end), unless the tiers are staffed anew."""

    needs: needs.Needs
    tiers_up_to: int | None
    only: AgentId | None  # nobody else is asked
    kept: bool  # … because they talked last time
    ring: int  # rings passed; 0: everything is asked that there was to ask
    since_ms: int
    until_ms: int | None


def stage(queue: QueueConfig, wait: Wait, openings: tiers.Openings, now_ms: int, *, kept: bool) -> Stage:
    """``kept``: the agent whom the caller talked with last is at work, and is waited for."""
    asked = needs.together(queue.needs, wait.needs)
    if wait.wanted_agent is not None:
        return Stage((), None, wait.wanted_agent, False, 0, wait.entered_ms, None)
    if kept and now_ms < wait.sticky_until_ms:
        return Stage(asked, None, wait.sticky_agent, True, 0, wait.entered_ms, wait.sticky_until_ms)
    if not queue.rings and not openings:
        return Stage(asked, None, None, False, 0, wait.entered_ms, None)
    waited_ms = now_ms - wait.entered_ms
    passed = [ring for ring in queue.rings if ring.after_ms <= waited_ms]
    later = [ring.after_ms for ring in queue.rings if ring.after_ms > waited_ms]
    later += [after_ms for after_ms, _tier in openings if waited_ms < after_ms < tiers.NEVER_MS]
    return Stage(
        needs=needs.relaxed(asked, passed),
        tiers_up_to=tiers.up_to(openings, waited_ms),
        only=None,
        kept=False,
        ring=len(passed),
        since_ms=wait.entered_ms + max((ring.after_ms for ring in passed), default=0),
        until_ms=wait.entered_ms + min(later) if later else None,
    )
