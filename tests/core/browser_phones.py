"""Agents whose telephone is their browser, and pages that have the sound."""

from __future__ import annotations

from apps.core import config as cfg
from apps.core import events as e
from tests.core.scene import SWITCH, Scene, center_config


def browser_centre(*names: str) -> cfg.CenterConfig:
    """These agents have browser phones; the others desk phones."""
    config = center_config()
    agents = dict(config.agents)
    for name in names:
        one = agents[name]
        device = cfg.DeviceConfig(kind=cfg.DeviceKind.BROWSER, switch=SWITCH, address=f"10{name}")
        agents[name] = cfg.AgentConfig(
            id=one.id, tenant=one.tenant, name=one.name, device=device, skills=one.skills, queues=one.queues
        )
    return center_config(agents=agents)


def with_sound(scene: Scene, *names: str) -> None:
    for name in names:
        scene.ask(e.AgentSignedIn, name)
        scene.ask(e.MediaReady, name, ready=True)
        scene.ask(e.AgentWentReady, name)
        scene.now_ms += 1000
