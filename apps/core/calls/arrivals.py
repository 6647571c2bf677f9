"""A customer leg comes to us: for the first time, or back."""

from __future__ import annotations

from apps.core import commands as c
from apps.core import facts as f
from apps.core.callbacks import attempts, dialog
from apps.core.calls import after_talk, closing, conferencing, dialing, pairing, rejoining, talk, transfers
from apps.core.calls.model import Call, CallState, LegState
from apps.core.center import Center
from apps.core.events import CallArrived
from apps.core.ivr import runs
from apps.core.queues import offers


def call_arrived(center: Center, event: CallArrived) -> None:
    known = center.call_of(event.leg)
    if known is not None and known.leg == event.leg:
        if event.call != known.id and known.tenant is not None:
            center.send(c.TagLeg(switch=event.switch, leg=event.leg, call=known.id, tenant=known.tenant))
        call_returned(center, known)
    elif known is not None:
        # A leg that we dialled wandered into the arrival extension: it is nobody's caller.
        center.anomaly(event, event.leg, known.state, "a leg of ours arrived as a caller", known)
        center.send(c.HangUpLeg(switch=event.switch, leg=event.leg))
    else:
        _new_call(center, event)


def _new_call(center: Center, event: CallArrived) -> None:
    did = center.state.config.did(event.switch, event.did)
    call_id = center.mint.call()
    center.emit(
        f.CallStarted(
            at_ms=center.now_ms,
            tenant=did.tenant if did else None,
            call=call_id,
            leg=event.leg,
            switch=event.switch,
            direction=f.Direction.INBOUND,
            did=event.did,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            trunk=event.trunk,
            answered=event.answered,
        )
    )
    call = center.state.calls[call_id]
    if event.call is not None:
        center.anomaly(event, event.leg, "", f"the channel carries call {event.call}, which we do not know", call)
    if did is None:
        _unknown_did(center, call)
        return
    center.send(c.TagLeg(switch=call.switch, leg=call.leg, call=call.id, tenant=did.tenant))
    if not runs.enter_flow(center, call, did.flow):
        transfers.apologise(center, call)


def _unknown_did(center: Center, call: Call) -> None:
    # One alarm a switch: a dialling machine must not fill the list.
    center.alarm("unknown_did", call.switch, f"a call came in for {call.did!r}, which leads nowhere")
    closing.answer(center, call)
    closing.close(center, call, f.CallOutcome.UNKNOWN_DID, center.state.config.unknown_did_sounds)


def call_returned(center: Center, call: Call) -> None:
    """The customer leg is idle in our hands again: after a talk, a reclaim, or a restart of the engine."""
    if call.state is CallState.TALKING:
        # The arrival socket outruns CHANNEL_UNBRIDGE, which travels on the other link.
        talk.unbridged(center, call)
    center.emit(f.CallReattached(at_ms=center.now_ms, tenant=call.tenant, call=call.id, leg=call.leg))
    if call.dial is not None and call.state is CallState.DIALING:
        dialing.connect(center, call)
    elif call.state is CallState.IVR:
        runs.restart_node(center, call)
    elif call.state is CallState.WAITING and call.dialog is not None:
        dialog.ask_anew(center, call)
    elif call.state is CallState.WAITING and attempts.returned(center, call):
        return
    elif call.state in (CallState.WAITING, CallState.DIALING):
        center.send(c.StartMusic(switch=call.switch, leg=call.leg, music=offers.music_of(center, call)))
    elif call.state is CallState.CONSULTING:
        pairing.customer_came(center, call)
    elif call.state is CallState.CONFERENCING:
        conferencing.customer_came(center, call)
    elif call.state is CallState.REJOINING:
        rejoining.customer_came(center, call)
    elif call.state is CallState.CONNECTING:
        _connect_again(center, call)
    elif call.state is CallState.RETURNING:
        after_talk.go_on(center, call)
    else:
        center.send(c.HangUpLeg(switch=call.switch, leg=call.leg))


def _connect_again(center: Center, call: Call) -> None:
    """A bridge was asked for and the customer came back instead: ask once more if the far side still stands by."""
    far = call.legs.get(call.bridge.leg) if call.bridge else None
    if far is not None and far.state in (LegState.IDLE, LegState.BRIDGED):
        talk.request_bridge(center, call, far.id)
    else:
        talk.bridge_lost(center, call, "the customer leg came back and the far leg is gone")
        after_talk.go_on(center, call)
