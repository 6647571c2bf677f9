"""Attended transfer: the customer is set aside with music, the agent asks somebody, and then they are put together.

One call all the time. The agent may swap between the two, connect them and leave, let the consulted go, or talk with
both (``conferencing``). Whatever fails, the customer comes back to the agent; where there is no agent any more, to the
head of the queue. Who puts the telephone down while the consulted is there has completed the transfer, as on any desk
telephone. When the customer hangs up, the other two go on talking. ``pairing`` does what is decided here.
"""

from __future__ import annotations

from typing import Any

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import kept_open, reach, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.calls import closing, pairing, recording, rejoining, talk, targets, transfers
from apps.core.calls.model import Call, Consult, Leg, Rejoin
from apps.core.center import Center
from apps.core.config import DeviceKind
from apps.core.events import ConsultRequested, HangupCause, LegRole, TransferKind
from apps.core.ids import QueueId
from apps.core.queues import offers
from apps.core.refusals import Refusal

GIVE_UP_MS = 10_000
"""An agent who was to have the customer again and is not there by then will not come."""

_UNDER_WAY = Refusal("wrong_state", "the last change is still under way")
_NOBODY_THERE = Refusal("wrong_state", "nobody has answered yet")
_CUSTOMER_GONE = Refusal("wrong_state", "the customer has hung up")


def ask(center: Center, agent: Agent, call: Call, leg: Leg, event: ConsultRequested) -> Refusal | None:
    """Begin, or say why not."""
    if call.transfer is not None:
        return Refusal("wrong_state", "a transfer is already under way")
    problem = targets.problem(center, call, agent.id, event.kind, event.target)
    problem = problem or targets.unavailable(center, call, event.kind, event.target)
    if problem is None:
        _set_aside(center, agent, call, leg, event)
        _seek(center, call, event.kind, event.target)
    return problem


def _set_aside(center: Center, agent: Agent, call: Call, leg: Leg, event: ConsultRequested) -> None:
    bridge = call.bridge
    assert bridge is not None and bridge.bridged_ms is not None
    if bridge.held_ms is not None:
        talk.resumed(center, call, leg.id, bridge.held_ms)
        center.send(c.UnholdLeg(switch=leg.switch, leg=leg.id))
    center.emit(
        f.ConsultStarted(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent.id,
            leg=leg.id,
            queue=bridge.queue,
            kind=event.kind,
            target=event.target,
            note=event.note,
            muted=bridge.muted,
            talked_ms=center.now_ms - bridge.bridged_ms,
            deadline_ms=center.now_ms + talk.RETURN_TIMEOUT_MS,
        )
    )
    states.move(center, agent.id, AgentState.CONSULTING, call=call.id)
    pairing.part(center, call)


def _seek(center: Center, call: Call, kind: TransferKind, target: str) -> None:
    wanted = targets.wanted_agent(center, call, kind, target)
    if kind is TransferKind.QUEUE:
        done = offers.enqueue(center, call, QueueId(target))
    elif wanted is not None:
        done = transfers.to_agent(center, call, wanted)
    else:
        done = _ring(center, call, kind, target)
    if not done:
        turn_back(center, call, f.ConsultEnd.NOT_REACHED, "unreachable")


def _ring(center: Center, call: Call, kind: TransferKind, target: str) -> bool:
    way = targets.way_to(center, call, kind, target)
    if way is None or call.tenant is None:
        return False
    transfers.ring(center, call, way)
    return True


# --- what the agent asks for meanwhile -----------------------------------------------------------------------------


def swap(center: Center, call: Call, consult: Consult) -> Refusal | None:
    if (refusal := _not_both(call, consult)) is not None:
        return refusal
    pairing.aim(center, call, f.Aim.CUSTOMER if consult.aim is f.Aim.CONSULT else f.Aim.CONSULT)
    return None


def complete(center: Center, call: Call, consult: Consult) -> Refusal | None:
    if (refusal := _not_both(call, consult)) is not None:
        return refusal
    pairing.aim(center, call, f.Aim.COMPLETE)
    return None


def merge(center: Center, call: Call, consult: Consult) -> Refusal | None:
    if (refusal := _not_both(call, consult)) is not None:
        return refusal
    pairing.aim(center, call, f.Aim.MERGE)
    return None


def _not_both(call: Call, consult: Consult) -> Refusal | None:
    """Why there are no two to choose from. Who asks while the last change settles is served as soon as it has."""
    if call.customer_gone:
        return _CUSTOMER_GONE
    if consult.other is None:
        return _NOBODY_THERE
    together = consult.asked is not None or consult.joined is not None
    return None if together and consult.aim in (f.Aim.CONSULT, f.Aim.CUSTOMER) else _UNDER_WAY


