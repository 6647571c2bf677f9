"""The one place where the machines meet: each kind of event has one rule.

``handle`` never raises for an event, whatever the state: what does not fit becomes an ``Anomaly`` fact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.core import devices, leases, recovery
from apps.core import events as e
from apps.core import facts as f
from apps.core.agents import attended, call_in_hand, desk, kept_open, pauses, states, supervising
from apps.core.agents.kept_names import as_called
from apps.core.callbacks import attempts, booking, dialog
from apps.core.calls import (
    after_talk,
    arrivals,
    closing,
    consulting,
    dialing,
    legs,
    pairing,
    recorded,
    recording,
    rejoining,
    removal,
    talk,
    transfers,
)
from apps.core.calls.model import Call, CallState, Offer
from apps.core.center import Center, Effect, offer_deadlines
from apps.core.ids import AgentId, CallId, QueueId, SwitchId
from apps.core.ivr import runs
from apps.core.queues import announcements, assigning, impossible, life, offers, overflow, unanswered, whisper
from apps.core.state import State
from apps.core.texts import LONGEST_DETAIL


class Engine:
    """``handle`` one event at a time with a clock that never goes back; arm one timer for ``next_deadline_ms``."""

    def __init__(self, state: State | None = None) -> None:
        self.center = Center(state if state is not None else State())

    @property
    def state(self) -> State:
        return self.center.state

    def handle(self, event: e.Event, now_ms: int) -> list[Effect]:
        """Decide. The facts among the effects are already applied to ``state``; the commands are to be sent."""
        center = self.center
        center.now_ms = max(now_ms, center.now_ms)
        effects: list[Effect] = []
        center.effects = effects
        rule = _RULES.get(type(event))
        if rule is None:
            center.anomaly(event, "", "", "no rule for this kind of event")
        else:
            rule(center, as_called(center.state, event))
        rejoining.look(center)
        legs.give_back(center)
        kept_open.look(center)
        pauses.look(center)
        consulting.look(center)
        impossible.look(center)
        assigning.assign(center)
        life.look(center)
        return effects

    def next_deadline_ms(self) -> int | None:
        return self.center.deadlines.next_ms()


Rule = Callable[[Center, Any], None]
CallRule = Callable[[Center, Call, Any], None]
OfferRule = Callable[[Center, Call, Offer], None]
DueRule = Callable[[Center, Call], None]


def _about_call(rule: CallRule) -> Rule:
    """For events about a leg of a call of ours; about another leg they are anomalies."""

    def with_call(center: Center, event: Any) -> None:
        call = center.call_of(event.leg)
        if call is not None:
            rule(center, call, event)
        elif event.leg not in center.state.kept_legs:  # of a line that no call has, nothing is to be said
            center.anomaly(event, event.leg, "unknown", "no such leg")

    return with_call


def _leg_hung_up(center: Center, event: e.LegHungUp) -> None:
    legs.ended(center, event.leg, event.cause, event.raw)


def _legs_bridged(center: Center, event: e.LegsBridged) -> None:
    call = center.call_of(event.leg) or center.call_of(event.other)
    if call is None:
        center.anomaly(event, event.leg, "unknown", "no such leg")
    elif call.consult is not None:
        pairing.bridged(center, call, event.leg, event.other)
    else:
        talk.legs_bridged(center, call, event.leg, event.other)


def _legs_unbridged(center: Center, event: e.LegsUnbridged) -> None:
    """Often late: the customer is already back by then, and this says nothing new."""
    call = center.call_of(event.leg) or center.call_of(event.other)
    bridge = call.bridge if call is not None else None
    if call is None or bridge is None or call.state is not CallState.TALKING:
        return
    if {event.leg, event.other} == {bridge.leg, bridge.other}:
        after_talk.over(center, call)


def _bridge_failed(center: Center, call: Call, event: e.BridgeFailed) -> None:
    if call.consult is not None and call.consult.asked == (event.leg, event.other):
        consulting.bridge_failed(center, call, event.reason)
    elif call.state is CallState.CONNECTING and call.bridge is not None and call.bridge.leg == event.leg:
        talk.bridge_lost(center, call, event.reason[:LONGEST_DETAIL])
        talk.reclaim(center, call)


def _play_ended(center: Center, call: Call, event: e.PlayEnded) -> None:
    if call.dialog is not None and call.dialog.play == event.play:
        dialog.played(center, call)
    elif call.callback is not None and call.callback.play == event.play:
        booking.let_go(center, call)
    elif call.state is CallState.IVR:
        runs.play_ended(center, call, event.play, event.outcome)
    elif call.state is CallState.CLOSING and call.last_words == event.play:
        closing.last_words_said(center, call)
    elif (offer := next((one for one in call.offers.values() if one.whisper == event.play), None)) is not None:
        whisper.said(center, call, offer)
    elif call.state is CallState.WAITING and call.wait is not None and call.wait.play == event.play:
        announcements.over(center, call)


def _digit_pressed(center: Center, call: Call, event: e.DigitPressed) -> None:
    if call.state not in (CallState.IVR, CallState.WAITING) or event.leg != call.leg:
        return
    if len(event.digit) != 1 or event.digit not in "0123456789*#ABCD":
        center.anomaly(event, event.leg, call.state, "not a key", call)
    elif call.dialog is not None:
        dialog.pressed(center, call, event.digit)
    elif call.state is CallState.IVR:
        runs.digit_pressed(center, call, event.digit)
    else:
        dialog.offered(center, call, event.digit)


_CONFIG_ALARMS = frozenset(
    {
        "unknown_did",
        "flow_missing",
        "queue_missing",
        "number_barred",
        "device_invalid",
        "prompt_failed",
        overflow.CIRCLE,
        impossible.ALARM,
    }
)
"""What a new configuration may have mended; the next caller who still meets it raises it again."""


def _config_changed(center: Center, event: e.ConfigChanged) -> None:
    if event.config == center.state.config:
        return
    before = center.state.config
    center.emit(f.ConfigApplied(at_ms=center.now_ms, tenant=None, config=event.config))
    center.reconfigured(before)
    for alarm in list(center.state.alarms.values()):
        if alarm.kind in _CONFIG_ALARMS:
            center.clear_alarm(alarm.kind, alarm.subject)
    for call in list(center.state.calls.values()):
        if call.wait is not None and call.in_line and call.wait.queue not in event.config.queues:
            overflow.queue_gone(center, call)


def _deadline_passed(center: Center, event: e.DeadlinePassed) -> None:
    while (due := center.deadlines.pop_due(center.now_ms)) is not None:
        kind, subject = due
        if kind == "agent":
            _agent_due(center, AgentId(subject))
        elif kind == "snapshot":
            recovery.look_again(center, SwitchId(subject))
        elif kind == "hours":
            life.look_at_hours(center)
        elif kind == "deserted":
            life.deserted_too_long(center, QueueId(subject))
        elif kind == "leases":
            leases.look(center, SwitchId(subject), event)
        elif kind == "lost":
            recovery.switch_lost(center, SwitchId(subject))
        else:
            _call_due(center, CallId(subject))


def _agent_due(center: Center, agent_id: AgentId) -> None:
    agent = center.agent(agent_id)
    if agent is not None:
        kept_open.overdue(center, agent)
        states.deadline_passed(center, agent_id)


def _call_due(center: Center, call_id: CallId) -> None:
    """Whatever of this call is due; one may settle the other, so each is looked at anew."""
    center.dirty_calls[call_id] = None
    call = center.state.calls.get(call_id)
    due = center.deadlines_of(call) if call is not None else {}
    for kind, rule in _CALL_DEADLINES.items():
        if call is None or due.get(kind, center.now_ms + 1) > center.now_ms:
            continue
        rule(center, call)
        call = center.state.calls.get(call_id)
        due = center.deadlines_of(call) if call is not None else {}


def _each_offer(kind: str, rule: OfferRule) -> DueRule:
    """The rule for those of a call's offers of which this is due."""

    def due_ones(center: Center, call: Call) -> None:
        for offer in list(call.offers.values()):
            if offer.leg in call.offers and offer_deadlines(call, offer).get(kind, center.now_ms + 1) <= center.now_ms:
                rule(center, call, offer)

    return due_ones


