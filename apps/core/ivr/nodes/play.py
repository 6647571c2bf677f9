"""Play prompts, then go on. With ``barge`` (the default) a key ends them early and counts for the next node."""

from __future__ import annotations

from dataclasses import replace

from apps.core.ivr.actions import Play
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ("done",)


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    barge = bool(node.get("barge", True))
    sounds = ctx.sounds(node.get("say", ()), position.lang) * int(node.get("repeat", 1))
    if not sounds or (barge and position.digits):
        return Step(position=position, port="done")
    play = ctx.new_play()
    return Step(position=replace(position, phase="playing", play=play), actions=(Play(play, sounds, barge),))


def played(ctx: Context, node: Node, position: IvrPosition) -> Step:
    return Step(position=position, port="done")


def digit(ctx: Context, node: Node, position: IvrPosition, key: str) -> Step:
    """Kept for the next node (type-ahead), unless the prompt may not be interrupted."""
    if not node.get("barge", True) or node.get("typeahead") == "discard":
        return Step(position=position)
    return Step(position=replace(position, digits=(position.digits + key)[-32:]))
