"""Three together: the customer, the agent who consulted, and the consulted. When one leaves, the two others go on.

With the customer among the two they are bridged again, so that all that holds for a talk holds for them; without, the
two stay in the room until one hangs up, and then the call is over.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.machine import AgentState
from apps.core.calls import closing, recording, talk
from apps.core.calls.model import Call, Consult, Leg, ThreeWay
from apps.core.center import Center
from apps.core.events import HangupCause
from apps.core.queues import offers


def begin(center: Center, call: Call, consult: Consult) -> None:
    """All three are in the room."""
    assert consult.other is not None
    center.emit(
        f.ConsultEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=consult.agent,
            leg=consult.leg,
            end=f.ConsultEnd.MERGED,
        )
    )
    center.emit(
        f.ThreeWayBegan(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            room=call.id,
            agent=consult.agent,
            leg=consult.leg,
            other=consult.other,
            other_agent=consult.other_agent,
            queue=consult.queue,
            kind=consult.kind,
            target=consult.target,
            muted=consult.muted,
        )
    )
    for agent in (consult.agent, consult.other_agent):
        if agent is not None:
            states.move(center, agent, AgentState.CONFERENCING, call=call.id)
    if consult.muted:
        center.send(c.MuteLeg(switch=call.switch, leg=consult.leg))


def leg_ended(center: Center, call: Call, leg: Leg) -> None:
    """One has left: by hanging up, or because the other agent sent them away."""
    room = call.three_way
    if room is None:
        return
    center.emit(f.ThreeWayLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg.id, agent=leg.agent))
    if leg.agent is not None:
        states.to_wrap_up(center, leg.agent, call, room.queue_of(leg))
    others = [one for one in call.legs.values() if one.id in (call.leg, room.leg, room.other)]
    if call.customer_gone and len(others) < 2:
        closing.customer_left(center, call, HangupCause.NORMAL)
    elif call.customer_gone:
        center.emit(f.CustomerLeft(at_ms=center.now_ms, tenant=call.tenant, call=call.id))
    else:
        _two_go_on(center, call, room, next((one for one in others if one.id != call.leg), None))


def _two_go_on(center: Center, call: Call, room: ThreeWay, far: Leg | None) -> None:
    _end(center, call, room)
    if far is not None:
        talk.request_bridge(center, call, far.id, goes_on=True)
    else:
        recording.stop(center, call)
        center.emit(
            f.BridgeLost(
                at_ms=center.now_ms,
                tenant=call.tenant,
                call=call.id,
                leg=room.leg,
                other=call.leg,
                reason="everybody else has left the room",
                deadline_ms=center.now_ms + talk.RETURN_TIMEOUT_MS,
            )
        )
        talk.reclaim(center, call)


def customer_came(center: Center, call: Call) -> None:
    """Out of the room and back to us, though nobody asked: the switch has closed it."""
    room = call.three_way
    if room is None:
        return
    far = call.legs.get(room.leg) or call.legs.get(room.other)
    third = call.legs.get(room.other) if far is not None and far.id == room.leg else None
    if third is not None:
        center.send(offers.hang_up(third))
    _two_go_on(center, call, room, far)


def rejoin_room(center: Center, call: Call, leg: Leg) -> None:
    """The switch lists this leg as idle, while the others are in the room."""
    if call.three_way is not None:
        center.send(c.JoinRoom(switch=leg.switch, leg=leg.id, room=call.three_way.room))


def _end(center: Center, call: Call, room: ThreeWay) -> None:
    center.emit(
        f.ThreeWayEnded(at_ms=center.now_ms, tenant=call.tenant, call=call.id, talked_ms=center.now_ms - room.since_ms)
    )
