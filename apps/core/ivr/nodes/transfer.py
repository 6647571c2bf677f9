"""Ring a number outside for the caller."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ivr.actions import Dial
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ()


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    return Step(position=replace(position, play=None), actions=(Dial(str(node["to"])),), over=True)
