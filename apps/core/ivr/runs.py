"""A flow at work on a call: feeds the interpreter, records each step, carries out what it asks for.

What callers type is told as little as can be. Keys that have decided nothing yet (typed ahead, or half of a PIN) are in
no fact: they live in ``Center.typed``, for seconds. An engine that takes over does not know them and asks anew, as
after any gap in control. Keys that made a choice are in the step's fact, but not those of a node marked secret. So a
secret is nowhere: not in the journal, the history, the streams or a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from apps.core import commands as c
from apps.core import facts as f
from apps.core.callbacks import dialog
from apps.core.calls import closing, transfers
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.events import PlayOutcome
from apps.core.ids import FlowId, PlayId
from apps.core.ivr import actions as a
from apps.core.ivr import interpreter
from apps.core.ivr.context import KEY, Context
from apps.core.ivr.interpreter import Left
from apps.core.ivr.position import IvrPosition
from apps.core.queues import door
from apps.core.state import pin_of

AFTER_TALK = "agent_done"
"""A queue node's port."""
SECRET = "***"
"""Instead of the keys that were pressed."""
STOPPED_GRACE_MS = 500
"""A prompt that no key has stopped was stopped by a hang-up or a reclaim: the event of that is about to come."""


def enter_flow(center: Center, call: Call, flow_id: FlowId) -> bool:
    """Start a flow. False: there is none (an overflow or a DID to nothing), and nobody has spoken to the caller."""
    flow = center.state.config.flows.get(flow_id)
    if flow is None or flow.tenant != call.tenant:
        center.alarm("flow_missing", flow_id, f"call {call.id} was sent to a flow that does not exist", call.tenant)
        return False
    lang = call.lang or str(flow.document["default_lang"])
    center.emit(
        f.IvrEntered(
            at_ms=center.now_ms, tenant=call.tenant, call=call.id, flow=flow.id, version=flow.version, lang=lang
        )
    )
    context = _context(center, call)
    if context is not None:
        _carry_out(center, call, interpreter.start(context, lang))
    return True


def restart_node(center: Center, call: Call) -> None:
    context, position = _context(center, call), _position(center, call)
    if context is None or position is None:
        transfers.apologise(center, call)
        return
    _carry_out(center, call, interpreter.restart(context, position))


def play_ended(center: Center, call: Call, play: PlayId, outcome: PlayOutcome) -> None:
    """The prompt is over. One that could not be played is skipped: the keys still work."""
    context, position = _context(center, call), _position(center, call)
    if context is None or position is None or position.play != play:
        return
    if outcome is PlayOutcome.STOPPED and not position.digits:
        soon = replace(position, deadline_ms=center.now_ms + STOPPED_GRACE_MS)
        _carry_out(center, call, [Left(node=position.node, port="", digits="", position=soon, actions=(), over=False)])
        return
    subject = f"{context.flow.id}/{position.node}"
    if outcome is PlayOutcome.FAILED:
        center.alarm("prompt_failed", subject, f"a prompt of node {position.node} could not be played", call.tenant)
    elif outcome is PlayOutcome.DONE:
        center.clear_alarm("prompt_failed", subject)
    _carry_out(center, call, interpreter.played(context, position))


def prompt_began_before(call: Call, at_ms: int) -> bool:
    position = call.ivr.position if call.ivr is not None else None
    return position is not None and interpreter.prompt_began_before(position, at_ms)


def digit_pressed(center: Center, call: Call, digit: str) -> None:
    context, position = _context(center, call), _position(center, call)
    if context is not None and position is not None:
        _carry_out(center, call, interpreter.digit(context, position, digit))


def waited(center: Center, call: Call) -> None:
    context, position = _context(center, call), _position(center, call)
    if context is not None and position is not None:
        _carry_out(center, call, interpreter.timed_out(context, position))


