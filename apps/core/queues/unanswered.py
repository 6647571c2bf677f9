"""An offer that came to nothing: whose doing that was, and what becomes of the agent. The caller keeps the place."""

from __future__ import annotations

from enum import StrEnum

from apps.core import facts as f
from apps.core.agents import kept_open, states
from apps.core.agents.machine import AgentState
from apps.core.agents.model import Agent
from apps.core.calls.model import Call, Leg, LegState, Offer
from apps.core.center import Center
from apps.core.events import HangupCause, LegRole
from apps.core.ids import AgentId
from apps.core.queues import offers
from apps.core.texts import LONGEST_RAW


class Doing(StrEnum):
    """Whose doing it was that an agent's telephone was not answered."""

    MISSED = "missed"  # it rang and nobody came, or it is not there: NOT_RESPONDING until a human says otherwise
    DECLINED = "declined"  # somebody said no: PAUSED
    DEVICE = "device"  # its address, account or codec can never work: for an administrator
    SWITCH = "switch"  # the switch, or the way to the telephone, could not do it just now


DOING: dict[HangupCause, Doing] = {
    HangupCause.NO_ANSWER: Doing.MISSED,
    HangupCause.NOT_REGISTERED: Doing.MISSED,
    HangupCause.NORMAL: Doing.MISSED,  # picked up and put down again before anybody was connected
    HangupCause.MEDIA_TIMEOUT: Doing.MISSED,
    HangupCause.BUSY: Doing.DECLINED,
    HangupCause.REJECTED: Doing.DECLINED,
    HangupCause.UNALLOCATED: Doing.DEVICE,
    HangupCause.INVALID: Doing.DEVICE,
    HangupCause.UNREACHABLE: Doing.SWITCH,
    HangupCause.CONGESTION: Doing.SWITCH,
    HangupCause.CANCELLED: Doing.SWITCH,  # not by us: we end the offer before we cancel
    HangupCause.ANSWERED_ELSEWHERE: Doing.SWITCH,
    HangupCause.LOST: Doing.SWITCH,
    HangupCause.ERROR: Doing.SWITCH,
}

_OUTCOMES: dict[HangupCause, f.OfferOutcome] = {
    HangupCause.NO_ANSWER: f.OfferOutcome.NO_ANSWER,
    HangupCause.BUSY: f.OfferOutcome.DECLINED,
    HangupCause.REJECTED: f.OfferOutcome.DECLINED,
}

FIRST_BACK_OFF_MS = 2_000
LONGEST_BACK_OFF_MS = 60_000
"""An agent who cannot be rung is offered again after the first, then after twice that, up to the longest."""


def leg_ended(center: Center, call: Call, leg: Leg, cause: HangupCause, raw: str) -> None:
    """The agent's leg ended before it was connected."""
    offer = call.offers[leg.id]
    offers.end_offer(center, call, offer, _OUTCOMES.get(cause, f.OfferOutcome.FAILED), cause)
    agent = center.agent(offer.agent)
    if agent is None:
        return
    doing = DOING[cause]
    if cause is HangupCause.LOST or not center.link_up(leg.switch):
        # Our link or the switch failed: the snapshot to come tells what can be rung.
        states.free(center, agent.id, call, to_the_end=True)
    elif leg.lent is not None:
        turn_away(center, agent.id, AgentState.PAUSED, kept_open.LOST)
    elif doing is Doing.DECLINED:
        turn_away(center, agent.id, AgentState.PAUSED, "declined")
    elif cause is HangupCause.NO_ANSWER:
        _missed(center, call, agent)
    elif doing is Doing.MISSED:
        turn_away(center, agent.id, AgentState.NOT_RESPONDING, str(cause))
    else:
        _could_not_ring(center, call, leg, agent, cause, raw)


def _could_not_ring(center: Center, call: Call, leg: Leg, agent: Agent, cause: HangupCause, raw: str) -> None:
    """No fault of the agent's: READY at the end of the line, but for a little while not offered to."""
    detail = f"the telephone {leg.address} could not be rung: {cause}" + (f" ({raw[:LONGEST_RAW]})" if raw else "")
    if DOING[cause] is Doing.DEVICE:
        center.alarm("device_invalid", agent.id, detail, call.tenant)
    else:
        center.alarm("offers_refused", leg.switch, detail)
    back_off_ms = min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS << min(agent.not_rung, 10))
    center.emit(
        f.OffersSuspended(
            at_ms=center.now_ms,
            tenant=agent.tenant,
            agent=agent.id,
            until_ms=center.now_ms + back_off_ms,
            cause=cause,
            raw=raw[:LONGEST_RAW],
        )
    )
    states.free(center, agent.id, call, to_the_end=True)


def rung(center: Center, leg: Leg) -> None:
    """An agent's telephone was answered: it can be rung, and this switch can ring."""
    if leg.role is LegRole.AGENT and leg.agent is not None:
        center.clear_alarm("device_invalid", leg.agent)
        center.clear_alarm("offers_refused", leg.switch)


def _missed(center: Center, call: Call, agent: Agent) -> None:
    """It rang and nobody came. Once too often in a row: no more calls until a human says so."""
    tenant = center.state.config.tenants.get(agent.tenant)
    if tenant is not None and agent.missed < tenant.missed_limit:
        states.free(center, agent.id, call, to_the_end=True)
    else:
        turn_away(center, agent.id, AgentState.NOT_RESPONDING, "no_answer")


def turn_away(center: Center, agent_id: AgentId, state: AgentState, reason: str) -> None:
    """Who wished to sign out or to pause after this call gets that wish instead."""
    agent = center.state.agents[agent_id]
    if agent.next_state in (AgentState.LOGGED_OUT, AgentState.PAUSED):
        states.rest(center, agent)
    else:
        states.move(center, agent_id, state, reason=reason, keep_next=False)


def decline(center: Center, call: Call, offer: Offer) -> None:
    """The agent said no: the caller keeps the place, the agent pauses."""
    offers.cancel_leg(center, call, offer.leg)
    offers.end_offer(center, call, offer, f.OfferOutcome.DECLINED)
    turn_away(center, offer.agent, AgentState.PAUSED, "declined")


def overdue(center: Center, call: Call, offer: Offer) -> None:
    """Neither an answer nor a failure came in time: the switch did not do its part, or could not tell us.

    Only a telephone that we know to have rung was missed.
    """
    leg = call.legs.get(offer.leg)
    agent = center.agent(offer.agent)
    offers.cancel_leg(center, call, offer.leg)
    if leg is None or agent is None or not center.link_up(leg.switch):
        offers.end_offer(center, call, offer, f.OfferOutcome.WITHDRAWN)
        states.free(center, offer.agent, call, to_the_end=True)
    elif leg.state is LegState.DIALED:
        offers.end_offer(center, call, offer, f.OfferOutcome.FAILED, HangupCause.UNREACHABLE)
        _could_not_ring(center, call, leg, agent, HangupCause.UNREACHABLE, "")
    else:
        offers.end_offer(center, call, offer, f.OfferOutcome.NO_ANSWER, HangupCause.NO_ANSWER)
        _missed(center, call, agent)