def cancel(center: Center, call: Call, consult: Consult) -> Refusal | None:
    """At any stage but the last."""
    if call.customer_gone:
        _let_go(center, call, consult)
        return None
    if consult.aim not in (f.Aim.SEEK, f.Aim.CONSULT, f.Aim.CUSTOMER):
        return _UNDER_WAY
    turn_back(center, call, f.ConsultEnd.CANCELLED)
    return None


# --- the consulted -------------------------------------------------------------------------------------------------


def expected(call: Call, leg: Leg) -> bool:
    """A telephone that rings for a consult without having been offered the call."""
    consult = call.consult
    return consult is not None and leg.role is LegRole.EXTERNAL and consult.aim is f.Aim.SEEK


def answered(center: Center, call: Call, leg: Leg) -> None:
    """The consulted is there, in nobody's talk yet."""
    if call.wait is not None:
        offers.leave_line(center, call, f.QueueExit.ANSWERED)
    center.emit(f.ConsultAnswered(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id, agent=leg.agent))
    pairing.aim(center, call, f.Aim.CONSULT)


def not_reached(center: Center, call: Call, detail: str = "no_answer") -> None:
    turn_back(center, call, f.ConsultEnd.NOT_REACHED, detail)


def not_answered(center: Center, call: Call) -> None:
    """It rang long enough."""
    not_reached(center, call)


# --- ends ----------------------------------------------------------------------------------------------------------


def turn_back(center: Center, call: Call, end: f.ConsultEnd, detail: str = "") -> None:
    """The consulted goes, the agent has the customer again."""
    consult = call.consult
    if consult is None:
        return
    _leave_line(center, call)
    if consult.leg not in call.legs:
        lose(center, call, end)
        return
    pairing.aim(center, call, f.Aim.RETURN, end=end, detail=detail)
    for leg in list(call.legs.values()):
        if leg.id not in (call.leg, consult.leg):
            center.send(offers.hang_up(leg))


def lose(center: Center, call: Call, end: f.ConsultEnd) -> None:
    """No agent is left: the head of the queue that brought them together."""
    consult = call.consult
    if consult is None:
        return
    here = pairing.in_our_hands(call, call.leg)
    _leave_line(center, call)
    center.emit(
        f.ConsultEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=consult.agent,
            leg=consult.leg,
            end=end,
            detail=consult.detail,
            deadline_ms=center.now_ms + talk.RETURN_TIMEOUT_MS,
        )
    )
    _drop_all_but_the_customer(center, call)
    states.to_wrap_up(center, consult.agent, call, consult.queue)
    recording.stop(center, call)
    if here:
        transfers.failed(center, call, str(end))
    else:
        talk.reclaim(center, call)


def take_away(center: Center, call: Call) -> None:
    """By a supervisor."""
    if call.customer_gone and call.consult is not None:
        _let_go(center, call, call.consult)
    else:
        lose(center, call, f.ConsultEnd.TAKEN_AWAY)


def phone_died(center: Center, call: Call) -> None:
    """The page that had the agent's telephone is gone: the consult is over, the customer waits for the agent."""
    consult = call.consult
    if consult is None or call.customer_gone:
        return
    here = pairing.in_our_hands(call, call.leg)
    _leave_line(center, call)
    common: dict[str, Any] = {"at_ms": center.now_ms, "tenant": call.tenant, "call": call.id}
    center.emit(f.ConsultEnded(**common, agent=consult.agent, leg=consult.leg, end=f.ConsultEnd.AGENT_LEFT))
    until_ms = center.now_ms + rejoining.REJOIN_MS
    rejoin = Rejoin(
        agent=consult.agent, queue=consult.queue, left=consult.leg, until_ms=until_ms, held=False, muted=consult.muted
    )
    rejoining.begin(center, call, rejoin)
    if (agent := center.agent(consult.agent)) is not None:
        kept_open.let_go(center, agent, HangupCause.MEDIA_TIMEOUT)  # dead with its page; it is rung anew
    _drop_all_but_the_customer(center, call)
    states.to_talking(center, consult.agent, call)
    if here:
        center.emit(f.CallReattached(**common, leg=call.leg))
    else:
        talk.reclaim(center, call)


def leg_ended(center: Center, call: Call, leg: Leg, cause: HangupCause) -> None:
    """One of those who have to do with a consult is gone."""
    consult = call.consult
    if consult is None:
        return
    if consult.asked is not None and leg.id in consult.asked:
        pairing.broken(center, call, "one of the two hung up")
    if leg.id == call.leg:
        _customer_left(center, call, consult, cause)
    elif leg.id == consult.leg:
        _agent_left(center, call, consult, cause)
    elif leg.id == consult.other:
        _other_left(center, call, consult)
    elif leg.role is LegRole.EXTERNAL and consult.aim is f.Aim.SEEK:
        not_reached(center, call, str(cause))


