"""Links, snapshots and restarts: bringing what we believe and what a switch has together again."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import devices
from apps.core import facts as f
from apps.core.agents import kept_open
from apps.core.callbacks import attempts, dialog, readiness
from apps.core.calls import closing, conferencing, legs, pairing, talk
from apps.core.calls.model import Call, CallState, Leg, LegState
from apps.core.center import SNAPSHOT_GRACE_MS, Center
from apps.core.events import (
    EngineRestarted,
    HangupCause,
    LegRole,
    LinkDown,
    LinkUp,
    SnapshotLeg,
    SwitchSnapshot,
)
from apps.core.ids import CallId, IdMint, LegId, SwitchId
from apps.core.ivr import runs
from apps.core.queues import offers

SECOND_LOOK_MS = 1_000
"""``show channels`` lags by up to 250 ms (freeswitch.md 8), so a link that came up is looked at twice."""
RECONCILE_MS = 15_000
"""After that, how often in full; ``leases`` compares every few seconds."""
LEASES_AFTER_MS = 3_000
TOO_YOUNG_MS = 1_000
"""A leg younger than this may be missing from a list, or listed in an older state."""
DIALED_MS = 2_000
"""One of which we only know that we asked for it may be missing for longer."""
CONFIRM_MS = 500
"""A reading that misses a leg without saying for certain that it is gone is followed by another so much later."""
APART_MS = 300
"""Two that are handled closer together may both be older than what we did between them: we were late."""


def engine_restarted(center: Center, event: EngineRestarted) -> None:
    """First event of a run. No link is up until it says so."""
    center.mint = IdMint(event.run)
    center.emit(f.RunStarted(at_ms=center.now_ms, tenant=None, run=event.run))
    for switch in list(center.state.switches):
        center.emit(
            f.SwitchDisconnected(at_ms=center.now_ms, tenant=None, switch=switch, reason="the engine restarted")
        )
        center.link_changed(switch)


def link_up(center: Center, event: LinkUp) -> None:
    known = center.state.switches.get(event.switch)
    rebooted = known is not None and known.boot not in ("", event.boot)
    center.emit(f.SwitchConnected(at_ms=center.now_ms, tenant=None, switch=event.switch, boot=event.boot))
    center.clear_alarm("switch_down", event.switch)
    if rebooted:
        for leg in (*_legs_on(center, event.switch), *_kept_on(center, event.switch)):
            legs.ended(center, leg, HangupCause.LOST, "the switch restarted")
    center.deadlines.set(("snapshot", event.switch), center.now_ms + SECOND_LOOK_MS)
    center.deadlines.set(("leases", event.switch), center.now_ms + LEASES_AFTER_MS)
    center.send(c.RequestSnapshot(switch=event.switch, leg=LegId("")))
    center.link_changed(event.switch)


def link_down(center: Center, event: LinkDown) -> None:
    """Calls go on without us; nothing new is matched on this switch until it is back."""
    link = center.state.switches.get(event.switch)
    if link is None or link.up:
        center.emit(f.SwitchDisconnected(at_ms=center.now_ms, tenant=None, switch=event.switch, reason=event.reason))
        center.alarm("switch_down", event.switch, event.reason)
        center.link_changed(event.switch)


def switch_lost(center: Center, switch: SwitchId) -> None:
    """The link stayed away, or the switch was taken out: what became of its calls we shall not hear.

    Far legs first, so that no hang-up is left for them: if the switch comes back after all, who talks there talks on.
    """
    if center.link_up(switch):
        return
    customers = {call.leg for call in center.state.calls.values()}
    for leg in (*sorted(_legs_on(center, switch), key=customers.__contains__), *_kept_on(center, switch)):
        legs.ended(center, leg, HangupCause.LOST, "the switch stayed out of reach")
    for call in [call for call in center.state.calls.values() if call.switch == switch]:
        closing.give_up_recording(center, call, "the switch stayed out of reach")


def look_again(center: Center, switch: SwitchId) -> None:
    if center.link_up(switch):
        center.deadlines.set(("snapshot", switch), center.now_ms + RECONCILE_MS)
        center.send(c.RequestSnapshot(switch=switch, leg=LegId("")))


def snapshot(center: Center, event: SwitchSnapshot) -> None:
    """Compare leg by leg. Agents' legs first: they may make a bridge for which the customer must stay put."""
    devices.listed(center, event)
    began_ms = _began_ms(center, event.switch)
    listed = {leg.leg: leg for leg in event.legs}
    # The list may be older than what we know of a call that has just changed.
    settled = {call.id for call in center.state.calls.values() if center.now_ms - call.changed_ms >= TOO_YOUNG_MS}
    others = frozenset(event.others)
    for leg_id in _legs_on(center, event.switch):
        if leg_id in others:
            _untagged(center, leg_id, settled)
        elif leg_id not in listed and _missed_far(center, leg_id, began_ms):
            _lost(center, leg_id)
    for leg_id in _kept_on(center, event.switch):
        if leg_id not in listed and _missed_kept(center, leg_id, began_ms):
            legs.ended(center, leg_id, HangupCause.LOST, "not on the switch")
    for seen in sorted(event.legs, key=lambda one: (one.role is LegRole.CUSTOMER, one.leg)):
        call = center.call_of(seen.leg)
        if call is None and seen.leg in center.state.kept_legs:
            if seen.answered:
                kept_open.parked(center, seen.leg)
        elif call is None:
            _stranger(center, event.switch, seen)
        elif seen.leg == call.leg:
            _customer(center, call, seen, settled=call.id in settled)
        else:
            _far(center, call, call.legs[seen.leg], seen, settled=call.id in settled)