def resume(center: Center, call: Call, port: str) -> bool:
    """Go on in the flow after a queue, if the flow says how."""
    context, position = _context(center, call), _position(center, call)
    if context is None or position is None or not goes_on(center, call, port):
        return False
    center.emit(
        f.IvrEntered(
            at_ms=center.now_ms, tenant=call.tenant, call=call.id, flow=context.flow.id,
            version=context.flow.version, lang=position.lang,
        )
    )  # fmt: skip
    _carry_out(center, call, interpreter.leave(context, position, port))
    return True


def goes_on(center: Center, call: Call, port: str) -> bool:
    """The flow says how."""
    context, position = _context(center, call), _position(center, call)
    return context is not None and position is not None and interpreter.wired(context, position, port)


def resume_after_talk(center: Center, call: Call) -> bool:
    return resume(center, call, AFTER_TALK)


def goes_on_after_talk(center: Center, call: Call) -> bool:
    return goes_on(center, call, AFTER_TALK)


def _position(center: Center, call: Call) -> IvrPosition | None:
    position = call.ivr.position if call.ivr is not None else None
    typed = center.typed.get(call.id)
    return replace(position, digits=typed) if position is not None and typed else position


def _keep(center: Center, call: Call, typed: str) -> None:
    if typed:
        center.typed[call.id] = typed
    else:
        center.typed.pop(call.id, None)


def _context(center: Center, call: Call) -> Context | None:
    """The version that the caller entered. None only if nobody knows it any more."""
    if call.ivr is None or call.tenant is None:
        return None
    current = center.state.config.flows.get(call.ivr.flow)
    flow = center.state.pinned_flows.get(pin_of(call.ivr.flow, call.ivr.version), current)
    if flow is None:
        return None
    return Context(
        flow=flow,
        calendars=center.state.config.calendars,
        tenant=call.tenant,
        now_ms=center.now_ms,
        new_play=center.mint.play,
        lasts_ms=center.state.config.lasts_ms,
    )


def _carry_out(center: Center, call: Call, steps: Iterable[Left]) -> None:
    context = _context(center, call)
    nodes = context.flow.document["nodes"] if context is not None else {}
    for step in steps:
        _keep(center, call, step.position.digits)
        hidden = bool(step.digits and nodes.get(step.node, {}).get("secret"))
        center.emit(
            f.IvrStepped(
                at_ms=center.now_ms,
                tenant=call.tenant,
                call=call.id,
                node=step.node,
                port=f"{KEY}{SECRET}" if hidden and step.port.startswith(KEY) else step.port,
                digits=SECRET if hidden else step.digits,
                position=replace(step.position, digits=""),
            )
        )
        for action in step.actions:
            _do(center, call, action)
        if step.over and call.ivr is not None and call.state is not CallState.IVR:
            center.emit(f.IvrLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id, reason="ended"))


def _do(center: Center, call: Call, action: a.Action) -> None:
    if isinstance(action, a.Answer):
        closing.answer(center, call)
    elif isinstance(action, a.Play):
        closing.answer(center, call)
        center.send(
            c.PlayPrompts(switch=call.switch, leg=call.leg, play=action.play, sounds=action.sounds, barge=action.barge)
        )
    elif isinstance(action, a.Enqueue):
        _enqueue(center, call, action)
    elif isinstance(action, a.AskCallback):
        if not dialog.from_flow(center, call, action.queue, action.needs) and not resume(center, call, "error"):
            resume(center, call, dialog.DECLINED)
    elif isinstance(action, a.Dial):
        if not transfers.dial(center, call, action.number):
            transfers.apologise(center, call)
    elif isinstance(action, a.HangUp):
        closing.close(
            center, call, f.CallOutcome.SELF_SERVED if not call.served else f.CallOutcome.SERVED, action.sounds
        )


def _enqueue(center: Center, call: Call, action: a.Enqueue) -> None:
    closing.answer(center, call)
    if not door.enter(
        center, call, action.queue, needs=action.needs, priority=action.priority, max_wait_ms=action.max_wait_ms
    ):
        center.alarm(
            "queue_missing", action.queue, f"call {call.id} was sent to a queue that does not exist", call.tenant
        )
        if not resume(center, call, "error"):
            transfers.apologise(center, call)
