"""What each fact about a call changes in the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core import facts as f
from apps.core.agents.model import LastDial
from apps.core.calls.model import (
    ActiveRecording,
    Bridge,
    Call,
    CallState,
    Dial,
    Handover,
    IvrRun,
    Leg,
    LegState,
    Offer,
    PathStep,
    Rejoin,
    Transfer,
    Wait,
)
from apps.core.events import LegRole
from apps.core.fold_rules import on, on_call
from apps.core.ids import TrunkId

if TYPE_CHECKING:
    from apps.core.state import State

LONGEST_PATH = 30
"""Steps of a menu that are kept for the agent; history has them all."""


def _move(call: Call, state: CallState, at_ms: int, deadline_ms: int | None = None) -> None:
    if call.state is not state:
        call.state = state
        call.since_ms = at_ms
    call.deadline_ms = deadline_ms


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
    if call.rejoin is not None:
        call.rejoin.customer_here = True
        if call.state is CallState.REJOINING:
            call.deadline_ms = call.rejoin.until_ms
    leg = call.legs.get(fact.leg)
    if leg is not None:
        leg.state, leg.other = LegState.IDLE, None


@on_call(f.CallAwaited)
def _call_awaited(state: State, call: Call, fact: f.CallAwaited) -> None:
    call.deadline_ms = fact.deadline_ms


@on_call(f.CallClosing)
def _call_closing(state: State, call: Call, fact: f.CallClosing) -> None:
    call.outcome, call.cause, call.last_words = fact.outcome, fact.cause, fact.play
    call.bridge = call.rejoin = None
    _move(call, CallState.CLOSING, fact.at_ms, fact.deadline_ms)


@on_call(f.CallEnded)
def _call_ended(state: State, call: Call, fact: f.CallEnded) -> None:
    del state.calls[call.id]
    for leg in call.legs:
        state.legs.pop(leg, None)


# --- legs ----------------------------------------------------------------------------------------------------------


@on_call(f.LegStarted)
def _leg_started(state: State, call: Call, fact: f.LegStarted) -> None:
    call.legs[fact.leg] = Leg(
        id=fact.leg, switch=fact.switch, role=fact.role, address=fact.address, state=LegState.DIALED,
        started_ms=fact.at_ms, agent=fact.agent, queue=fact.queue, trunk=fact.trunk,
    )  # fmt: skip
    state.legs[fact.leg] = call.id
    if fact.role is LegRole.EXTERNAL:
        call.dialed = fact.leg
    if fact.role is not LegRole.AGENT:
        _move(call, CallState.DIALING, fact.at_ms, fact.deadline_ms)


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
        leg.state = LegState.IDLE
        if leg.answered_ms is None:
            leg.answered_ms = fact.at_ms


@on_call(f.LegEnded)
def _leg_ended(state: State, call: Call, fact: f.LegEnded) -> None:
    call.legs.pop(fact.leg, None)
    state.legs.pop(fact.leg, None)


# --- IVR -----------------------------------------------------------------------------------------------------------


@on_call(f.IvrEntered)
def _ivr_entered(state: State, call: Call, fact: f.IvrEntered) -> None:
    call.ivr = IvrRun(flow=fact.flow, version=fact.version, position=None)
    call.lang = fact.lang
    _move(call, CallState.IVR, fact.at_ms)


@on_call(f.IvrStepped)
def _ivr_stepped(state: State, call: Call, fact: f.IvrStepped) -> None:
    if call.ivr is not None:
        call.ivr.position = fact.position
        call.lang = fact.position.lang
    if fact.port and len(call.path) < LONGEST_PATH:
        call.path.append(PathStep(node=fact.node, digits=_shown_digits(state, call, fact), at_ms=fact.at_ms))


def _shown_digits(state: State, call: Call, fact: f.IvrStepped) -> str:
    """Keys of a node marked secret (a PIN) are nobody's business."""
    flow = state.config.flows.get(call.ivr.flow) if call.ivr is not None else None
    node = flow.document["nodes"].get(fact.node, {}) if flow is not None else {}
    return "***" if fact.digits and node.get("secret") else fact.digits


