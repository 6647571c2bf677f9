"""What a centre's indexes say, and what those of one that begins anew with the same state say."""

from __future__ import annotations

from typing import Any

from apps.core.center import Center
from apps.core.state import State


def told(center: Center) -> dict[str, Any]:
    """All answers that matching, positions and staffing go by."""
    state, matcher = center.state, center.matcher
    return {
        "asks": {call: matcher.requirement_of(call) for call in state.calls},
        "finds": {call: matcher.agent_for(call) for call in state.calls},
        "counts": {call: matcher.counts(call) for call in state.calls if matcher.requirement_of(call) is not None},
        "takes": {agent: matcher.caller_for(agent) for agent in state.agents},
        # A callback may come due while the link is down; nobody looks at it before the link is back.
        "ahead": {call.id: center.ahead_of(call) for call in state.calls.values() if center.link_up(call.switch)},
        "openings": {queue: matcher.openings(queue) for queue in state.config.queues},
        "staff": {
            queue: (center.staffing.signed_in(queue), center.staffing.serving(queue), center.staffing.free(queue))
            for queue in state.config.queues
        },
        "on_line": {queue: center.on_line(queue) for queue in state.config.queues},
        "lost": {switch: center.deadlines.at(("lost", switch)) for switch in state.switches},
    }


def anew(center: Center) -> Center:
    other = Center(State.from_data(center.state.to_data()))
    other.now_ms = center.now_ms
    for call in [*other.state.calls]:
        other.index_call(call)
    for agent in other.state.agents:
        other.index_agent(agent)
    for call in other.matcher.unsettled():
        other.index_call(call)
    return other
