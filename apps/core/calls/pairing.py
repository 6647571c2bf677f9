"""Who hears whom in a consult: asks the switch for what is wanted as soon as the legs are there, and hears the outcome.

``aim`` names a pair of the three legs; ``pursue`` brings it about, after whatever event. So it does not matter in which
order customer, agent and consulted come to be free, nor whether the engine was restarted in between.
"""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.agents import states
from apps.core.agents.machine import AgentState
from apps.core.calls import conferencing, talk
from apps.core.calls.model import Call, Consult, Leg, LegState
from apps.core.center import Center
from apps.core.events import TransferKind
from apps.core.ids import LegId, QueueId
from apps.core.queues import offers
from apps.core.texts import LONGEST_DETAIL

IDLE_MS = 900_000
"""So long a telephone may hear music in a consult before the switch ends it, should nobody of us be there to do so."""
MERGE_MS = 3_000


def part(center: Center, call: Call) -> None:
    consult = call.consult
    if consult is not None:
        center.send(c.PartLegs(switch=call.switch, leg=consult.leg, other=call.leg, idle_timeout_ms=IDLE_MS))


def aim(center: Center, call: Call, at: f.Aim, *, end: f.ConsultEnd | None = None, detail: str = "") -> None:
    center.emit(
        f.ConsultAimed(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            aim=at,
            deadline_ms=center.now_ms + (MERGE_MS if at is f.Aim.MERGE else talk.RETURN_TIMEOUT_MS),
            end=end,
            detail=detail,
        )
    )
    pursue(center, call)


def pursue(center: Center, call: Call) -> None:
    """Ask for those who are wanted, unless they are together, asked for, or not all within reach."""
    consult = call.consult
    if consult is None or consult.asked is not None:
        return
    if consult.aim is f.Aim.MERGE:
        _gather(center, call, consult)
    elif (pair := _pair(call, consult)) is not None:
        _bring_together(center, call, consult, pair)


def _bring_together(center: Center, call: Call, consult: Consult, pair: tuple[LegId, LegId]) -> None:
    if consult.joined is not None and set(consult.joined) == set(pair):
        _arrived(center, call, consult, pair)
    elif all(in_our_hands(call, leg) for leg in pair):
        _ask(center, call, consult, pair)


def _pair(call: Call, consult: Consult) -> tuple[LegId, LegId] | None:
    """The far leg first. Of the agent and the consulted the agent's, who is the one to be kept (freeswitch.md 4)."""
    if consult.aim is f.Aim.CONSULT and consult.other is not None:
        return consult.leg, consult.other
    if consult.aim in (f.Aim.CUSTOMER, f.Aim.RETURN):
        return consult.leg, call.leg
    if consult.aim is f.Aim.COMPLETE and consult.other is not None:
        return consult.other, call.leg
    return None


def in_our_hands(call: Call, leg_id: LegId) -> bool:
    """Idle, or with one of the others: the switch takes it out of that."""
    leg, consult = call.legs.get(leg_id), call.consult
    if leg is None or consult is None:
        return False
    return leg.state is LegState.IDLE or leg_id in (consult.joined or ()) or leg_id in consult.in_room


def _ask(center: Center, call: Call, consult: Consult, pair: tuple[LegId, LegId]) -> None:
    leg, other = pair
    center.emit(
        f.PairAsked(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=leg,
            other=other,
            deadline_ms=center.now_ms + talk.BRIDGE_TIMEOUT_MS,
        )
    )
    last = consult.aim in (f.Aim.COMPLETE, f.Aim.RETURN)
    idle_ms = talk.IDLE_TIMEOUT_MS if last else IDLE_MS
    center.send(c.BridgeLegs(switch=call.switch, leg=leg, other=other, keep=True, idle_timeout_ms=idle_ms))


# --- what the switch reports ---------------------------------------------------------------------------------------


def bridged(center: Center, call: Call, leg: LegId, other: LegId) -> None:
    consult = call.consult
    if consult is None or consult.asked is None or {leg, other} != set(consult.asked):
        return
    pair = consult.asked
    center.emit(
        f.PairBridged(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            leg=pair[0],
            other=pair[1],
            with_customer=call.leg in pair,
        )
    )
    far = call.legs.get(consult.other) if consult.other is not None else None
    if far is not None and far.agent is not None and far.id in pair:
        agent = center.agent(far.agent)
        if agent is not None and states.logical(agent) is AgentState.OFFERED:
            states.to_talking(center, far.agent, call)
    if consult.muted and consult.leg in pair:  # bridged anew: the switch has forgotten it
        center.send(c.MuteLeg(switch=call.switch, leg=consult.leg))
    pursue(center, call)


