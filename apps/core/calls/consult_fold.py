"""What each fact about a consult or a three-way changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.calls.model import Call, CallState, Consult, Handover, LegState, ThreeWay
from apps.core.fold_rules import on_call
from apps.core.ids import LegId

if TYPE_CHECKING:
    from apps.core.state import State


def parted(call: Call, leg: LegId) -> None:
    """This leg is heard by nobody any more."""
    consult = call.consult
    if consult is None:
        return
    consult.in_room = tuple(one for one in consult.in_room if one != leg)
    if consult.joined is not None and leg in consult.joined:
        consult.joined = None


def all_here(call: Call) -> None:
    """Customer and agent are in our hands, and the consulted whom one of them is to hear: nothing is overdue."""
    consult = call.consult
    if consult is None or consult.asked is not None or consult.aim is f.Aim.MERGE:
        return
    other = consult.other if consult.aim in (f.Aim.CONSULT, f.Aim.COMPLETE) else None
    legs = (call.legs.get(leg) for leg in (call.leg, consult.leg, other) if leg is not None)
    if all(leg is None or leg.state is LegState.IDLE for leg in legs):
        call.deadline_ms = None


@on_call(f.ConsultStarted)
def _consult_started(state: State, call: Call, fact: f.ConsultStarted) -> None:
    call.consult = Consult(
        agent=fact.agent, leg=fact.leg, queue=fact.queue, kind=fact.kind, target=fact.target, muted=fact.muted,
        changed_ms=fact.at_ms,
    )  # fmt: skip
    call.handover = Handover(agent=fact.agent, note=fact.note)
    call.bridge = None
    call.move(CallState.CONSULTING, fact.at_ms, fact.deadline_ms)


@on_call(f.ConsultAnswered)
def _consult_answered(state: State, call: Call, fact: f.ConsultAnswered) -> None:
    if call.consult is not None:
        call.consult.other, call.consult.other_agent, call.consult.ring_until_ms = fact.leg, fact.agent, None


@on_call(f.ConsultAimed)
def _consult_aimed(state: State, call: Call, fact: f.ConsultAimed) -> None:
    consult = call.consult
    if consult is None:
        return
    consult.aim, consult.changed_ms, consult.gathering = fact.aim, fact.at_ms, False
    consult.end, consult.detail, consult.ring_until_ms = fact.end, fact.detail, None
    call.deadline_ms = fact.deadline_ms


@on_call(f.PairAsked)
def _pair_asked(state: State, call: Call, fact: f.PairAsked) -> None:
    if call.consult is not None:
        call.consult.asked, call.consult.changed_ms = (fact.leg, fact.other), fact.at_ms
        call.deadline_ms = fact.deadline_ms


@on_call(f.PairBridged)
def _pair_bridged(state: State, call: Call, fact: f.PairBridged) -> None:
    consult = call.consult
    if consult is None:
        return
    consult.asked, consult.joined, consult.changed_ms = None, (fact.leg, fact.other), fact.at_ms
    for mine, peer in ((fact.leg, fact.other), (fact.other, fact.leg)):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.BRIDGED, peer
    if consult.aim in (f.Aim.CONSULT, f.Aim.CUSTOMER):  # else it is but a step on the way
        call.deadline_ms = None


@on_call(f.PairFailed)
def _pair_failed(state: State, call: Call, fact: f.PairFailed) -> None:
    """Where the two are is not known; a customer among them is fetched, and is ours when it comes."""
    if call.consult is None:
        return
    call.consult.asked = call.consult.joined = None
    call.consult.changed_ms = fact.at_ms
    customer = call.legs.get(call.leg)
    if customer is not None and call.leg in (fact.leg, fact.other):
        customer.state, customer.other = LegState.BRIDGED, None


@on_call(f.ConsultEnded)
def _consult_ended(state: State, call: Call, fact: f.ConsultEnded) -> None:
    call.consult = None
    if fact.deadline_ms is not None:
        call.bridge_lost = True
        call.move(CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@on_call(f.RoomAsked)
def _room_asked(state: State, call: Call, fact: f.RoomAsked) -> None:
    if call.consult is not None:
        call.consult.gathering, call.consult.joined, call.consult.in_room = True, None, ()
        call.consult.changed_ms = fact.at_ms
        call.deadline_ms = fact.deadline_ms


@on_call(f.RoomJoined)
def _room_joined(state: State, call: Call, fact: f.RoomJoined) -> None:
    if call.consult is not None and fact.leg not in call.consult.in_room:
        call.consult.in_room = (*call.consult.in_room, fact.leg)


@on_call(f.ThreeWayBegan)
def _three_way_began(state: State, call: Call, fact: f.ThreeWayBegan) -> None:
    call.three_way = ThreeWay(
        room=fact.room, agent=fact.agent, leg=fact.leg, other=fact.other, other_agent=fact.other_agent,
        queue=fact.queue, kind=fact.kind, target=fact.target, muted=fact.muted, since_ms=fact.at_ms,
    )  # fmt: skip
    call.consult = None
    for leg in call.legs.values():
        leg.state, leg.other = LegState.BRIDGED, None
    call.move(CallState.CONFERENCING, fact.at_ms)


@on_call(f.CustomerLeft)
@on_call(f.ThreeWayLeft)
def _one_left(state: State, call: Call, fact: f.CustomerLeft | f.ThreeWayLeft) -> None:
    """The legs that are left say who is still in it."""


@on_call(f.ThreeWayEnded)
def _three_way_ended(state: State, call: Call, fact: f.ThreeWayEnded) -> None:
    call.three_way = None
