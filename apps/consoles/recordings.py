"""Recordings for the browser's player: the sound, whole or a range of it, and its shape, to those who may hear it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from apps.accounts.permissions import can
from apps.calls.visibility import visible_calls
from apps.consoles.floor import floor_tenant
from apps.recordings import sound as sounds
from apps.recordings.access_log import begins, note_access
from apps.recordings.models import Recording, RecordingAccess
from apps.recordings.waveform import NoShape, waveform


def _heard(request: HttpRequest, recording_id: str) -> Recording:
    """The recording, for who may hear it. Raises ``PermissionDenied`` or ``Http404``."""
    tenant = floor_tenant(request)
    if not can(request.user, "calls.listen", tenant=tenant):
        raise PermissionDenied
    rows = Recording.objects.filter(call__in=visible_calls(request.user, tenant.pk), tenant=tenant)
    return get_object_or_404(rows.select_related("switch"), pk=recording_id)


@login_required
@require_GET
def sound(request: HttpRequest, recording_id: str) -> HttpResponseBase:
    """Who listens is noted. ``?download`` gives the file a name and is noted as such."""
    recording = _heard(request, recording_id)
    try:
        path = sounds.file_of(recording)
        response = sounds.answer(request, path)
    except (sounds.NoSound, OSError):
        raise Http404 from None
    download = "download" in request.GET
    if begins(request):
        way = RecordingAccess.Way.DOWNLOADED if download else RecordingAccess.Way.PLAYED
        note_access(recording, request, way)
    if download:
        response["Content-Disposition"] = f'attachment; filename="{recording.pk}{path.suffix}"'
    return response


@login_required
@require_GET
def peaks(request: HttpRequest, recording_id: str) -> HttpResponse:
    """The waveform; 404 where there is no file, 415 where its shape cannot be read (it may play all the same)."""
    recording = _heard(request, recording_id)
    try:
        shape = waveform(sounds.file_of(recording), settings.STATE_DIR / "peaks")
    except (sounds.NoSound, OSError):
        raise Http404 from None
    except NoShape as error:
        return JsonResponse({"status": 415, "detail": str(error)}, status=415, content_type="application/problem+json")
    return JsonResponse(shape, headers={"Cache-Control": "private, max-age=600"})