def _dial_overdue(center: Center, call: Call) -> None:
    if attempts.rings(call, call.leg):
        attempts.overdue(center, call)
        return
    (transfers.dial_overdue if call.dial is None else dialing.overdue)(center, call)


def _call_overdue(center: Center, call: Call) -> None:
    rule = _OVERDUE.get(call.state)
    if rule is not None:
        rule(center, call)


_OVERDUE: dict[CallState, DueRule] = {
    CallState.WAITING: attempts.overdue,
    CallState.CONNECTING: talk.bridge_overdue,
    CallState.CONSULTING: consulting.overdue,
    CallState.RETURNING: talk.return_overdue,
    CallState.REJOINING: rejoining.overdue,
    CallState.DIALING: _dial_overdue,
    CallState.CLOSING: closing.closing_overdue,
}

_CALL_DEADLINES: dict[str, DueRule] = {
    "state": _call_overdue,
    "wait": overflow.waited_too_long,
    "announced": announcements.over,
    "announce": announcements.speak,
    "ring": consulting.not_answered,
    "ack": _each_offer("ack", offers.not_acknowledged),
    "offer": _each_offer("offer", unanswered.overdue),
    "whisper": _each_offer("whisper", whisper.said),
    "mask": recording.resume,
    "ivr": runs.waited,
    "dialog": dialog.overdue,
    # "callback", "relax": in line from now on, or asks for less; all that is looked at is indexed anew.
}

