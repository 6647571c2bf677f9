"""What every request has in common: it is answered once, with a fact."""

from __future__ import annotations

from collections.abc import Callable

from apps.core import facts as f
from apps.core.center import Center
from apps.core.events import Request
from apps.core.refusals import Refusal


def answer_once(center: Center, event: Request, carry_out: Callable[[], Refusal | None]) -> None:
    """Carry out or refuse; a repeated ``cmd_id`` gets its first outcome again and changes nothing."""
    known = center.state.requests.get(event.cmd_id)
    if known is not None:
        _answer(center, event, Refusal(known, "repeated; this was the first outcome") if known else None)
    else:
        _answer(center, event, carry_out())


def _answer(center: Center, event: Request, refusal: Refusal | None) -> None:
    name = type(event).__name__
    if refusal is None:
        center.emit(
            f.RequestDone(
                at_ms=center.now_ms, tenant=event.tenant, cmd_id=event.cmd_id, actor=event.actor, request=name
            )
        )
        return
    center.emit(
        f.RequestRefused(
            at_ms=center.now_ms,
            tenant=event.tenant,
            cmd_id=event.cmd_id,
            actor=event.actor,
            request=name,
            code=refusal.code,
            reason=refusal.reason,
        )
    )
