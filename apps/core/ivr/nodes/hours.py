"""Are we open? Which port a caller leaves by, from the calendar that the node names."""

from __future__ import annotations

from apps.core.calendars import opening
from apps.core.ivr.context import Context, Node, Step
from apps.core.ivr.position import IvrPosition


def ports(node: Node) -> tuple[str, ...]:
    return ("open", "closed", "holiday", "emergency")


def enter(ctx: Context, node: Node, position: IvrPosition) -> Step:
    """A calendar that was deleted counts as open: better an agent too many asked than a caller turned away."""
    calendar = ctx.calendars.get(f"{ctx.tenant}/{node.get('schedule', '')}")
    return Step(position=position, port=opening(calendar, ctx.now_ms) if calendar else "open")