def _customer_left(center: Center, call: Call, consult: Consult, cause: HangupCause) -> None:
    """The other two go on if they talk, or are about to."""
    both_there = consult.other is not None and consult.leg in call.legs
    if not both_there or consult.aim is not f.Aim.CONSULT:
        closing.customer_left(center, call, cause)
    else:
        center.emit(f.CustomerLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id))


def _agent_left(center: Center, call: Call, consult: Consult, cause: HangupCause) -> None:
    if call.customer_gone:
        closing.customer_left(center, call, HangupCause.NORMAL)
    elif consult.aim is f.Aim.COMPLETE:
        states.to_wrap_up(center, consult.agent, call, consult.queue)
        pairing.pursue(center, call)  # the other two may have waited for who is gone
    elif rejoining.phone_only_died(center, consult.agent, cause):
        phone_died(center, call)
    elif cause is HangupCause.NORMAL and consult.other in call.legs and consult.aim is not f.Aim.RETURN:
        states.to_wrap_up(center, consult.agent, call, consult.queue)
        pairing.aim(center, call, f.Aim.COMPLETE)
    else:
        lose(center, call, f.ConsultEnd.AGENT_LEFT)


def _other_left(center: Center, call: Call, consult: Consult) -> None:
    if call.customer_gone:
        closing.customer_left(center, call, HangupCause.NORMAL)
    elif consult.aim is f.Aim.RETURN:
        pairing.pursue(center, call)  # the agent, who was being brought together with the other, is free again
    else:
        turn_back(center, call, f.ConsultEnd.OTHER_LEFT)


def look(center: Center) -> None:
    """After each event: can the one agent who is asked not be reached, or is the asker's page gone?"""
    for call_id in list(center.dirty_calls):
        call = center.state.calls.get(call_id)
        wanted = call.wait.wanted_agent if call is not None and call.wait is not None else None
        if call is None or call.consult is None or wanted is None or call.offer is not None:
            continue
        agent, config = center.agent(wanted), center.agent_config(wanted)
        if agent is None or config is None or not targets.is_free(center, agent, config):
            not_reached(center, call, "declined" if agent is not None and agent.reason == "declined" else "no_answer")
    for agent_id in list(center.dirty_agents):
        agent = center.agent(agent_id)
        call = center.state.calls.get(agent.call) if agent is not None and agent.call is not None else None
        if agent is not None and call is not None and call.consult is not None and call.consult.agent == agent_id:
            config = center.agent_config(agent_id)
            device = config.device if config is not None else None
            browser = device is not None and device.kind is DeviceKind.BROWSER
            if browser and device is not None and reach.is_away(center.state, device) and not agent.media_ready:
                phone_died(center, call)


# --- inside --------------------------------------------------------------------------------------------------------


def _let_go(center: Center, call: Call, consult: Consult) -> None:
    """The customer is gone, and now the agent has had enough: the consulted goes, and with it the call."""
    leg = call.legs.get(consult.leg)
    if leg is not None:
        center.send(offers.hang_up(leg))


def _leave_line(center: Center, call: Call) -> None:
    """Whoever was sought in a queue is not sought any more."""
    offers.withdraw_all(center, call, f.OfferOutcome.WITHDRAWN)
    offers.leave_line(center, call, f.QueueExit.REMOVED)


def _drop_all_but_the_customer(center: Center, call: Call) -> None:
    for leg in list(call.legs.values()):
        if leg.id != call.leg:
            center.send(offers.hang_up(leg))


# --- what does not come about --------------------------------------------------------------------------------------


def bridge_failed(center: Center, call: Call, reason: str) -> None:
    """Two who were to hear each other do not."""
    consult = call.consult
    if consult is None or consult.asked is None:
        return
    with_customer, without_agent = call.leg in consult.asked, consult.leg not in consult.asked
    pairing.broken(center, call, reason)
    if with_customer:
        talk.reclaim(center, call)
    center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))
    if call.customer_gone:
        closing.customer_left(center, call, HangupCause.NORMAL)
    elif (without_agent or not with_customer) and consult.leg in call.legs:
        turn_back(center, call, f.ConsultEnd.FAILED)
    else:
        lose(center, call, f.ConsultEnd.FAILED)


def overdue(center: Center, call: Call) -> None:
    """A bridge, a room, or somebody on the way to us did not come in time."""
    consult = call.consult
    if consult is None:
        return
    if consult.asked is not None:
        bridge_failed(center, call, "the switch did not bridge in time")
    elif consult.aim is f.Aim.MERGE:
        turn_back(center, call, f.ConsultEnd.FAILED, "no room")
    elif consult.aim is f.Aim.RETURN and center.now_ms - consult.changed_ms >= GIVE_UP_MS:
        lose(center, call, f.ConsultEnd.FAILED)
    else:
        pairing.fetch(center, call, "a leg of the consult did not come to us")
