"""When somebody who waits is to be spoken to. By the settings as they are now, and by what was said when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.callbacks import readiness
from apps.core.calls.model import Call, Wait
from apps.core.config import QueueLife

if TYPE_CHECKING:
    from apps.core.state import State

FIRST_TOLD_MS = 5_000
"""So long after joining the line the place is told for the first time, unless somebody was free by then."""


def due_ms(state: State, call: Call) -> int | None:
    """None while there is no reason to, or no way: nobody on the line, an agent's telephone rings, keys are pressed."""
    wait, life = call.wait, life_of(state, call)
    if readiness.off_line(call) or call.leg not in call.legs:
        return None
    if wait is None or life is None or call.offer is not None or call.dialog is not None:
        return None
    return min((due for due in (comfort_ms(life, wait), tell_ms(life, wait)) if due is not None), default=None)


def life_of(state: State, call: Call) -> QueueLife | None:
    queue = state.config.queues.get(call.wait.queue) if call.wait is not None else None
    return queue.life if queue is not None else None


def comfort_ms(life: QueueLife, wait: Wait) -> int | None:
    if not life.comfort_every_ms or not life.comfort:
        return None
    return (wait.entered_ms if wait.comforted_ms is None else wait.comforted_ms) + life.comfort_every_ms


def tell_ms(life: QueueLife, wait: Wait) -> int | None:
    """Of the place in line, the expected wait and the call back that is offered."""
    if not life.tell_every_ms or not (life.tell_position or life.tell_wait or life.callback is not None):
        return None
    return wait.entered_ms + FIRST_TOLD_MS if wait.told_ms is None else wait.told_ms + life.tell_every_ms
