"""What agents ask for about the call they are offered or talk on."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import attended, states
from apps.core.agents.attended import NOT_YOURS, outdated, own_call
from apps.core.agents.desk import on, wrong_state
from apps.core.agents.machine import IN_CALL, AgentState
from apps.core.agents.model import Agent
from apps.core.calls import consulting, dialing, recording, rejoining, targets, transfers
from apps.core.calls.model import Call, CallState, Leg, LegState, Offer
from apps.core.center import Center
from apps.core.queues import offers, unanswered
from apps.core.refusals import STALE, Refusal
from apps.core.texts import LONGEST_HANDOVER, TONES


def _offered(center: Center, agent: Agent, event: e.CallRequest) -> tuple[Call | None, Offer | None, Refusal | None]:
    """The agent's call and its offer, or why there is none. Offers of it to others do not make this one stale."""
    call = center.state.calls.get(event.call)
    if call is None or call.tenant != agent.tenant or agent.call != event.call:
        return None, None, NOT_YOURS
    offer = call.offer_to(agent.id)
    if offer is None or (event.version is not None and event.version < offer.version):
        return None, None, STALE
    return call, offer, None


def _talking(center: Center, agent: Agent, event: e.CallRequest) -> tuple[Call | None, Leg | None, Refusal | None]:
    """The agent's call and leg while talking, or why there is none."""
    call = own_call(center, agent, event)
    if call is None:
        return None, None, NOT_YOURS
    if outdated(event, call):
        return None, None, STALE
    leg = call.legs.get(call.bridge.leg) if call.bridge else None
    if call.state is not CallState.TALKING or leg is None or leg.agent != agent.id:
        return None, None, wrong_state(agent)
    return call, leg, None


def _heard(center: Center, agent: Agent, event: e.CallRequest) -> tuple[Call | None, Leg | None, Refusal | None]:
    """The same, and also in a consult of the agent's own, or in a three-way that came of it."""
    call = own_call(center, agent, event)
    part = (call.consult or call.three_way) if call is not None else None
    if call is None or part is None:
        return _talking(center, agent, event)
    if outdated(event, call):
        return None, None, STALE
    leg = call.legs.get(part.leg)
    if part.agent != agent.id or leg is None or leg.state is not LegState.BRIDGED:
        return None, None, wrong_state(agent)
    return call, leg, None


@on(e.OfferAcknowledged)
def _acknowledge(center: Center, agent: Agent, event: e.OfferAcknowledged) -> Refusal | None:
    call, offer, refusal = _offered(center, agent, event)
    if call is None or offer is None:
        return refusal
    if event.live:
        offers.acknowledge(center, call, offer)
    elif offer.ack_deadline_ms is not None:
        offers.not_acknowledged(center, call, offer)
    return None


@on(e.AnswerRequested)
def _answer_offer(center: Center, agent: Agent, event: e.AnswerRequested) -> Refusal | None:
    call, offer, refusal = _offered(center, agent, event)
    if call is not None and offer is not None and offer.leg in call.legs:
        leg = call.legs[offer.leg]
        if leg.state is LegState.DIALED:  # a telephone that the call has not reached cannot be told to pick up
            center.emit(
                f.AnswerAsked(at_ms=center.now_ms, tenant=call.tenant, call=call.id, agent=agent.id, leg=leg.id)
            )
        # Sent all the same: some telephones ring and never say so.
        center.send(c.AnswerDevice(switch=leg.switch, leg=leg.id))
    return refusal


@on(e.DeclineRequested)
def _decline_offer(center: Center, agent: Agent, event: e.DeclineRequested) -> Refusal | None:
    call, offer, refusal = _offered(center, agent, event)
    if call is None or offer is None:
        return refusal
    config, queue = center.agent_config(agent.id), center.queue_config(offer.queue)
    if not (config is not None and config.may_decline and queue is not None and queue.may_decline):
        return Refusal("not_permitted", "you may not decline calls of this queue")
    unanswered.decline(center, call, offer)
    return None


@on(e.HangUpRequested)
def _hang_up(center: Center, agent: Agent, event: e.HangUpRequested) -> Refusal | None:
    own = own_call(center, agent, event)
    if own is not None and outdated(event, own):
        return STALE
    if own is not None and own.dial is not None and own.state is CallState.DIALING:
        dialing.cancel(center, own)
        return None
    if own is not None and own.rejoin is not None and own.state is CallState.REJOINING:
        rejoining.give_up(center, own, f.RejoinEnd.HUNG_UP)
        return None
    if own is not None and (own.consult is not None or own.three_way is not None):
        return attended.hang_up(center, own, agent)
    _call, leg, refusal = _talking(center, agent, event)
    if leg is not None:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))
    return refusal


@on(e.RejoinRequested)
def _rejoin(center: Center, agent: Agent, event: e.RejoinRequested) -> Refusal | None:
    call = own_call(center, agent, event)
    if call is None:
        return NOT_YOURS
    if call.consult is not None and call.consult.agent == agent.id:
        consulting.phone_died(center, call)
    waits = call.rejoin is not None and call.rejoin.agent == agent.id
    if not waits and not rejoining.talks(call, agent.id):
        return wrong_state(agent)
    return rejoining.ask(center, agent, call)


