"""Offer a call back from a queue, by keys. Who books is let go; ``declined`` and ``error`` go on in the flow."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ids import QueueId
from apps.core.ivr.actions import AskCallback
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.nodes.enqueue import needs_of
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    """Without ``error`` a queue that makes no calls back counts as declined."""
    return ("declined", *(("error",) if "error" in node.get("on", {}) else ()))


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    action = AskCallback(queue=QueueId(str(node["queue"])), needs=needs_of(node, position.lang))
    return Step(position=replace(position, phase="queued", play=None, digits=""), actions=(action,))