_DESK = (desk, call_in_hand, attended, supervising)
"""Their rules register themselves in ``desk.RULES``."""

_RULES: dict[type[e.Event], Rule] = {
    e.LinkUp: recovery.link_up,
    e.LinkDown: recovery.link_down,
    e.SwitchSnapshot: recovery.snapshot,
    e.EngineRestarted: recovery.engine_restarted,
    e.CallArrived: arrivals.call_arrived,
    e.LegRinging: legs.moved,
    e.LegAnswered: legs.moved,
    e.LegParked: legs.moved,
    e.LegHungUp: _leg_hung_up,
    e.LegsBridged: _legs_bridged,
    e.LegsUnbridged: _legs_unbridged,
    e.LegJoined: _about_call(lambda center, call, event: pairing.room_joined(center, call, event.leg)),
    e.BridgeFailed: _about_call(_bridge_failed),
    e.LegHeld: _about_call(lambda center, call, event: talk.leg_held(center, call, event.leg)),
    e.LegUnheld: _about_call(lambda center, call, event: talk.leg_unheld(center, call, event.leg)),
    e.LegMuted: _about_call(lambda center, call, event: talk.leg_muted(center, call, event.leg, muted=True)),
    e.LegUnmuted: _about_call(lambda center, call, event: talk.leg_muted(center, call, event.leg, muted=False)),
    e.PlayEnded: _about_call(_play_ended),
    e.DigitPressed: _about_call(_digit_pressed),
    e.RecordingStarted: _about_call(recorded.started),
    e.RecordingStopped: recorded.stopped,
    e.RecordingFailed: recorded.failed,
    e.RecordingMasked: _about_call(lambda center, call, event: recording.masked(center, call, event.recording)),
    e.RecordingUnmasked: _about_call(lambda center, call, event: recording.unmasked(center, call, event.recording)),
    e.DeviceChanged: devices.device_changed,
    e.TrunkChanged: devices.trunk_changed,
    e.ConfigChanged: _config_changed,
    e.DeadlinePassed: _deadline_passed,
    e.CallRemovalRequested: removal.request,
    e.CallbackRequested: booking.request,
    e.CallbackCancelRequested: booking.cancel,
    **dict.fromkeys(desk.RULES, desk.request),
}