@on(e.HelpRequested)
def _help(center: Center, agent: Agent, event: e.HelpRequested) -> Refusal | None:
    """An alarm for who leads the floor, until the agent says so or is done with the call."""
    if agent.call != event.call:
        return NOT_YOURS
    if event.wanted and states.logical(agent) not in IN_CALL | {AgentState.WRAP_UP}:
        return wrong_state(agent)
    if event.wanted:
        config = center.agent_config(agent.id)
        center.alarm(states.HELP, agent.id, config.name if config is not None else agent.id, agent.tenant)
    else:
        center.clear_alarm(states.HELP, agent.id)
    return None


@on(e.CallMarkRequested)
def _mark(center: Center, agent: Agent, event: e.CallMarkRequested) -> Refusal | None:
    """Also in wrap-up, when the call itself may be history."""
    if agent.call != event.call:
        return NOT_YOURS
    if states.logical(agent) not in IN_CALL | {AgentState.WRAP_UP}:
        return wrong_state(agent)
    center.emit(f.CallMarked(at_ms=center.now_ms, tenant=agent.tenant, call=event.call, agent=agent.id))
    return None


@on(e.HoldRequested)
def _hold(center: Center, agent: Agent, event: e.HoldRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is not None and leg is not None and call.bridge is not None:
        if call.bridge.held_ms is not None:
            return wrong_state(agent)
        center.send(c.HoldLeg(switch=leg.switch, leg=leg.id, music=offers.music_of(center, call)))
    return refusal


@on(e.ResumeRequested)
def _resume(center: Center, agent: Agent, event: e.ResumeRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is not None and leg is not None and call.bridge is not None:
        if call.bridge.held_ms is None:
            return wrong_state(agent)
        center.send(c.UnholdLeg(switch=leg.switch, leg=leg.id))
    return refusal


@on(e.MuteRequested)
def _mute(center: Center, agent: Agent, event: e.MuteRequested) -> Refusal | None:
    call, leg, refusal = _heard(center, agent, event)
    part = (call.bridge or call.consult or call.three_way) if call is not None else None
    if leg is not None and part is not None:
        if part.muted:
            return wrong_state(agent)
        center.send(c.MuteLeg(switch=leg.switch, leg=leg.id))
    return refusal


@on(e.UnmuteRequested)
def _unmute(center: Center, agent: Agent, event: e.UnmuteRequested) -> Refusal | None:
    """Also when we do not believe it muted: should the switch have muted it unheard, nobody would hear the agent."""
    _call, leg, refusal = _heard(center, agent, event)
    if leg is not None:
        center.send(c.UnmuteLeg(switch=leg.switch, leg=leg.id))
    return refusal


@on(e.DigitsRequested)
def _send_digits(center: Center, agent: Agent, event: e.DigitsRequested) -> Refusal | None:
    call, leg, refusal = _heard(center, agent, event)
    if call is None or leg is None:
        return refusal
    far = call.leg if leg.other is None else leg.other
    if not TONES.fullmatch(event.digits):
        return Refusal("malformed", "1 to 32 of 0-9 * # A-D")
    if call.three_way is not None or (call.bridge is not None and call.bridge.held_ms is not None):
        return wrong_state(agent)
    center.send(c.SendDigits(switch=call.switch, leg=far, digits=event.digits))
    center.emit(
        f.DigitsSent(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=agent.id,
            leg=far,
            count=len(event.digits),
        )
    )
    return None


@on(e.RecordingPauseRequested)
def _pause_recording(center: Center, agent: Agent, event: e.RecordingPauseRequested) -> Refusal | None:
    call, _leg, refusal = _heard(center, agent, event)
    if call is None:
        return refusal
    if call.recording is None or not call.recording.started:
        return Refusal("not_recording", "this talk is not recorded")
    if call.recording.masked_ms is not None:
        return wrong_state(agent)
    recording.pause(center, call, agent.id)
    return None


@on(e.RecordingResumeRequested)
def _resume_recording(center: Center, agent: Agent, event: e.RecordingResumeRequested) -> Refusal | None:
    call, _leg, refusal = _heard(center, agent, event)
    if call is None:
        return refusal
    if call.recording is None or call.recording.mask_until_ms is None:
        return Refusal("not_recording", "no recording is paused")
    recording.resume(center, call)
    return None


@on(e.TransferRequested)
def _transfer(center: Center, agent: Agent, event: e.TransferRequested) -> Refusal | None:
    call, leg, refusal = _talking(center, agent, event)
    if call is None or leg is None:
        return refusal
    if call.transfer is not None:
        return Refusal("wrong_state", "a transfer is already under way")
    problem = targets.problem(center, call, agent.id, event.kind, event.target)
    if problem is None:
        transfers.start(center, call, agent.id, event.kind, event.target, note=event.note[:LONGEST_HANDOVER])
    return problem