def _arrived(center: Center, call: Call, consult: Consult, pair: tuple[LegId, LegId]) -> None:
    """Those who are wanted are together. With the last two of them the consult is over."""
    if consult.aim not in (f.Aim.COMPLETE, f.Aim.RETURN):
        return
    completed = consult.aim is f.Aim.COMPLETE
    far = call.legs[pair[0]]
    center.emit(
        f.ConsultEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            agent=consult.agent,
            leg=consult.leg,
            end=f.ConsultEnd.COMPLETED if completed else consult.end or f.ConsultEnd.FAILED,
            detail=consult.detail,
        )
    )
    talk.bridged(center, call, far, goes_on=True)
    if completed:
        states.to_wrap_up(center, consult.agent, call, consult.queue)
        if (leg := call.legs.get(consult.leg)) is not None:
            center.send(offers.hang_up(leg))
    elif consult.muted:
        center.send(c.MuteLeg(switch=far.switch, leg=far.id))


def parked(center: Center, call: Call, leg: Leg) -> None:
    """The agent's or the consulted's leg is idle: on to the next, or something to hear meanwhile."""
    consult = call.consult
    if consult is None:
        return
    pursue(center, call)
    if call.consult is consult and leg.state is LegState.IDLE and not _on_its_way(consult, leg.id):
        sound(center, call, leg)


def customer_came(center: Center, call: Call) -> None:
    """The customer's leg is idle in our hands."""
    consult = call.consult
    if consult is None:
        return
    if consult.asked is not None and call.leg in consult.asked:
        broken(center, call, "the customer came back instead")
        customer = call.legs[call.leg]
        center.emit(f.CallReattached(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=customer.id))
    pursue(center, call)
    if call.consult is consult and not _on_its_way(consult, call.leg):
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_for_customer(center, call)))


def _on_its_way(consult: Consult, leg: LegId) -> bool:
    """To somebody: music would play to it there."""
    return consult.gathering or leg in (consult.asked or ())


def sound(center: Center, call: Call, leg: Leg) -> None:
    """What an idle telephone hears in a consult: music, or for who waits for an answer, that it rings."""
    consult = call.consult
    if consult is None:
        return
    seeking = leg.id == consult.leg and consult.aim is f.Aim.SEEK
    if seeking and consult.kind is not TransferKind.QUEUE:
        music = c.RINGING_TONE
    elif seeking:
        queue = center.queue_config(QueueId(consult.target))
        music = queue.music if queue is not None else "default"
    else:
        music = offers.music_for_customer(center, call)
    center.send(c.StartMusic(switch=leg.switch, leg=leg.id, music=music))


# --- what did not come about ---------------------------------------------------------------------------------------


def broken(center: Center, call: Call, reason: str) -> None:
    """A pair that was asked for is not to be."""
    consult = call.consult
    if consult is not None and consult.asked is not None:
        leg, other = consult.asked
        center.emit(
            f.PairFailed(
                at_ms=center.now_ms,
                tenant=call.tenant,
                call=call.id,
                leg=leg,
                other=other,
                reason=reason[:LONGEST_DETAIL],
            )
        )


def fetch(center: Center, call: Call, reason: str) -> None:
    """Somebody should be in our hands by now: ask again, and look."""
    consult = call.consult
    if consult is None:
        return
    center.emit(
        f.CallAwaited(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            reason=reason,
            deadline_ms=center.now_ms + talk.RETURN_TIMEOUT_MS,
        )
    )
    if not in_our_hands(call, call.leg):
        part(center, call)
    center.send(c.RequestSnapshot(switch=call.switch, leg=call.leg))


# --- all three -----------------------------------------------------------------------------------------------------


def _gather(center: Center, call: Call, consult: Consult) -> None:
    """Into their room, as soon as all three are within reach. Nobody may be on the way to us, or be sent there by it.

    The news of a customer who comes to us travels by another way, and may be later than that of the room: as if the
    room had ended. So the customer goes first: when the agent left their talk first, the switch would send them to us.
    """
    if consult.gathering or consult.other is None:
        return
    three = (call.leg, consult.leg, consult.other)
    if not all(in_our_hands(call, leg) for leg in three):
        return
    deadline_ms = center.now_ms + MERGE_MS
    center.emit(f.RoomAsked(at_ms=center.now_ms, tenant=call.tenant, call=call.id, deadline_ms=deadline_ms))
    for leg in three:
        center.send(c.JoinRoom(switch=call.switch, leg=leg, room=call.id))


def room_joined(center: Center, call: Call, leg: LegId) -> None:
    consult = call.consult
    if consult is None or leg not in (call.leg, consult.leg, consult.other):
        return
    center.emit(f.RoomJoined(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=leg))
    if consult.aim is not f.Aim.MERGE:
        pursue(center, call)
    elif {call.leg, consult.leg, consult.other} <= set(consult.in_room):
        conferencing.begin(center, call, consult)
