"""Blind transfer: the agent is let go, the customer comes back to us and goes on to the target. And dialling out."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.calls import closing, targets
from apps.core.calls.model import Call, CallState
from apps.core.calls.targets import Way
from apps.core.center import Center
from apps.core.events import HangupCause, LegRole, TransferKind
from apps.core.ids import AgentId, QueueId
from apps.core.queues import door, offers

DIAL_TIMEOUT_MS = 45_000
AGENT_TRANSFER_MS = 20_000
"""A transfer to one agent who does not take it in this time puts the customer at the head of the queue."""


def start(
    center: Center,
    call: Call,
    agent: AgentId,
    kind: TransferKind,
    target: str,
    *,
    note: str = "",
    to_head: bool = False,
) -> None:
    center.emit(
        f.TransferStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent,
            kind=kind,
            target=target,
            note=note,
            to_head=to_head,
        )
    )
    leg = call.legs.get(call.bridge.leg) if call.bridge else None
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))


def carry_out(center: Center, call: Call) -> None:
    """The customer is back: on to the target."""
    transfer = call.transfer
    if transfer is None:
        return
    if transfer.kind is TransferKind.QUEUE:
        queue = QueueId(transfer.target)
        done = offers.enqueue_first(center, call, queue) if transfer.to_head else door.enter(center, call, queue)
    elif (wanted := targets.wanted_agent(center, call, transfer.kind, transfer.target)) is not None:
        done = to_agent(center, call, wanted)
    else:
        done = _ring_for_caller(center, call, transfer.kind, transfer.target)
    if not done:
        failed(center, call, "the target is gone")


def to_agent(center: Center, call: Call, agent: AgentId) -> bool:
    """Only this one is asked, and not for long."""
    config = center.agent_config(agent)
    if config is None:
        return False
    queue = call.last_queue if center.queue_config(call.last_queue) else min(config.queues, default=None)
    if queue is None:
        return False
    return offers.enqueue(center, call, queue, wanted_agent=agent, max_wait_ms=AGENT_TRANSFER_MS)


def failed(center: Center, call: Call, reason: str) -> None:
    """Nobody there: the customer goes to the head of the queue that served last, else hears an apology."""
    transfer = call.transfer
    if transfer is not None:
        center.emit(
            f.TransferFailed(
                at_ms=center.now_ms,
                tenant=call.tenant,
                call=call.id,
                kind=transfer.kind,
                target=transfer.target,
                reason=reason,
            )
        )
    if call.last_queue is None or not offers.enqueue_first(center, call, call.last_queue):
        apologise(center, call)


def apologise(center: Center, call: Call) -> None:
    tenant = center.state.config.tenants.get(call.tenant) if call.tenant is not None else None
    closing.close(
        center,
        call,
        _outcome_of(call),
        tenant.apology_sounds if tenant is not None else (),
    )


def _outcome_of(call: Call) -> f.CallOutcome:
    if call.served:
        return f.CallOutcome.SERVED
    return f.CallOutcome.OVERFLOWED if call.direction is f.Direction.INBOUND else f.CallOutcome.FAILED


# --- a telephone that is rung --------------------------------------------------------------------------------------


def dial(center: Center, call: Call, number: str) -> bool:
    """Ring a number for this caller, with music meanwhile. False when there is no way to, or it is barred."""
    return _ring_for_caller(center, call, TransferKind.NUMBER, number)


def _ring_for_caller(center: Center, call: Call, kind: TransferKind, target: str) -> bool:
    way = targets.way_to(center, call, kind, target)
    if way is None or call.tenant is None:
        return False
    closing.answer(center, call)
    center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))
    ring(center, call, way)
    return True


def ring(center: Center, call: Call, way: Way) -> None:
    assert call.tenant is not None
    leg = center.mint.leg()
    center.emit(
        f.LegStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            switch=call.switch,
            role=LegRole.EXTERNAL,
            address=way.destination.address,
            trunk=way.trunk.id if way.trunk is not None else None,
            deadline_ms=center.now_ms + DIAL_TIMEOUT_MS,
            phone_of=way.owner,
        )
    )
    center.phone_taken_or_free(way.owner)
    center.send(
        c.OriginateLeg(
            switch=call.switch,
            leg=leg,
            call=call.id,
            tenant=call.tenant,
            role=LegRole.EXTERNAL,
            destination=way.destination,
            ring_timeout_ms=DIAL_TIMEOUT_MS - 5_000,
            caller_number=way.caller_number,
            caller_name=call.caller_name if way.trunk is None else "",
        )
    )


def dial_failed(center: Center, call: Call, cause: HangupCause) -> None:
    if call.transfer is not None:
        failed(center, call, str(cause))
    else:
        apologise(center, call)


def dial_overdue(center: Center, call: Call) -> None:
    for leg in list(call.legs.values()):
        if leg.role is LegRole.EXTERNAL:
            center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id, cause=HangupCause.CANCELLED))
    if call.state is CallState.DIALING:
        dial_failed(center, call, HangupCause.NO_ANSWER)