def _legs_on(center: Center, switch: SwitchId) -> list[LegId]:
    return [
        leg.id for call in list(center.state.calls.values()) for leg in list(call.legs.values()) if leg.switch == switch
    ]


def _kept_on(center: Center, switch: SwitchId) -> list[LegId]:
    """Lines that are kept open and that no call has: those of calls go by their names there."""
    return [line.leg for line in center.state.kept_lines() if line.switch == switch and line.lent_as is None]


def _missed_kept(center: Center, leg: LegId, began_ms: int) -> bool:
    agent = center.agent(center.state.kept_legs[leg])
    kept = agent.kept if agent is not None else None
    if kept is None:
        return False
    return _missed(center, kept.switch, kept.since_ms, began_ms, only_asked_for=kept.deadline_ms is not None)


def _missed_far(center: Center, leg_id: LegId, began_ms: int) -> bool:
    call = center.call_of(leg_id)
    leg = call.legs.get(leg_id) if call is not None else None
    if leg is None:
        return False
    # However new a lent one is to this call, it was there before.
    since_ms = leg.started_ms if leg.lent is None else _open_since_ms(center, leg)
    only_asked_for = leg.lent is None and leg.state is LegState.DIALED
    return _missed(center, leg.switch, since_ms, began_ms, only_asked_for=only_asked_for)


def _missed(center: Center, switch: SwitchId, since_ms: int, began_ms: int, *, only_asked_for: bool) -> bool:
    """Whether a leg that is not listed is gone for certain: the list is from a time when it would have been there."""
    up_since_ms = center.state.switches[switch].since_ms
    if only_asked_for and since_ms < up_since_ms:  # it went out then or never will
        return center.now_ms - up_since_ms >= TOO_YOUNG_MS
    if began_ms - since_ms >= (DIALED_MS if only_asked_for else TOO_YOUNG_MS):
        return True
    again_ms, due_ms = center.now_ms + CONFIRM_MS, center.deadlines.at(("snapshot", switch))
    center.deadlines.set(("snapshot", switch), min(again_ms, due_ms if due_ms is not None else again_ms))
    return False


def _began_ms(center: Center, switch: SwitchId) -> int:
    """Since when at least the reading that has just come was under way: a driver makes one after the other.

    How old a list is cannot be told otherwise: where the switch is slow, a reading takes seconds.
    """
    before_ms, up_since_ms = center.read_ms.get(switch, 0), center.state.switches[switch].since_ms
    center.read_ms[switch] = center.now_ms
    return max(before_ms if center.now_ms - before_ms >= APART_MS else 0, up_since_ms)


def _open_since_ms(center: Center, leg: Leg) -> int:
    agent = center.agent(leg.agent) if leg.agent is not None else None
    return agent.kept.since_ms if agent is not None and agent.kept is not None else 0


def _stranger(center: Center, switch: SwitchId, seen: SnapshotLeg) -> None:
    """A leg with our tags of which we know nothing: the journal was lost, or its call is history."""
    if seen.bridged_to is not None:
        return  # they talk; the customer comes to us by itself afterwards
    if seen.role is LegRole.CUSTOMER:
        if not seen.controlled:
            center.send(c.ReclaimLeg(switch=switch, leg=seen.leg))
    else:
        center.send(c.HangUpLeg(switch=switch, leg=seen.leg))


def _lost(center: Center, leg_id: LegId) -> None:
    """Its end was not reported; that of a recording on it will not be any more."""
    call = center.call_of(leg_id)
    legs.ended(center, leg_id, HangupCause.LOST, "not on the switch")
    if call is not None and call.customer_gone:
        closing.give_up_recording(center, call, "the switch did not say that it ended")


def _untagged(center: Center, leg_id: LegId, settled: set[CallId]) -> None:
    """A caller whose tag never reached the switch: we died between taking the call and marking it."""
    call = center.call_of(leg_id)
    if call is None or call.tenant is None or leg_id != call.leg or call.id not in settled or call.dial is not None:
        return
    center.send(c.TagLeg(switch=call.switch, leg=call.leg, call=call.id, tenant=call.tenant))
    if call.state not in (CallState.CONNECTING, CallState.TALKING):
        talk.reclaim(center, call)


