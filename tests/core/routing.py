"""Small centres for what a queue may ask: one queue, some agents, callers by number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.core import config as cfg
from apps.core import events as e
from apps.core import facts as f
from apps.core.calls.model import Call
from apps.core.ids import LegId
from tests.core.scene import SWITCH, TENANT, Scene, agent, center_config


def able(name: str, seat: cfg.Membership | None = None, **levels: int) -> cfg.AgentConfig:
    """An agent of the queue ``sales`` with these levels of skills."""
    return replace(agent(name), queues={"sales": seat or cfg.Membership()}, skills=levels)  # type: ignore[arg-type,dict-item]


def need(skill: str, level: int = 1, *, required: bool = True) -> cfg.SkillNeed:
    return cfg.SkillNeed(skill=skill, level=level, required=required)  # type: ignore[arg-type]


def office(*agents: cfg.AgentConfig, more: dict[str, cfg.QueueConfig] | None = None, **queue: Any) -> Scene:
    """A centre whose queue ``sales`` is set so; ``more`` queues beside it."""
    sales = cfg.QueueConfig(**{"id": "sales", "tenant": TENANT, "name": "Sales", "wrap_up_ms": 0} | queue)
    queues = {**center_config().queues, "sales": sales, **(more or {})}
    return Scene(center_config(agents={one.id: one for one in agents}, queues=queues))


def caller(scene: Scene, leg: str, number: str = "13800138000", *, did: str = "4001") -> Call:
    """Through the menu into ``sales``."""
    scene.feed(e.CallArrived(switch=SWITCH, leg=LegId(leg), did=did, caller_number=number))  # type: ignore[arg-type]
    call = scene.state.call_of(LegId(leg))
    assert call is not None
    for key in "11":
        scene.press(call, key)
    return call


def rung(call: Call) -> list[str]:
    """Agents whose telephones ring for this call, the first asked first."""
    return [offer.agent for offer in call.offers.values()]


def answered(scene: Scene, call: Call, name: str) -> None:
    """This agent's telephone is picked up and the two are connected."""
    offer = call.offer_to(name)  # type: ignore[arg-type]
    assert offer is not None
    for event in (e.LegRinging, e.LegAnswered, e.LegParked):
        scene.feed(event(switch=SWITCH, leg=offer.leg))  # type: ignore[arg-type]
    scene.feed(e.LegsBridged(switch=SWITCH, leg=offer.leg, other=call.leg))  # type: ignore[arg-type]


def served(scene: Scene, call: Call, name: str, seconds: float = 0) -> None:
    """Answered by this agent, who hangs up after so long."""
    answered(scene, call, name)
    leg = call.bridge.leg if call.bridge is not None else LegId("")
    scene.wait(seconds)
    scene.hang_up(leg)
    scene.hang_up(call.leg)


def ends_of_offers(scene: Scene, call: Call) -> dict[str, str]:
    """Agent -> how the last offer of this call to them ended."""
    return {fact.agent: fact.outcome for fact in scene.all(f.OfferEnded) if fact.call == call.id}
