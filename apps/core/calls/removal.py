"""Hanging up a call that has no agent on it: a supervisor's right. Who may was decided before it is asked."""

from __future__ import annotations

from apps.core.calls import closing
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.events import CallRemovalRequested
from apps.core.refusals import STALE, Refusal
from apps.core.requests import answer_once


def request(center: Center, event: CallRemovalRequested) -> None:
    answer_once(center, event, lambda: _remove(center, event))


def _remove(center: Center, event: CallRemovalRequested) -> Refusal | None:
    call = center.state.calls.get(event.call)
    if call is None or call.tenant != event.tenant:
        return Refusal("not_found", "no such call")
    if event.version is not None and event.version < call.version:
        return STALE
    if call.state is CallState.CLOSING:
        return Refusal("wrong_state", "the call is ending already")
    if _has_agent(call):
        return Refusal("wrong_state", "an agent has this call now; end it on the agent")
    closing.remove(center, call)
    return None


def _has_agent(call: Call) -> bool:
    """One who talks, dials, has answered, or is coming back. A telephone that only rings is let off."""
    on_it = call.bridge is not None and call.bridge.agent is not None
    asked = call.consult is not None or call.three_way is not None
    return on_it or asked or call.dial is not None or call.rejoin is not None
