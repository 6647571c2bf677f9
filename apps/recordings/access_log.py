"""Who heard which recording, and when: a row for each time that somebody listens."""

from __future__ import annotations

import datetime

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.audit_events import Event, note
from apps.accounts.models import User
from apps.recordings.models import Recording, RecordingAccess

SAME_LISTENING = datetime.timedelta(minutes=10)
"""A player asks for a file in many parts, and again after each jump: within this time that is one listening."""


def note_access(recording: Recording, request: HttpRequest, way: str = RecordingAccess.Way.PLAYED) -> None:
    """Call it for every part that is sent, wherever in the file: all but the first byte is the whole talk."""
    user = request.user
    assert isinstance(user, User)
    since = timezone.now() - SAME_LISTENING
    known = RecordingAccess.objects.filter(recording=recording, user=user, way=way, at__gte=since)
    if not known.exists():
        RecordingAccess.objects.create(
            recording=recording, tenant_id=recording.tenant_id, user=user, username=user.get_username(),
            address=request.META.get("REMOTE_ADDR", "")[:64], way=way,
        )  # fmt: skip
        taken = way == RecordingAccess.Way.DOWNLOADED
        event = Event.RECORDING_TAKEN if taken else Event.RECORDING_PLAYED
        note(event, recording, name=recording.pk, tenant_id=recording.tenant_id, actor=user, call=recording.call_id)
