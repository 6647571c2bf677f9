"""What a wall's page may ask for. Whether its user may is decided by the socket; nothing here trusts the message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.core import events
from apps.core.agents.machine import RESTING
from apps.core.config import CenterConfig
from apps.core.events import AgentRequest
from apps.core.ids import AgentId
from apps.core.texts import LONGEST_REASON
from apps.live.page_commands import Asker, BadMessage, Build, Fields, parse_by, text_of


def parse_floor(message: Fields, asker: Asker, config: CenterConfig) -> tuple[str, AgentRequest]:
    """As ``page_commands.parse``. The agent is the one named, who must be of the asker's tenant."""
    return parse_by(ACTIONS, message, asker, config)


def named_agent(message: Fields, asker: Asker, config: CenterConfig) -> AgentId:
    name = message.get("agent")
    agent = config.agents.get(AgentId(name)) if isinstance(name, str) else None
    if agent is None or agent.tenant != asker.tenant:
        raise BadMessage("no such agent")
    return agent.id


def _force(asker: Asker, config: CenterConfig, common: dict[str, Any], message: Fields) -> AgentRequest:
    state, now = message.get("state"), message.get("now", False)
    if not isinstance(state, str) or state not in RESTING:
        raise BadMessage("state must be READY, PAUSED or LOGGED_OUT")
    if type(now) is not bool:
        raise BadMessage("now must be true or false")
    common = {**common, "agent": named_agent(message, asker, config)}
    return events.AgentForced(**common, state=state, reason=text_of(message, "reason", LONGEST_REASON), now=now)


ACTIONS: Mapping[str, tuple[frozenset[str], Build]] = {
    "force": (frozenset({"agent", "state", "reason", "now"}), _force),
}
PERMISSIONS: Mapping[str, str] = {"force": "agents.force"}
"""Which permission each action needs (apps/accounts/permissions.py)."""