@on_call(f.IvrLeft)
def _ivr_left(state: State, call: Call, fact: f.IvrLeft) -> None:
    if call.ivr is not None:
        call.ivr.position = None


# --- queue ---------------------------------------------------------------------------------------------------------


@on_call(f.CallQueued)
def _call_queued(state: State, call: Call, fact: f.CallQueued) -> None:
    before = call.wait
    call.wait = Wait(
        queue=fact.queue, skills=fact.skills, priority=fact.priority, queued_ms=fact.queued_ms,
        deadline_ms=fact.deadline_ms, wanted_agent=fact.wanted_agent,
        entered_ms=before.entered_ms if before is not None else fact.at_ms,
    )  # fmt: skip
    call.last_queue = fact.queue
    if fact.wanted_agent is None:
        call.transfer = None
    _move(call, CallState.WAITING, fact.at_ms)


@on_call(f.CallDequeued)
def _call_dequeued(state: State, call: Call, fact: f.CallDequeued) -> None:
    call.wait = None


@on_call(f.AgentOffered)
def _agent_offered(state: State, call: Call, fact: f.AgentOffered) -> None:
    call.offer = Offer(
        agent=fact.agent, leg=fact.leg, queue=fact.queue, deadline_ms=fact.deadline_ms,
        idle_since_ms=fact.idle_since_ms, offered_ms=fact.at_ms, ack_deadline_ms=fact.ack_deadline_ms,
    )  # fmt: skip


@on_call(f.OfferAcked)
def _offer_acked(state: State, call: Call, fact: f.OfferAcked) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.ack_deadline_ms = None


@on_call(f.AnswerAsked)
def _answer_asked(state: State, call: Call, fact: f.AnswerAsked) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.answer_asked = True


@on_call(f.WhisperStarted)
def _whisper_started(state: State, call: Call, fact: f.WhisperStarted) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer.whisper, call.offer.whisper_until_ms = fact.play, fact.deadline_ms


@on_call(f.OfferEnded)
def _offer_ended(state: State, call: Call, fact: f.OfferEnded) -> None:
    if call.offer is not None and call.offer.leg == fact.leg:
        call.offer = None


# --- talk ----------------------------------------------------------------------------------------------------------


@on_call(f.BridgeRequested)
def _bridge_requested(state: State, call: Call, fact: f.BridgeRequested) -> None:
    far = call.legs.get(fact.leg)
    again = call.bridge if call.bridge is not None and call.bridge.leg == fact.leg else None
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms,
        agent=far.agent if far else None, queue=far.queue if far else None,
        muted=again is not None and again.muted,
    )  # fmt: skip
    _move(call, CallState.CONNECTING, fact.at_ms, fact.deadline_ms)


@on_call(f.CallBridged)
def _call_bridged(state: State, call: Call, fact: f.CallBridged) -> None:
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms, agent=fact.agent, queue=fact.queue, bridged_ms=fact.at_ms,
        muted=call.bridge is not None and call.bridge.leg == fact.leg and call.bridge.muted,
    )  # fmt: skip
    call.served = True
    call.bridge_lost = False
    call.transfer = call.dial = call.rejoin = None
    if fact.agent is not None:
        call.last_agent = fact.agent
    for mine, peer in ((fact.leg, fact.other), (fact.other, fact.leg)):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.BRIDGED, peer
    _move(call, CallState.TALKING, fact.at_ms)


