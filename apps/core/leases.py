"""Leases: every few seconds what we believe is held against the switch, and what nothing vouches for is let go.

Events of a healthy link are not lost; but one that was must leave nobody stuck. The switch's part is cheap: the driver
compares our belief with the switch's plain list and reads it in full (``SwitchSnapshot``, see ``recovery``) only when
the two differ in two looks running. Our own part needs no switch: an agent who is in a call must be named by that
call, and a call must have a leg.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core.agents import states
from apps.core.agents.machine import IN_CALL, AgentState
from apps.core.agents.model import Agent, KeptLeg
from apps.core.calls import closing
from apps.core.calls.model import Call, CallState, Leg, LegState
from apps.core.center import Center
from apps.core.events import Event, HangupCause, LegRole
from apps.core.ids import LegId, SwitchId

LOOK_MS = 1_500
DIALED_MS = 1_000
"""A telephone that was to be dialled is mostly listed by then; two looks later at most the switch is read in full.
Whether the telephone is given up is decided by the readings (``recovery``)."""
LEASE_MS = 3_000
"""A state this old that nothing vouches for is a leftover: what comes one after another comes within milliseconds."""

_IDLE = frozenset({CallState.ARRIVED, CallState.IVR, CallState.WAITING})
_UNANSWERED = frozenset({LegState.DIALED, LegState.RINGING})


def look(center: Center, switch: SwitchId, event: Event) -> None:
    if not center.link_up(switch):
        return
    center.deadlines.set(("leases", switch), center.now_ms + LOOK_MS)
    calls = list(center.state.calls.values())
    believed = [
        _belief(center, call, leg)
        for call in calls
        for leg in call.legs.values()
        if leg.switch == switch and leg.id not in center.state.lent_legs
    ]
    lines = (line for line in center.state.kept_lines() if line.switch == switch)
    believed += [c.BelievedLeg(leg=line.leg, new=_is_new(center, line)) for line in lines]
    center.send(c.CompareLegs(switch=switch, leg=LegId(""), believed=tuple(believed)))
    for call in calls:
        if call.switch == switch:
            _without_legs(center, call, event)
    for agent in list(center.state.agents.values()):
        if agent.call is not None:
            _nothing_in_hand(center, agent, event)


def _is_new(center: Center, line: KeptLeg) -> bool:
    return line.deadline_ms is not None and center.now_ms - line.since_ms < DIALED_MS


def _belief(center: Center, call: Call, leg: Leg) -> c.BelievedLeg:
    """What is in motion is not believed to be one or the other."""
    talking = None
    if call.state is CallState.TALKING and call.bridge is not None and leg.id in (call.bridge.leg, call.bridge.other):
        talking = True
    elif call.state in _IDLE:
        talking = False
    ringing = leg.role is not LegRole.CUSTOMER and leg.state in _UNANSWERED
    new = leg.state is LegState.DIALED and center.now_ms - leg.started_ms < DIALED_MS
    ours = leg.id == call.leg and call.state in _IDLE
    return c.BelievedLeg(leg=leg.id, new=new, talking=talking, ringing=ringing, ours=ours)


def _without_legs(center: Center, call: Call, event: Event) -> None:
    """A call of which no leg is left, and which is not to call anybody: whatever went wrong, it ends now."""
    goes_on = call.legs or call.dial is not None or call.callback is not None or call.state is CallState.CLOSING
    if not goes_on and center.now_ms - call.changed_ms >= LEASE_MS:
        center.anomaly(event, call.id, call.state, "a call without a leg", call)
        closing.customer_left(center, call, HangupCause.LOST)


def _nothing_in_hand(center: Center, agent: Agent, event: Event) -> None:
    """An agent who is in a call, or offered one, that does not know of it."""
    state = states.logical(agent)
    if state not in IN_CALL | {AgentState.OFFERED} or center.now_ms - agent.since_ms < LEASE_MS:
        return
    call = center.state.calls.get(agent.call) if agent.call is not None else None
    if call is not None and _names(call, agent):
        return
    center.anomaly(event, agent.id, state, f"no call has this agent, least of all {agent.call}", call)
    if state in (AgentState.OFFERED, AgentState.DIALING):
        states.rest(center, agent)
    else:
        wrap_up_ms = states.wrap_up_of(center, agent.serves)
        states.move(center, agent.id, AgentState.WRAP_UP, call=agent.call, deadline_ms=center.now_ms + wrap_up_ms)


def _names(call: Call, agent: Agent) -> bool:
    parts = (
        call.offer, call.bridge, call.dial, call.rejoin, call.transfer, call.callback, call.consult, call.three_way,
    )  # fmt: skip
    asked = (part.other_agent for part in (call.consult, call.three_way) if part is not None)
    named = {*(part.agent for part in parts if part is not None), *asked, *(leg.agent for leg in call.legs.values())}
    return agent.id in named
