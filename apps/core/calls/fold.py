"""What each fact about a call, its legs and its way through a flow changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.agents import kept_fold
from apps.core.callbacks.model import CallbackState
from apps.core.calls.consult_fold import all_here, parted
from apps.core.calls.model import (
    Call,
    CallState,
    IvrRun,
    Leg,
    LegState,
    PathStep,
)
from apps.core.events import LegRole
from apps.core.fold_rules import on, on_call
from apps.core.ids import TrunkId

if TYPE_CHECKING:
    from apps.core.state import State

LONGEST_PATH = 30
"""Steps of a menu that are kept for the agent; history has them all."""


# --- calls ---------------------------------------------------------------------------------------------------------


@on(f.CallStarted)
def _call_started(state: State, fact: f.CallStarted) -> None:
    call = Call(
        id=fact.call, tenant=fact.tenant, switch=fact.switch, leg=fact.leg, direction=fact.direction,
        did=fact.did, caller_number=fact.caller_number, caller_name=fact.caller_name, trunk=fact.trunk,
        state=CallState.ARRIVED, since_ms=fact.at_ms, started_ms=fact.at_ms, answered=fact.answered,
        customer=fact.customer, attached=fact.attached,
    )  # fmt: skip
    state.calls[fact.call] = call
    if fact.direction is f.Direction.INBOUND:
        call.legs[fact.leg] = Leg(
            id=fact.leg, switch=fact.switch, role=LegRole.CUSTOMER, address=fact.caller_number,
            state=LegState.IDLE, started_ms=fact.at_ms, answered_ms=fact.at_ms if fact.answered else None,
            trunk=_came_in_by(state, fact),
        )  # fmt: skip
        state.legs[fact.leg] = fact.call


def _came_in_by(state: State, fact: f.CallStarted) -> TrunkId | None:
    trunks = state.config.trunks.values()
    return next((one.id for one in trunks if one.switch == fact.switch and one.gateway == fact.trunk), None)


@on_call(f.CallAnswered)
def _call_answered(state: State, call: Call, fact: f.CallAnswered) -> None:
    call.answered = True
    leg = call.legs.get(call.leg)
    if leg is not None and leg.answered_ms is None:
        leg.answered_ms = fact.at_ms


@on_call(f.CallReattached)
def _call_reattached(state: State, call: Call, fact: f.CallReattached) -> None:
    if call.state is CallState.RETURNING:
        call.deadline_ms = None
    parted(call, fact.leg)
    if call.rejoin is not None:
        call.rejoin.customer_here = True
        if call.state is CallState.REJOINING:
            call.deadline_ms = call.rejoin.until_ms
    if call.wait is not None:
        call.wait.play = None  # whatever was being said was cut off
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state, leg.other = LegState.IDLE, None
    all_here(call)


@on_call(f.CallAwaited)
def _call_awaited(state: State, call: Call, fact: f.CallAwaited) -> None:
    call.deadline_ms = fact.deadline_ms


@on_call(f.CallClosing)
def _call_closing(state: State, call: Call, fact: f.CallClosing) -> None:
    call.outcome, call.cause, call.last_words = fact.outcome, fact.cause, fact.play
    call.bridge = call.rejoin = call.dialog = call.consult = call.three_way = None
    call.move(CallState.CLOSING, fact.at_ms, fact.deadline_ms)


@on_call(f.CallEnded)
def _call_ended(state: State, call: Call, fact: f.CallEnded) -> None:
    del state.calls[call.id]
    for leg in call.legs.values():
        state.legs.pop(leg.id, None)
        kept_fold.back(state, leg.id)
        _put_down(state, leg)


# --- legs ----------------------------------------------------------------------------------------------------------


@on_call(f.LegStarted)
def _leg_started(state: State, call: Call, fact: f.LegStarted) -> None:
    answered = fact.lent is not None
    call.legs[fact.leg] = Leg(
        id=fact.leg, switch=fact.switch, role=fact.role, address=fact.address,
        state=LegState.IDLE if answered else LegState.DIALED, started_ms=fact.at_ms, agent=fact.agent,
        queue=fact.queue, trunk=fact.trunk, answered_ms=fact.at_ms if answered else None,
        lent=fact.lent, phone_of=fact.phone_of,
    )  # fmt: skip
    state.legs[fact.leg] = call.id
    if fact.phone_of in state.agents:
        state.agents[fact.phone_of].on_phone.append(fact.leg)
    if fact.lent is not None:
        kept_fold.lent(state, fact.lent, fact.leg)
    if fact.role is LegRole.EXTERNAL:
        call.dialed = fact.leg
    if call.consult is not None:
        call.consult.ring_until_ms = fact.deadline_ms
    elif fact.role is not LegRole.AGENT:
        call.move(CallState.DIALING, fact.at_ms, fact.deadline_ms)


@on_call(f.LegRang)
def _leg_rang(state: State, call: Call, fact: f.LegRang) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state = LegState.RINGING


@on_call(f.LegConnected)
def _leg_connected(state: State, call: Call, fact: f.LegConnected) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state = LegState.ANSWERED
        leg.answered_ms = fact.at_ms


@on_call(f.LegIdled)
def _leg_idled(state: State, call: Call, fact: f.LegIdled) -> None:
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state, leg.other = LegState.IDLE, None
        if leg.answered_ms is None:
            leg.answered_ms = fact.at_ms
    parted(call, fact.leg)
    all_here(call)


@on_call(f.LegEnded)
def _leg_ended(state: State, call: Call, fact: f.LegEnded) -> None:
    parted(call, fact.leg)
    leg = call.legs.pop(fact.leg, None)
    if leg is not None:
        _put_down(state, leg)
    state.legs.pop(fact.leg, None)
    callback = call.callback
    if callback is not None and callback.state is CallbackState.LEAVING and fact.leg == call.leg:
        callback.state = CallbackState.BOOKED
        call.deadline_ms = None
    kept_fold.back(state, fact.leg)


def _put_down(state: State, leg: Leg) -> None:
    agent = state.agents.get(leg.phone_of) if leg.phone_of is not None else None
    if agent is not None:
        agent.on_phone = [one for one in agent.on_phone if one != leg.id]


# --- IVR -----------------------------------------------------------------------------------------------------------


@on_call(f.IvrEntered)
def _ivr_entered(state: State, call: Call, fact: f.IvrEntered) -> None:
    call.ivr = IvrRun(flow=fact.flow, version=fact.version, position=None)
    call.lang = fact.lang
    call.overflow_path, call.dialog = [], None
    call.move(CallState.IVR, fact.at_ms)


@on_call(f.IvrStepped)
def _ivr_stepped(state: State, call: Call, fact: f.IvrStepped) -> None:
    if call.ivr is not None:
        call.ivr.position = fact.position
        call.lang = fact.position.lang
    if fact.port and len(call.path) < LONGEST_PATH:
        call.path.append(PathStep(node=fact.node, digits=fact.digits, at_ms=fact.at_ms))


@on_call(f.IvrLeft)
def _ivr_left(state: State, call: Call, fact: f.IvrLeft) -> None:
    if call.ivr is not None:
        call.ivr.position = None