@on_call(f.BridgeLost)
def _bridge_lost(state: State, call: Call, fact: f.BridgeLost) -> None:
    call.bridge = None
    call.bridge_lost = True
    _move(call, CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@on_call(f.CallUnbridged)
def _call_unbridged(state: State, call: Call, fact: f.CallUnbridged) -> None:
    call.bridge = None
    for mine in (fact.leg, fact.other):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.IDLE, None
    _move(call, CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@on_call(f.RejoinStarted)
def _rejoin_started(state: State, call: Call, fact: f.RejoinStarted) -> None:
    here = call.rejoin is not None and call.rejoin.customer_here
    call.rejoin = Rejoin(
        agent=fact.agent, queue=fact.queue, left=fact.left, until_ms=fact.until_ms, held=fact.held, muted=fact.muted,
        customer_here=here,
    )  # fmt: skip
    call.bridge_lost = False
    _move(call, CallState.REJOINING, fact.at_ms, fact.until_ms if here else fact.deadline_ms)


@on_call(f.RejoinFailed)
def _rejoin_failed(state: State, call: Call, fact: f.RejoinFailed) -> None:
    call.rejoin = None


@on_call(f.CallHeld)
def _call_held(state: State, call: Call, fact: f.CallHeld) -> None:
    if call.bridge is not None:
        call.bridge.held_ms = fact.at_ms


@on_call(f.CallResumed)
def _call_resumed(state: State, call: Call, fact: f.CallResumed) -> None:
    if call.bridge is not None:
        call.bridge.held_ms = None
        call.bridge.hold_total_ms += fact.held_ms


@on_call(f.CallMuted)
@on_call(f.CallUnmuted)
def _call_muted(state: State, call: Call, fact: f.CallMuted | f.CallUnmuted) -> None:
    if call.bridge is not None and call.bridge.leg == fact.leg:
        call.bridge.muted = isinstance(fact, f.CallMuted)


@on_call(f.DigitsSent)
def _digits_sent(state: State, call: Call, fact: f.DigitsSent) -> None:
    call.digits_sent += fact.count


@on_call(f.TransferStarted)
def _transfer_started(state: State, call: Call, fact: f.TransferStarted) -> None:
    call.transfer = Transfer(agent=fact.agent, kind=fact.kind, target=fact.target, to_head=fact.to_head)
    call.handover = Handover(agent=fact.agent, note=fact.note)


@on_call(f.TransferFailed)
def _transfer_failed(state: State, call: Call, fact: f.TransferFailed) -> None:
    call.transfer = None


# --- dialling out --------------------------------------------------------------------------------------------------


@on_call(f.DialStarted)
def _dial_started(state: State, call: Call, fact: f.DialStarted) -> None:
    call.dial = Dial(
        agent=fact.agent, leg=fact.leg, number=fact.number, caller_number=fact.caller_number, trunk=fact.trunk
    )
    call.last_agent = fact.agent
    _move(call, CallState.DIALING, fact.at_ms, fact.deadline_ms)


@on_call(f.DialEnded)
def _dial_ended(state: State, call: Call, fact: f.DialEnded) -> None:
    call.dial = None
    agent = state.agents.get(fact.agent)
    if agent is not None:
        agent.last_dial = LastDial(
            call=fact.call, number=fact.number, outcome=fact.outcome, cause=fact.cause, at_ms=fact.at_ms
        )


# --- recording -----------------------------------------------------------------------------------------------------


@on_call(f.RecordingAsked)
def _recording_asked(state: State, call: Call, fact: f.RecordingAsked) -> None:
    call.recording = ActiveRecording(id=fact.recording, path=fact.path)
    call.recording_broken = False


@on_call(f.RecordingBegan)
def _recording_began(state: State, call: Call, fact: f.RecordingBegan) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.started = True


@on_call(f.RecordingPauseAsked)
def _recording_pause_asked(state: State, call: Call, fact: f.RecordingPauseAsked) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.mask_until_ms = fact.until_ms


@on_call(f.RecordingPaused)
def _recording_paused(state: State, call: Call, fact: f.RecordingPaused) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.masked_ms = fact.at_ms


@on_call(f.RecordingResuming)
def _recording_resuming(state: State, call: Call, fact: f.RecordingResuming) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.mask_until_ms = fact.retry_ms


@on_call(f.RecordingResumed)
def _recording_resumed(state: State, call: Call, fact: f.RecordingResumed) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording.masked_ms = call.recording.mask_until_ms = None


@on_call(f.RecordingEnded)
@on_call(f.RecordingBroken)
def _recording_over(state: State, call: Call, fact: f.RecordingEnded | f.RecordingBroken) -> None:
    if call.recording is not None and call.recording.id == fact.recording:
        call.recording = None
        call.recording_broken = isinstance(fact, f.RecordingBroken)
