"""What a television on a wall shows of a floor. Whoever has its address sees it, so no person is in it. Pure."""

from __future__ import annotations

from apps.live.floor_alarms import ABOUT_AGENTS
from apps.live.views_of_state import Entity, View

NOW = "now"
_QUEUE = (
    "id", "name", "waiting", "oldest_ms", "service_level_ms", "staffed", "ready", "ringing", "talking", "wrap_up",
    "paused", "expected_ms",
)  # fmt: skip
_ALARM = ("id", "kind", "name", "since_ms", "critical", "value")


def tv_view(floor: View) -> View:
    """Counts and queues of a floor; no agent, no caller, no number, no note."""
    states: dict[str, int] = {}
    for agent in floor.get("agents", {}).values():
        states[agent["state"]] = states.get(agent["state"], 0) + 1
    alarms = floor.get("alarms", {})
    return {
        "queues": {key: _only(item, _QUEUE) for key, item in floor.get("queues", {}).items()},
        "figures": floor.get("figures", {}),
        "alarms": {key: _only(item, _ALARM) for key, item in alarms.items() if _is_shown(item)},
        "floor": {NOW: {"id": NOW, "calls": len(floor.get("calls", {})), "states": states}},
    }


def _is_shown(alarm: Entity) -> bool:
    return alarm["kind"] not in ABOUT_AGENTS and "shelved_until_ms" not in alarm


def _only(entity: Entity, names: tuple[str, ...]) -> Entity:
    return {name: entity[name] for name in names if name in entity}
