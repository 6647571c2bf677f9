"""Say goodbye, if there is anything to say, and hang up."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ivr.actions import HangUp
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ()


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    sounds = ctx.sounds(node.get("say", ()), position.lang)
    return Step(position=replace(position, play=None), actions=(HangUp(sounds),), over=True)
