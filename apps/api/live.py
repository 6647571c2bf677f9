"""Looks at the engine's state for REST answers. Pure; ``from_threads.read`` runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core.calls.model import Call
from apps.core.ids import AgentId, CallId, TenantId
from apps.core.state import State
from apps.live import from_threads
from apps.live.engine_client import EngineUnreachable
from apps.live.views_of_state import wall_view

Entities = dict[str, dict[str, Any]]


def of_tenant(tenant_id: int, kind: str) -> Entities:
    """The wall's entities of this kind by id, each with its age; empty when the engine was never reached."""
    try:
        view, age_s = from_threads.read(lambda state: wall_view(state, TenantId(str(tenant_id)))[kind])
    except EngineUnreachable:
        return {}
    return {key: {**entity, "age_s": round(age_s, 1)} for key, entity in view.items()}


def agent_on(tenant_id: int, call_id: str) -> Callable[[State], tuple[bool, AgentId | None]]:
    """Whether this call goes on, and who talks on it or dials it."""

    def look(state: State) -> tuple[bool, AgentId | None]:
        call = state.calls.get(CallId(call_id))
        if call is None or call.tenant != str(tenant_id):
            return False, None
        return True, _agent_of(call)

    return look


def _agent_of(call: Call) -> AgentId | None:
    if call.dial is not None:
        return call.dial.agent
    leg = call.legs.get(call.bridge.leg) if call.bridge is not None else None
    return leg.agent if leg is not None else None
