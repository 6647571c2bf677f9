"""The recordings of a call."""

from __future__ import annotations

from apps.calls.projection import Fold, Projection, StoredFact, moment, row_id
from apps.core import facts
from apps.recordings.models import Recording, RecordingStatus


def _recording_asked(rows: Projection, item: StoredFact, fact: facts.RecordingAsked) -> None:
    rows.recordings[fact.recording] = Recording(
        id=fact.recording,
        tenant_id=row_id(fact.tenant),
        call_id=fact.call,
        leg_id=fact.leg,
        switch_id=row_id(fact.switch),
        path=fact.path,
        asked_at=moment(fact.at_ms),
    )


def _recording_began(rows: Projection, item: StoredFact, fact: facts.RecordingBegan) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.started_at, recording.status = moment(fact.at_ms), RecordingStatus.RUNNING


def _recording_ended(rows: Projection, item: StoredFact, fact: facts.RecordingEnded) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.ended_at, recording.status = moment(fact.at_ms), RecordingStatus.DONE
        recording.duration_ms = fact.duration_ms


def _recording_broken(rows: Projection, item: StoredFact, fact: facts.RecordingBroken) -> None:
    recording = rows.recordings.get(fact.recording)
    if recording is not None:
        recording.ended_at, recording.status = moment(fact.at_ms), RecordingStatus.BROKEN
        recording.reason = fact.reason


FOLDS: dict[type[facts.Fact], Fold] = {
    facts.RecordingAsked: _recording_asked,
    facts.RecordingBegan: _recording_began,
    facts.RecordingEnded: _recording_ended,
    facts.RecordingBroken: _recording_broken,
}
