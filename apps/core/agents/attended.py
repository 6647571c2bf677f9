"""What agents ask for in an attended transfer and in a three-way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apps.core import commands as c
from apps.core import events as e
from apps.core.agents.desk import on, wrong_state
from apps.core.agents.model import Agent
from apps.core.calls import consulting
from apps.core.calls.model import Call, CallState, Consult
from apps.core.center import Center
from apps.core.ids import QueueId
from apps.core.queues import life
from apps.core.refusals import STALE, Refusal
from apps.core.texts import LONGEST_HANDOVER

NOT_YOURS = Refusal("not_found", "you have no such call")


def own_call(center: Center, agent: Agent, event: e.CallRequest) -> Call | None:
    call = center.state.calls.get(event.call)
    return call if call is not None and call.tenant == agent.tenant and agent.call == event.call else None


def outdated(event: e.CallRequest, call: Call) -> bool:
    """Asked for what the asker saw before the call changed: an earlier offer of it, say."""
    return event.version is not None and event.version < call.version


@on(e.ConsultRequested)
def _consult(center: Center, agent: Agent, event: e.ConsultRequested) -> Refusal | None:
    call = own_call(center, agent, event)
    if call is None:
        return NOT_YOURS
    if outdated(event, call):
        return STALE
    leg = call.legs.get(call.bridge.leg) if call.bridge is not None else None
    if call.state is not CallState.TALKING or leg is None or leg.agent != agent.id:
        return wrong_state(agent)
    queue = center.queue_config(QueueId(event.target)) if event.kind is e.TransferKind.QUEUE else None
    closed = life.refusal(center, queue) if queue is not None and queue.tenant == call.tenant else None
    if closed is not None:
        return Refusal("not_available", f"this queue takes nobody now: {closed}")
    return consulting.ask(center, agent, call, leg, replace(event, note=event.note[:LONGEST_HANDOVER]))


Step = Callable[[Center, Call, Consult], Refusal | None]


def _in_consult(center: Center, agent: Agent, event: e.CallRequest, step: Step) -> Refusal | None:
    call = own_call(center, agent, event)
    if call is None:
        return NOT_YOURS
    if outdated(event, call):
        return STALE
    if call.consult is None or call.consult.agent != agent.id:
        return wrong_state(agent)
    return step(center, call, call.consult)


@on(e.ConsultSwapRequested)
def _swap(center: Center, agent: Agent, event: e.ConsultSwapRequested) -> Refusal | None:
    return _in_consult(center, agent, event, consulting.swap)


@on(e.ConsultCompleteRequested)
def _complete(center: Center, agent: Agent, event: e.ConsultCompleteRequested) -> Refusal | None:
    return _in_consult(center, agent, event, consulting.complete)


@on(e.ThreeWayRequested)
def _three_way(center: Center, agent: Agent, event: e.ThreeWayRequested) -> Refusal | None:
    return _in_consult(center, agent, event, consulting.merge)


@on(e.ConsultCancelRequested)
def _cancel(center: Center, agent: Agent, event: e.ConsultCancelRequested) -> Refusal | None:
    """Whatever else has changed meanwhile, somebody who waits on: the wish to let them go is not outdated by that."""
    call = own_call(center, agent, event)
    if call is None:
        return NOT_YOURS
    if call.consult is not None and call.consult.agent == agent.id:
        return consulting.cancel(center, call, call.consult)
    room = call.three_way
    other = call.legs.get(room.other) if room is not None and room.agent == agent.id else None
    if other is None:
        return STALE if outdated(event, call) else wrong_state(agent)
    center.send(c.HangUpLeg(switch=other.switch, leg=other.id))
    return None


def hang_up(center: Center, call: Call, agent: Agent) -> Refusal | None:
    """Of one's own consult only the consulted is let go; who was asked, and who is one of three, leaves."""
    if call.consult is not None and call.consult.agent == agent.id:
        return consulting.cancel(center, call, call.consult)
    return None if leave(center, call, agent) else wrong_state(agent)


def leave(center: Center, call: Call, agent: Agent) -> bool:
    leg = next((one for one in call.legs.values() if one.agent == agent.id), None)
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
    return leg is not None
