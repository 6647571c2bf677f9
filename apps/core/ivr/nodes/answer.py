"""Answer the call: media may flow and the caller pays from here."""

from __future__ import annotations

from apps.core.ivr.actions import Answer
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ("ok",)


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    return Step(position=position, actions=(Answer(),), port="ok")
