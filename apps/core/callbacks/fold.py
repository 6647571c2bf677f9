"""What each fact about a call back changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.callbacks.model import Callback, CallbackState
from apps.core.calls.model import Call, CallState, Wait
from apps.core.fold_rules import on_call

if TYPE_CHECKING:
    from apps.core.state import State


@on_call(f.CallbackDialogStepped)
def _dialog_stepped(state: State, call: Call, fact: f.CallbackDialogStepped) -> None:
    call.dialog = fact.dialog


@on_call(f.CallbackBooked)
def _booked(state: State, call: Call, fact: f.CallbackBooked) -> None:
    here = call.leg in call.legs
    call.callback = Callback(
        id=fact.callback, state=CallbackState.LEAVING if here else CallbackState.BOOKED, source=fact.source,
        number=fact.number, agent_first=fact.agent_first, booked_ms=fact.at_ms, due_ms=fact.due_ms,
        until_ms=fact.until_ms, play=fact.play,
    )  # fmt: skip
    call.wait = Wait(
        queue=fact.queue, needs=fact.needs, priority=fact.priority, queued_ms=fact.queued_ms,
        deadline_ms=fact.until_ms, entered_ms=fact.at_ms, sticky_agent=fact.sticky_agent,
        sticky_until_ms=fact.sticky_until_ms,
    )  # fmt: skip
    call.dialog = None
    call.last_queue = fact.queue
    call.move(CallState.WAITING, fact.at_ms, fact.deadline_ms if here else None)


@on_call(f.CallbackDialed)
def _dialed(state: State, call: Call, fact: f.CallbackDialed) -> None:
    call.leg = fact.leg
    if call.callback is not None:
        call.callback.state, call.callback.agent = CallbackState.CALLING, fact.agent


@on_call(f.CallbackJoined)
def _joined(state: State, call: Call, fact: f.CallbackJoined) -> None:
    """With an agent on the line the two are about to be connected; else it is a wait like others.

    What is asked of an agent goes by the whole wait: it must not be more than when the customer was called.
    """
    if call.callback is None or call.wait is None:
        return
    call.callback.state, call.callback.agent = CallbackState.ON_LINE, None
    call.wait.deadline_ms, call.wait.sticky_until_ms = fact.deadline_ms, fact.sticky_until_ms
    call.wait.comforted_ms = call.wait.told_ms = fact.at_ms
    if call.dial is None:
        call.move(CallState.WAITING, fact.at_ms)


@on_call(f.CallbackTried)
def _tried(state: State, call: Call, fact: f.CallbackTried) -> None:
    if call.callback is None:
        return
    call.callback.state, call.callback.agent = CallbackState.BOOKED, None
    call.callback.due_ms = fact.next_ms
    call.callback.tried += fact.counted
    if call.wait is not None:
        call.wait.sticky_until_ms = fact.sticky_until_ms
    call.move(CallState.WAITING, fact.at_ms)


@on_call(f.CallbackEnded)
def _ended(state: State, call: Call, fact: f.CallbackEnded) -> None:
    call.callback = call.wait = None
