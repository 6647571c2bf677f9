"""Hand the caller to a queue. The flow waits here, and goes on by one of its ports where wired."""

from __future__ import annotations

import re
from dataclasses import replace

from apps.core.config import SkillNeed
from apps.core.ids import QueueId, SkillId
from apps.core.ivr.actions import Enqueue
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition

SKILL = re.compile(r"(?P<skill>[^=?\s]{1,80})(=(?P<level>[1-5]))?(?P<preferred>\?)?")
PORTS = ("agent_done", "timeout", "full", "no_agents", "closed", "error")


def ports(node: Node) -> tuple[str, ...]:
    """All optional: unwired, the queue's own overflow rule or goodbye follows."""
    return tuple(name for name in PORTS if name in node.get("on", {}))


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    priority, max_wait_s = node.get("priority"), node.get("max_wait_s")
    action = Enqueue(
        queue=QueueId(str(node["queue"])),
        priority=int(priority) if priority is not None else None,
        needs=needs_of(node, position.lang),
        max_wait_ms=int(max_wait_s) * 1000 if max_wait_s is not None else None,
    )
    return Step(position=replace(position, phase="queued", play=None, digits=""), actions=(action,))


def needs_of(node: Node, lang: str) -> tuple[SkillNeed, ...]:
    """``skills`` of a node: ``net``, ``net=3`` for a level, ``net=3?`` where it only ranks who is asked first."""
    return tuple(_need(str(skill).replace("{{call.lang}}", lang)) for skill in node.get("skills", ()))


def _need(text: str) -> SkillNeed:
    found = SKILL.fullmatch(text)
    if found is None:  # published before this was looked at
        return SkillNeed(skill=SkillId(text))
    return SkillNeed(skill=SkillId(found["skill"]), level=int(found["level"] or 1), required=found["preferred"] is None)
