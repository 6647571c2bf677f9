"""The recording of a talk: begun, paused for what must not be kept, ended."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.core import commands as c
from apps.core import facts as f
from apps.core.calls.lines import policy_of
from apps.core.calls.model import Call, Leg
from apps.core.center import Center
from apps.core.ids import AgentId, RecordingId

LONGEST_PAUSE_MS = 120_000
"""A pause that somebody forgot ends by itself."""
RESUME_RETRY_MS = 2_000


def start(center: Center, call: Call, far: Leg) -> None:
    """Record the customer leg: it survives a change of agent. One recording a talk."""
    if call.tenant is None or not _wanted(center, call, far):
        return
    if call.recording is not None:
        lost = "its end was not reported before the next talk began"
        center.emit(
            f.RecordingBroken(
                at_ms=center.now_ms, tenant=call.tenant, call=call.id, recording=call.recording.id, reason=lost
            )
        )
    recording = center.mint.recording()
    day = datetime.fromtimestamp(center.now_ms / 1000, UTC).strftime("%Y/%m/%d")
    path = f"{call.tenant}/{day}/{recording}.wav"
    center.emit(
        f.RecordingAsked(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            recording=recording,
            leg=call.leg,
            switch=call.switch,
            path=path,
        )
    )
    center.send(c.StartRecording(switch=call.switch, leg=call.leg, recording=recording, path=path))


def _wanted(center: Center, call: Call, far: Leg) -> bool:
    """By the queue that brought them together; a call that an agent dialled by the tenant's dialling policy."""
    queue = center.queue_config(far.queue)
    if queue is not None:
        return queue.record
    return call.direction is f.Direction.OUTBOUND and far.agent is not None and policy_of(center, call.tenant).record


def go_on(center: Center, call: Call, far: Leg) -> None:
    """Of a call that is talked on with another: the same recording, unless these two are not to be recorded."""
    if not _wanted(center, call, far):
        stop(center, call)


def stop(center: Center, call: Call) -> None:
    if call.recording is not None and call.leg in call.legs:
        recording = call.recording
        center.send(c.StopRecording(switch=call.switch, leg=call.leg, recording=recording.id, path=recording.path))


# --- pause ---------------------------------------------------------------------------------------------------------


def pause(center: Center, call: Call, agent: AgentId) -> None:
    """The time of the pause runs from the asking: a pause whose beginning is not reported ends all the same."""
    recording = call.recording
    if recording is None:
        return
    center.emit(
        f.RecordingPauseAsked(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            recording=recording.id,
            agent=agent,
            until_ms=center.now_ms + LONGEST_PAUSE_MS,
        )
    )
    center.send(c.MaskRecording(switch=call.switch, leg=call.leg, recording=recording.id, path=recording.path))


def resume(center: Center, call: Call) -> None:
    """By the agent, or because the time is up; again until the switch says so or the recording is over."""
    recording = call.recording
    if recording is None:
        return
    center.emit(
        f.RecordingResuming(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            recording=recording.id,
            retry_ms=center.now_ms + RESUME_RETRY_MS,
        )
    )
    center.send(c.UnmaskRecording(switch=call.switch, leg=call.leg, recording=recording.id, path=recording.path))


def masked(center: Center, call: Call, recording: RecordingId) -> None:
    if call.recording is not None and call.recording.id == recording and call.recording.masked_ms is None:
        center.emit(f.RecordingPaused(at_ms=center.now_ms, tenant=call.tenant, call=call.id, recording=recording))


def unmasked(center: Center, call: Call, recording: RecordingId) -> None:
    current = call.recording
    if current is None or current.id != recording or current.mask_until_ms is None:
        return
    since_ms = current.masked_ms
    center.emit(
        f.RecordingResumed(
            at_ms=center.now_ms,
            tenant=call.tenant,
            call=call.id,
            recording=recording,
            masked_ms=center.now_ms - since_ms if since_ms is not None else 0,
        )
    )
