"""What a switch reports of a recording: it runs, it is over, or nothing came of it."""

from __future__ import annotations

from apps.core import facts as f
from apps.core.calls import closing
from apps.core.calls.model import Call, CallState
from apps.core.center import Center
from apps.core.events import RecordingFailed, RecordingStarted, RecordingStopped
from apps.core.ids import LegId, RecordingId
from apps.core.texts import LONGEST_DETAIL


def started(center: Center, call: Call, event: RecordingStarted) -> None:
    if call.recording is not None and call.recording.id == event.recording and not call.recording.started:
        center.emit(f.RecordingBegan(at_ms=center.now_ms, tenant=call.tenant, call=call.id, recording=event.recording))
        center.clear_alarm("recording_failed", call.switch)


def stopped(center: Center, event: RecordingStopped) -> None:
    """It may come after the leg is gone, so the call is found by its recording."""
    call = _call_with(center, event.leg, event.recording)
    if call is None:
        return
    center.emit(
        f.RecordingEnded(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            recording=event.recording,
            duration_ms=max(0, event.duration_ms),
        )
    )
    closing.finish_if_over(center, call)


def failed(center: Center, event: RecordingFailed) -> None:
    call = _call_with(center, event.leg, event.recording)
    if call is None or call.recording is None:
        return
    # Who hung up in the very moment in which the talk began left nothing to record.
    nothing_to_record = not call.recording.started and call.leg not in call.legs
    center.emit(
        f.RecordingBroken(
            at_ms=center.now_ms, tenant=call.tenant, call=call.id, recording=event.recording, reason=event.reason
        )
    )
    if not nothing_to_record:
        center.alarm("recording_failed", call.switch, event.reason[:LONGEST_DETAIL], call.tenant)
    closing.finish_if_over(center, call)


def _call_with(center: Center, leg: LegId, recording: RecordingId) -> Call | None:
    """Only calls in closing can have lost their leg before their recording: they are few."""
    of_leg = center.call_of(leg)
    calls = [of_leg] if of_leg is not None else center.state.calls.values()
    searched = (call for call in calls if call is of_leg or call.state is CallState.CLOSING)
    return next((call for call in searched if call.recording and call.recording.id == recording), None)
