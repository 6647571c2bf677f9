"""Callers whom nobody of the configuration could ever serve: they are not left to wait for it.

Such a configuration is refused when it is saved; it comes about all the same, when an agent loses a skill or a queue
its last member, or when a flow asks for more than anybody has. Who is at work does not matter here: for that a queue
has its rule for hours without agents.
"""

from __future__ import annotations

from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.center import Center
from apps.core.ids import QueueId
from apps.core.queues import asking, needs, offers, overflow

ALARM = "cannot_match"


def look(center: Center) -> None:
    """After each event, before anybody is matched: at those who came to stand in line, or for whom it may be new."""
    for call_id in list(center.dirty_calls):
        call = center.state.calls.get(call_id)
        if call is not None:
            _send_on(center, call)


def _send_on(center: Center, call: Call) -> None:
    """Where the queue overflows to. Coming to the same queue again at once, the caller gets the last resort."""
    seen: set[QueueId] = set()
    while call.wait is not None and (lacking := asking.lacks_forever(center, call)) is not None:
        queue = call.wait.queue
        _alarm(center, call, queue, lacking)
        if queue in seen:
            offers.leave_line(center, call, f.QueueExit.OVERFLOWED)
            overflow.last_resort(center, call)
            return
        seen.add(queue)
        overflow.send_away(center, call, f.OverflowReason.CANNOT_MATCH)


def _alarm(center: Center, call: Call, queue: QueueId, lacking: needs.Needs) -> None:
    config = center.queue_config(queue)
    name = config.name if config is not None else queue
    if call.wait is not None and call.wait.wanted_agent is not None:
        detail = f"a call was to wait for agent {call.wait.wanted_agent} alone, who is gone or on another switch"
    else:
        wanted = ", ".join(f"{need.skill} at level {need.level}" for need in lacking) or "a telephone on its switch"
        detail = f"a call to {name} asks for what no agent of this queue has: {wanted}"
    center.alarm(ALARM, queue, detail, call.tenant)
