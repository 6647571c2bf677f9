"""What each fact about a talk, what an agent dials and recordings changes in the state."""

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
    LegState,
    Rejoin,
    Transfer,
)
from apps.core.fold_rules import on_call
from apps.core.queues import remembered

if TYPE_CHECKING:
    from apps.core.state import State


@on_call(f.BridgeRequested)
def _bridge_requested(state: State, call: Call, fact: f.BridgeRequested) -> None:
    far = call.legs.get(fact.leg)
    again = call.bridge if call.bridge is not None and call.bridge.leg == fact.leg else None
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms,
        agent=far.agent if far else None, queue=far.queue if far else None,
        muted=again is not None and again.muted, goes_on=fact.goes_on, overdue=again is not None and again.overdue,
    )  # fmt: skip
    call.move(CallState.CONNECTING, fact.at_ms, fact.deadline_ms)


@on_call(f.BridgeOverdue)
def _bridge_overdue(state: State, call: Call, fact: f.BridgeOverdue) -> None:
    if call.bridge is not None:
        call.bridge.overdue = True
    call.deadline_ms = fact.deadline_ms


@on_call(f.CallBridged)
def _call_bridged(state: State, call: Call, fact: f.CallBridged) -> None:
    call.bridge = Bridge(
        leg=fact.leg, other=fact.other, asked_ms=fact.at_ms, agent=fact.agent, queue=fact.queue, bridged_ms=fact.at_ms,
        muted=call.bridge is not None and call.bridge.leg == fact.leg and call.bridge.muted,
    )  # fmt: skip
    if fact.agent is not None and fact.queue is not None and call.rejoin is None:
        remembered.talked(state, call, fact.queue, fact.agent)
    call.served = True
    call.bridge_lost = False
    call.transfer = call.dial = call.rejoin = None
    call.overflow_path, call.overflows, call.dialog = [], 0, None
    if fact.agent is not None:
        call.last_agent = fact.agent
        if fact.agent in state.agents:
            state.agents[fact.agent].serves = fact.queue
    for mine, peer in ((fact.leg, fact.other), (fact.other, fact.leg)):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.BRIDGED, peer
    call.move(CallState.TALKING, fact.at_ms)


@on_call(f.BridgeLost)
def _bridge_lost(state: State, call: Call, fact: f.BridgeLost) -> None:
    call.bridge = None
    call.bridge_lost = True
    call.move(CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@on_call(f.CallUnbridged)
def _call_unbridged(state: State, call: Call, fact: f.CallUnbridged) -> None:
    bridge = call.bridge
    agent = state.agents.get(bridge.agent) if bridge is not None and bridge.agent is not None else None
    if agent is not None and bridge is not None and bridge.queue is not None:
        agent.talked_ms += fact.talked_ms
    call.bridge = None
    for mine in (fact.leg, fact.other):
        leg = call.legs.get(mine)
        if leg is not None:
            leg.state, leg.other = LegState.IDLE, None
    call.move(CallState.RETURNING, fact.at_ms, fact.deadline_ms)


@on_call(f.RejoinStarted)
def _rejoin_started(state: State, call: Call, fact: f.RejoinStarted) -> None:
    here = call.rejoin is not None and call.rejoin.customer_here
    call.rejoin = Rejoin(
        agent=fact.agent, queue=fact.queue, left=fact.left, until_ms=fact.until_ms, held=fact.held, muted=fact.muted,
        customer_here=here,
    )  # fmt: skip
    call.bridge_lost = False
    call.move(CallState.REJOINING, fact.at_ms, fact.until_ms if here else fact.deadline_ms)


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
    part_of = call.bridge or call.consult or call.three_way
    if part_of is not None and part_of.leg == fact.leg:
        part_of.muted = isinstance(fact, f.CallMuted)


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
    call.move(CallState.DIALING, fact.at_ms, fact.deadline_ms)


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