def _customer(center: Center, call: Call, seen: SnapshotLeg, *, settled: bool) -> None:
    if call.state is CallState.CLOSING:
        if call.last_words is None or not seen.controlled:
            center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))
    elif (call.dial is not None and call.state is CallState.DIALING) or attempts.rings(call, seen.leg):
        _called(center, call, seen)
    elif readiness.off_line(call):
        # A try that is over, whose leg would not end; who has just booked has a deadline of their own.
        if call.state is CallState.WAITING and call.deadline_ms is None:
            center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))
    elif call.consult is not None:
        _set_aside(center, call, seen, settled=settled)
    elif call.three_way is not None:
        _in_three_way(center, call, seen, settled=settled)
    elif seen.bridged_to is not None and call.state in (CallState.CONNECTING, CallState.TALKING):
        talk.legs_bridged(center, call, seen.bridged_to, call.leg)
    elif call.state is CallState.CONNECTING or not settled:
        return  # a bridge under way has its own deadline
    elif call.state is CallState.TALKING:
        talk.unbridged(center, call)
        talk.reclaim(center, call)
    elif not seen.controlled:
        talk.reclaim(center, call)
    else:
        _heard_nothing(center, call)


def _set_aside(center: Center, call: Call, seen: SnapshotLeg, *, settled: bool) -> None:
    """The customer of a consult: with the agent or the consulted, or in our hands with music."""
    consult = call.consult
    if consult is None:
        return
    if seen.bridged_to is not None:
        pairing.bridged(center, call, seen.bridged_to, call.leg)
    elif settled and seen.in_room:
        pairing.room_joined(center, call, call.leg)
    if call.consult is None or not settled or consult.asked is not None:
        return  # a bridge under way has its own deadline
    leg = call.legs[call.leg]
    if seen.bridged_to is not None:
        if leg.other != seen.bridged_to:
            pairing.part(center, call)
    elif not seen.controlled and not seen.in_room:
        talk.reclaim(center, call)
    elif leg.state is LegState.IDLE and center.now_ms - _up_since_ms(center, call) < SNAPSHOT_GRACE_MS:
        pairing.customer_came(center, call)


def _in_three_way(center: Center, call: Call, seen: SnapshotLeg, *, settled: bool) -> None:
    if not settled or seen.in_room:
        return
    if seen.controlled:
        conferencing.customer_came(center, call)
    else:
        talk.reclaim(center, call)


def _up_since_ms(center: Center, call: Call) -> int:
    return center.state.switches[call.switch].since_ms


def _called(center: Center, call: Call, seen: SnapshotLeg) -> None:
    """A number that an agent dials: it still rings, or its answer was lost to us."""
    leg = call.legs.get(call.leg)
    if seen.answered and leg is not None and leg.state is not LegState.IDLE:
        legs.parked(center, call, leg)


def _heard_nothing(center: Center, call: Call) -> None:
    """A caller held all through a gap of the link: what was to be heard may have been lost with it."""
    up_since_ms = _up_since_ms(center, call)
    if call.dialog is not None:
        if dialog.began_before(call, up_since_ms):
            dialog.ask_anew(center, call)
    elif call.state is CallState.IVR:
        if runs.prompt_began_before(call, up_since_ms):
            runs.restart_node(center, call)
    elif call.state is not CallState.RETURNING and center.now_ms - up_since_ms < SNAPSHOT_GRACE_MS:
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))


def _far(center: Center, call: Call, leg: Leg, seen: SnapshotLeg, *, settled: bool) -> None:
    """An agent's or external leg: in use, ready to be bridged, or a leftover."""
    if call.consult is not None and leg.id in (call.consult.leg, call.consult.other):
        _in_consult(center, call, leg, seen, settled=settled)
        return
    if call.three_way is not None:
        if settled and not seen.in_room and seen.bridged_to is None:
            conferencing.rejoin_room(center, call, leg)
        return
    if seen.bridged_to is not None:
        return
    in_bridge = call.bridge is not None and call.bridge.leg == leg.id
    if call.state is CallState.TALKING and in_bridge:
        return  # the customer's entry decides
    if call.state is CallState.CONNECTING and in_bridge:
        if settled:  # else the list is older than our command
            talk.request_bridge(center, call, leg.id)
    elif legs.awaited(call, leg):
        if seen.answered and leg.state is not LegState.IDLE:
            legs.parked(center, call, leg)
    elif center.now_ms - leg.started_ms >= TOO_YOUNG_MS:
        center.send(c.HangUpLeg(switch=leg.switch, leg=leg.id))


def _in_consult(center: Center, call: Call, leg: Leg, seen: SnapshotLeg, *, settled: bool) -> None:
    """The agent's leg or the consulted's: what we have not heard of it, and whether it hears something."""
    consult = call.consult
    if consult is None:
        return
    if seen.bridged_to is not None:
        pairing.bridged(center, call, leg.id, seen.bridged_to)
    elif seen.in_room:
        pairing.room_joined(center, call, leg.id)
    elif settled and consult.asked is None and seen.answered:
        just_up = center.now_ms - _up_since_ms(center, call) < SNAPSHOT_GRACE_MS
        if leg.state is not LegState.IDLE:
            legs.parked(center, call, leg)
        elif just_up:
            pairing.parked(center, call, leg)
